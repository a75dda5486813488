/** Requests to a test cluster with nothing between: the client library's models drop what they do not know, such as a schema's defaults. */
import { Agent, request } from 'undici';
import type { Access } from './kubeconfig.ts';

export interface KubeAnswer {
  readonly status: number;
  /** Of an object or a Status. */
  readonly body: Readonly<Record<string, unknown>>;
  /** What the server warns of. */
  readonly warnings: readonly string[];
}

export interface KubeRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** `application/json` when absent. */
  readonly contentType?: string;
}

export interface KubeRequester {
  /** Resolves whatever the status. @throws Error when no answer came. */
  request(request: KubeRequest): Promise<KubeAnswer>;
  close(): Promise<void>;
}

export function makeKubeRequester({ url, ca, token }: Access): KubeRequester {
  const dispatcher = new Agent({ allowH2: false, connect: { ca } });
  return {
    async request({ method = 'GET', path, body, contentType = 'application/json' }) {
      const response = await request(`${url}${path}`, {
        dispatcher,
        method,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': contentType,
          accept: 'application/json',
        },
        body: body === undefined ? null : JSON.stringify(body),
      });
      const text = await response.body.text();
      return {
        status: response.statusCode,
        body: text.startsWith('{') ? JSON.parse(text) : { message: text },
        warnings: [response.headers['warning'] ?? []].flat(),
      };
    },
    close: () => dispatcher.close(),
  };
}
