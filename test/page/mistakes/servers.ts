/** A row of the tables of mistakes, and the receivers that they are made at. */
import { makeCertificateAuthority } from '../../tools/certificates.ts';
import { serveHttp, serveHttps } from '../../transport/loopback.ts';
import { type Fields, header } from '../tryForm.ts';

export interface Mistake {
  readonly what: string;
  /** Starts what is needed, and fills in the form. */
  readonly type: () => Promise<Fields> | Fields;
  readonly says: RegExp;
  /** The label of the first button; after a click on it the test record is delivered. Absent: there is none. */
  readonly button?: RegExp;
  /** Not a mistake after all: it is repaired, and delivered at once. */
  readonly isRepaired?: boolean;
  /** Needs a tool that is not on every machine. */
  readonly needs?: 'otelcol';
}

export const token = 'hush-hush-hush';
export const bearer = header('Authorization', `Bearer ${token}`);

interface Place {
  readonly path?: string;
  readonly authorization?: string;
  /** What it answers to everything else; default: 404. */
  readonly otherwise?: { status: number; type?: string; body?: string; location?: string };
  readonly isGzipRefused?: true;
}

/** Takes OTLP at one path, with these credentials. Its address without the scheme. */
export async function receive(place: Place = {}): Promise<string> {
  const { path = '/v1/logs', authorization, otherwise = { status: 404 }, isGzipRefused } = place;
  const { port } = await serveHttp((request, response) => {
    request.resume().on('end', () => {
      if (request.url === path) {
        if (isGzipRefused && request.headers['content-encoding']) return response.writeHead(415).end();
        const isKnown = authorization === undefined || request.headers.authorization === authorization;
        return response.writeHead(isKnown ? 200 : 401).end();
      }
      const { status, type = 'text/plain', body = '', location } = otherwise;
      return response.writeHead(status, { 'content-type': type, ...(location && { location }) }).end(body);
    });
  });
  return `127.0.0.1:${port}`;
}

export async function answer(status: number, body = '', type = 'text/plain'): Promise<Fields> {
  const { url } = await serveHttp((request, response) => {
    request.resume().on('end', () => response.writeHead(status, { 'content-type': type }).end(body));
  });
  return { endpoint: url };
}

const day = 86_400_000;

/** Over TLS; its address without the scheme, and the authority that signed its certificate. */
export async function receiveTls(names: readonly string[] = ['127.0.0.1'], days = 1) {
  const authority = makeCertificateAuthority();
  const validity = { from: new Date(Date.now() - 9 * day), to: new Date(Date.now() + days * day) };
  const { port } = await serveHttps(authority.issue(names, validity), (request, response) => {
    request.resume().on('end', () => response.end());
  });
  return { host: `127.0.0.1:${port}`, authority, ca: { 'tls.caSecretRef': authority.cert } };
}

export const httpsOf = (host: string): Fields => ({ endpoint: `https://${host}` });

export async function typeTls(make: (host: string) => string): Promise<Fields> {
  const { host, ca } = await receiveTls();
  return { endpoint: make(host), ...ca };
}

export async function withHeaders(authorization: string, headers: Fields): Promise<Fields> {
  return { endpoint: `http://${await receive({ authorization })}`, ...headers };
}
