/**
 * One request and its answer on a connection of a pool, within the attempt's deadline.
 */
import type { Dispatcher } from 'undici';
import type { Answer, NoAnswer } from '../model/answer.ts';
import type { Destination } from '../model/exportConfig.ts';
import { inflateBounded, maxAnswerBytes, readBounded } from './answerBody.ts';
import type { ConnectionPool } from './connectionPools.ts';
import { describeFailure, noAnswer } from './noAnswer.ts';

export interface Exchange {
  readonly connections: ConnectionPool;
  readonly destination: Destination;
  readonly headers: string[];
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

/** How far an attempt had come; decides what a timeout says. */
type Phase = 'connecting' | 'waiting' | 'reading';

/** Starts the deadline: connecting, sending and the whole answer must fit into `timeoutMs`. */
export async function exchange({
  connections,
  destination,
  headers,
  body,
  signal,
}: Exchange): Promise<Answer> {
  const { url, timeoutMs } = destination;
  const ended = new AbortController();
  let phase: Phase = 'connecting';
  const abort = () => ended.abort();
  const timer = setTimeout(() => {
    // Asked before the abort, which closes the connection. A pool without any connection has not got one for us.
    if (phase === 'connecting' && connections.pool.stats.connected > 0) phase = 'waiting';
    abort();
  }, timeoutMs);
  signal.addEventListener('abort', abort, { once: true });
  try {
    const response = await connections.pool.request({
      method: 'POST',
      path: url.pathname + url.search,
      headers,
      body,
      signal: ended.signal,
    });
    phase = 'reading';
    return await readAnswer(response);
  } catch (error) {
    if (signal.aborted) return aborted(destination);
    if (ended.signal.aborted) return timedOut(destination, phase);
    return describeFailure(error, url.host);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

async function readAnswer(response: Dispatcher.ResponseData): Promise<Answer> {
  const headers = flattenHeaders(response.headers);
  const raw = await readBounded(response.body, maxAnswerBytes);
  const isGzip = /^(?:x-)?gzip$/i.test(headers['content-encoding'] ?? '');
  const { bytes, truncated } = isGzip ? await inflateBounded(raw, maxAnswerBytes) : raw;
  return { kind: 'response', status: response.statusCode, headers, body: bytes, truncated };
}

function flattenHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

/** The answer to an attempt that was ended from our side. */
export function aborted({ url }: Destination): NoAnswer {
  return noAnswer('aborted', `The request to ${url.host} was ended by this collector.`);
}

function timedOut({ url, timeoutMs }: Destination, phase: Phase): NoAnswer {
  const limit = `${timeoutMs / 1_000} s`;
  switch (phase) {
    case 'connecting':
      return noAnswer('timeout', `Could not connect to ${url.host} within ${limit}.`);
    case 'waiting':
      return noAnswer('timeout', `No answer from ${url.host} within ${limit}.`);
    case 'reading':
      return noAnswer('timeout', `The answer of ${url.host} was not complete within ${limit}.`);
  }
}
