/** Requests and watches on the API server, over one pool of connections. Never throws for what a server or a network does. */
import { HttpMethod, RequestContext } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { isMap } from '../../basics/isMap.ts';
import type { ApiAnswer, ApiFailure, RefusalDetails, WatchAnswer, WatchEvent } from './apiAnswer.ts';
import type { ClusterConnection } from './connection.ts';

export interface ApiClient {
  /** Of the API server, for people. */
  readonly server: string;
  request(request: ApiRequest): Promise<ApiAnswer>;
  /** `signal` ends the watch, its events included: they then throw. What else breaks them throws too. */
  watch(request: Pick<ApiRequest, 'path' | 'query' | 'signal' | 'metadataOnly'>): Promise<WatchAnswer>;
  /** Ends everything under way. */
  close(): Promise<void>;
}

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: { readonly contentType: string; readonly value: unknown };
  /** Of each object its metadata and nothing else. */
  readonly metadataOnly?: boolean;
  readonly signal: AbortSignal;
}

export interface ApiClientOptions {
  readonly connection: ClusterConnection;
  readonly userAgent: string;
  /** `code` is `unreachable` when no answer came. */
  readonly countRequest: (method: string, code: string) => void;
}

/** Of a request as a whole; of a watch until its first byte. */
const timeoutMs = 15_000;

export function makeApiClient(options: ApiClientOptions): ApiClient {
  const { connection, countRequest } = options;
  const toFailure = (error: unknown, method: string, signal: AbortSignal): ApiFailure => {
    if (signal.aborted) return { kind: 'aborted' };
    countRequest(method, 'unreachable');
    return { kind: 'unreachable', message: describeError(error) };
  };
  return {
    server: serverOf(connection),
    async request(request) {
      const method = request.method ?? 'GET';
      try {
        const response = await open(options, request, false);
        const text = await response.body.text();
        countRequest(method, String(response.statusCode));
        if (response.statusCode >= 300) return toRefusal(response, text);
        return { kind: 'ok', body: JSON.parse(text) as unknown };
      } catch (error) {
        return toFailure(error, method, request.signal);
      }
    },
    async watch(request) {
      try {
        const query = { ...request.query, watch: 'true' };
        const response = await open(options, { ...request, query }, true);
        countRequest('WATCH', String(response.statusCode));
        if (response.statusCode >= 300) return toRefusal(response, await response.body.text());
        return { kind: 'open', events: readEvents(response.body) };
      } catch (error) {
        return toFailure(error, 'WATCH', request.signal);
      }
    },
    close: () => connection.close(),
  };
}

function serverOf(connection: ClusterConnection): string {
  return connection.getCurrentCluster()?.server ?? '';
}

async function open(
  { connection, userAgent }: ApiClientOptions,
  request: ApiRequest,
  isWatch: boolean,
): Promise<Dispatcher.ResponseData> {
  const { method = 'GET', path, query = {}, body, signal, metadataOnly } = request;
  const url = new URL(serverOf(connection) + path);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const context = new RequestContext(url.href, HttpMethod[method]);
  context.setHeaderParam('Accept', metadataOnly ? acceptMetadata(isWatch ? '' : 'List') : 'application/json');
  context.setHeaderParam('User-Agent', userAgent);
  if (body !== undefined) context.setHeaderParam('Content-Type', body.contentType);
  await connection.applySecurityAuthentication(context);
  const dispatcher = context.getDispatcher();
  if (dispatcher === undefined) throw new Error('no connection');
  return await dispatcher.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method,
    headers: context.getHeaders(),
    body: body === undefined ? null : JSON.stringify(body.value),
    signal,
    headersTimeout: timeoutMs,
    // Quiet watches are normal; the reflector has deadlines of its own.
    bodyTimeout: isWatch ? 0 : timeoutMs,
  });
}

function acceptMetadata(suffix: string): string {
  return `application/json;as=PartialObjectMetadata${suffix};g=meta.k8s.io;v=v1`;
}

/** One JSON document a line. @throws on a broken connection, or a line that is not an event. */
async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<WatchEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield readEvent(line);
  }
  if (rest.trim() !== '') throw new Error('the watch ended inside an event');
}

function readEvent(line: string): WatchEvent {
  const event: unknown = JSON.parse(line);
  if (!isMap(event) || typeof event['type'] !== 'string') throw new Error('the watch sent no event');
  return { type: event['type'], object: event['object'] };
}

function toRefusal(response: Dispatcher.ResponseData, text: string): ApiFailure {
  const { statusCode: code, headers } = response;
  const seconds = Number(headers['retry-after']);
  const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 300) * 1_000 : null;
  const status = readStatus(text);
  // Without one it is a proxy's page, not the API server's words.
  if (status === null) return { kind: 'refused', code, message: text.trim().slice(0, 200), retryAfterMs };
  const message = asText(status['message']).slice(0, 1_000);
  return { kind: 'refused', code, message, retryAfterMs, details: readDetails(status) };
}

function readStatus(text: string): Record<string, unknown> | null {
  try {
    const status: unknown = JSON.parse(text);
    return isMap(status) && typeof status['message'] === 'string' ? status : null;
  } catch {
    return null;
  }
}

function readDetails(status: Record<string, unknown>): RefusalDetails {
  const details = isMap(status['details']) ? status['details'] : {};
  const causes = Array.isArray(details['causes']) ? details['causes'].filter(isMap) : [];
  return {
    reason: asText(status['reason']),
    kind: asText(details['kind']),
    causes: causes.map(({ reason, message, field }) => ({
      reason: asText(reason),
      message: asText(message),
      field: asText(field),
    })),
  };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** undici hides the reason behind a general error at times. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Its own message quotes what it could not read, which may be a Secret.
  if (error instanceof SyntaxError) return 'the answer is no JSON';
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
