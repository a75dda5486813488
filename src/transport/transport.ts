/**
 * Sends one request to one receiver and returns its answer. It neither retries nor judges: `otlp/classify.ts` judges the
 * answer, and delivery repeats the request.
 *
 *   batch → encode → [one attempt] → classify → settle, wait or split
 *
 * Promises:
 *  - Every failure of the network, of TLS or of the receiver is an `Answer`; what throws is a bug.
 *  - An attempt ends within `timeoutMs` of its first packet, whatever the receiver does, and at once on `signal`.
 *  - Redirects are never followed: they would send the headers, including secrets, to an address that no one configured.
 *  - The receiver cannot make us read more than 256 KiB, or keep and parse more than 64 KiB (answerLimits.ts).
 *  - After a failed attempt the next attempt of the same stream uses a new connection, and so may
 *    reach another server behind the same name.
 *  - Names whose DNS servers do not answer, and receivers that hang, use up no more than their own share.
 */
import type { Answer } from '../model/answer.ts';
import type { Destination } from '../model/exportConfig.ts';
import type { PortReport } from '../model/portReport.ts';
import type { AddressGuard } from './addressGuard.ts';
import { Compressors } from './compressor.ts';
import type { ConnectionPool } from './connectionPool.ts';
import { ConnectionPools } from './connectionPools.ts';
import { makeNameResolver, type ResolveName } from './dns/nameResolver.ts';
import { aborted, exchange } from './exchange.ts';
import { inspectPort } from './inspectPort.ts';
import { noAnswer } from './noAnswer.ts';
import { findAddresses } from './receiverAddresses.ts';
import { makeRequestHeaders } from './requestHeaders.ts';

export interface Attempt {
  readonly destination: Destination;
  /** Encoded protobuf, not compressed. */
  readonly body: Uint8Array;
  /** Ends the attempt at once; the result is then a no-answer `aborted`, and the receiver may have received the request. */
  readonly signal: AbortSignal;
  /** The stream whose share of the receiver's connections is used. Default: the destination's fingerprint. */
  readonly stream?: string;
  /** The owner whose share of DNS lookups is used. Default: `stream`. */
  readonly organization?: string;
  /** True: use a new connection, even if there is an idle one. */
  readonly freshConnection?: boolean;
  /** Whether the answer says that all is well with this server. Default: a status below 300. */
  readonly isGood?: (answer: Answer) => boolean;
}

export interface Transport {
  send(attempt: Attempt): Promise<Answer>;
  /** What answers at the port of a destination, under the same rules of addresses; null: no address that may be connected to. */
  inspect(attempt: Omit<Attempt, 'body'>): Promise<PortReport | null>;
  /** Accepts no more attempts; resolves when those under way have ended and every connection is closed. */
  close(): Promise<void>;
}

export interface TransportOptions {
  readonly guard: AddressGuard;
  readonly userAgent: string;
  /** Default 32. Further attempts wait; the wait does not count against their deadline. */
  readonly maxConnectionsPerOrigin?: number;
  /** Default 1,024. More are kept while all of them are in use. */
  readonly maxPools?: number;
  /** Default 60 s. */
  readonly idlePoolMs?: number;
  /** Default: the hosts file and DNS, as `/etc/resolv.conf` says. */
  readonly resolveName?: ResolveName;
  /** Further headers that no request carries, besides those of requestHeaders.ts: those that identify users to the page. */
  readonly identityHeaders?: readonly string[];
  /** Called once for each configured header that is left out. */
  readonly onHeaderLeftOut?: (name: string, host: string) => void;
}

/** A server that speaks says something at once. */
const inspectionMs = 3_000;

/** Headers left out that have already been reported. */
const maxTold = 1_000;

/** Opens nothing until the first attempt. */
export function makeTransport(options: TransportOptions): Transport {
  const pools = new ConnectionPools({
    maxConnectionsPerOrigin: options.maxConnectionsPerOrigin ?? 32,
    maxPools: options.maxPools ?? 1_024,
    idlePoolMs: options.idlePoolMs ?? 60_000,
  });
  const compressors = new Compressors();
  const resolveName = options.resolveName ?? makeNameResolver();
  const identityHeaders = new Set(options.identityHeaders?.map((name) => name.toLowerCase()));
  const told = new Set<string>();
  const closing = new AbortController();

  async function send(attempt: Attempt): Promise<Answer> {
    const { destination, signal } = attempt;
    if (signal.aborted || closing.signal.aborted) return aborted(destination);
    const headers = makeRequestHeaders(destination, options.userAgent, identityHeaders);
    if (headers.kind === 'invalid') return noAnswer('connection', headers.message);
    for (const name of headers.leftOut) tellLeftOut(name, destination.url.host);
    const lease = pools.lease(destination);
    if (lease.kind === 'unreadable') return noAnswer('tls', lease.message);
    try {
      const body = await compressors.compress(destination.compression, attempt.body);
      return await sendBy(lease.pool, attempt, headers.headers, body);
    } finally {
      lease.release();
    }
  }

  function tellLeftOut(name: string, host: string): void {
    const key = `${host} ${name}`;
    if (told.has(key) || told.size >= maxTold) return;
    told.add(key);
    options.onHeaderLeftOut?.(name, host);
  }

  async function sendBy(
    pool: ConnectionPool,
    attempt: Attempt,
    headers: string[],
    body: Uint8Array,
  ): Promise<Answer> {
    const { destination, signal, isGood = isBelow300 } = attempt;
    const { stream = destination.fingerprint, organization = stream } = attempt;
    if (!(await pool.slots.take(stream, signal))) return aborted(destination);
    const connection = pool.take(attempt.freshConnection === true || pool.slots.hasFailed(stream));
    let worked: boolean | null = false;
    try {
      const answer = await exchange({
        connection,
        destination,
        headers,
        body,
        signal,
        findAddresses: async (hostname, ended) =>
          pool.addresses.sort(
            await findAddresses(hostname, targetOf(destination), options.guard, (name) =>
              resolveName(name, organization, ended),
            ),
          ),
      });
      if (answer.kind === 'response') worked = !answer.truncated && isGood(answer);
      else if (answer.cause === 'aborted') worked = null;
      return answer;
    } finally {
      pool.giveBack(connection, worked);
      pool.slots.release(stream, worked);
    }
  }

  async function inspect({ destination, signal, organization = '' }: Omit<Attempt, 'body'>) {
    const hostname = destination.url.hostname.replace(/^\[|\]$/g, '');
    const target = targetOf(destination);
    const ended = AbortSignal.any([signal, closing.signal, AbortSignal.timeout(inspectionMs)]);
    try {
      const resolve = (name: string) => resolveName(name, organization, ended);
      const [address] = await findAddresses(hostname, target, options.guard, resolve);
      const { serverName = hostname, ca } = destination.tls;
      if (address === undefined) return null;
      return await inspectPort({ address, port: target.port, serverName, ca, signal: ended });
    } catch {
      // The attempt before it has said why.
      return null;
    }
  }

  return {
    send,
    inspect,
    close: () => {
      closing.abort();
      return pools.close();
    },
  };
}

function isBelow300(answer: Answer): boolean {
  return answer.kind === 'response' && answer.status < 300;
}

function targetOf({ url, addresses = 'any' }: Destination) {
  return { port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)), policy: addresses };
}
