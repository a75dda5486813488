/**
 * Views by name, with the data each takes: templates are untyped, views.ts is their types.
 *
 * Everything is escaped by `<%= %>`; `<%~ %>` is for `include`, `layout` bodies and `block` alone, which a test checks.
 */
import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import type { Views } from './views.ts';

/** What the frame around every full page needs. */
export interface Shell {
  readonly title: string;
  readonly organization: string | null;
  /** To switch to; null: too many, or not known. */
  readonly organizations: readonly string[] | null;
  readonly viewerName: string | null;
  /** null: nothing to log out of. */
  readonly logoutUrl: string | null;
  /** Of assets, by name. */
  readonly assets: Readonly<Record<string, string>>;
}

const eta = new Eta({
  views: fileURLToPath(new URL('../../views', import.meta.url)),
  cache: true,
  autoEscape: true,
  autoTrim: false,
});

/** A part of a page. */
export function render<K extends keyof Views>(name: K, data: Views[K]): string {
  return eta.render(name, data as object);
}

/** A whole page: the view inside `layout.eta`. */
export function renderPage<K extends keyof Views>(name: K, data: Views[K], shell: Shell): string {
  return eta.render('layout', { ...shell, body: render(name, data) });
}
