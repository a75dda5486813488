/** Serves the files a browser loads, under addresses that change with their content, so that it can cache them for ever. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type RequestHandler, type Response, Router } from 'express';

export interface Assets {
  /** Address of each by its name: `app.css`, `app.js`, `htmx.js`, `icons.svg`. */
  readonly urls: Readonly<Record<string, string>>;
  readonly router: RequestHandler;
}

const directory = new URL('../../../views/assets/', import.meta.url);
const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

let loaded: Assets | undefined;

/** The assets of this process, read at the first call. */
export function useAssets(): Assets {
  loaded ??= loadAssets();
  return loaded;
}

/**
 * Reads `views/assets/` once: each file under its own name, all `*.css` joined as `app.css`, and htmx. All share one hash, so that
 * scripts can import each other by relative addresses.
 */
function loadAssets(): Assets {
  const names = readdirSync(directory).sort();
  const read = (name: string): Buffer => readFileSync(new URL(name, directory));
  const styles = names.filter((name) => name.endsWith('.css')).map(read);
  const files = new Map<string, Buffer>([
    ['app.css', Buffer.concat(styles)],
    ['htmx.js', readFileSync(fileURLToPath(import.meta.resolve('htmx.org/dist/htmx.min.js')))],
    ...names.filter((name) => !name.endsWith('.css')).map((name) => [name, read(name)] as const),
  ]);
  const all = createHash('sha256');
  for (const content of files.values()) all.update(content);
  const hash = all.digest('base64url').slice(0, 12);
  const urls: Record<string, string> = {};
  const router = Router();
  for (const [name, content] of files) {
    const url = `/assets/${hash}/${name}`;
    urls[name] = url;
    router.get(url, (_request, response) => {
      send(response, name, content, 'public, max-age=31536000, immutable');
    });
  }
  // While replicas of two versions run, a page of one may ask the other for its assets.
  router.get('/assets/:hash/:name', (request, response, next) => {
    const content = files.get(request.params.name);
    if (content === undefined) next();
    else send(response, request.params.name, content, 'no-store');
  });
  return { urls, router };
}

function send(response: Response, name: string, content: Buffer, cacheControl: string): void {
  response.set({
    'Content-Type': types[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
    'Cache-Control': cacheControl,
  });
  response.send(content);
}
