/**
 * Keeps one pool of connections for each receiver address and TLS identity. Streams that agree on both share
 * connections; a client certificate or a skipped verification is never shared with a stream that did not ask for it, nor
 * a connection to a private address with a stream that may not connect there.
 */
import { createHash } from 'node:crypto';
import type { Destination, TlsOptions } from '../model/exportConfig.ts';
import { ConnectionPool } from './connectionPool.ts';
import { makeSecureContext, type SecureContextResult } from './secureContext.ts';

export interface PoolOptions {
  readonly maxConnectionsPerOrigin: number;
  /** Pools beyond this number are closed when nothing uses them, the longest unused first. */
  readonly maxPools: number;
  /** A pool unused for this long is closed. */
  readonly idlePoolMs: number;
}

interface Entry {
  readonly pool: ConnectionPool;
  /** Attempts that hold it, including waiting ones. */
  users: number;
  unusedSinceMs: number;
}

export type PoolLease =
  | { readonly kind: 'leased'; readonly pool: ConnectionPool; readonly release: () => void }
  | Unreadable;

type Unreadable = Extract<SecureContextResult, { kind: 'unreadable' }>;

export class ConnectionPools {
  readonly #options: PoolOptions;
  /** By key, longest unused first. */
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new Set<Promise<void>>();
  readonly #tlsKeys = new WeakMap<TlsOptions, string>();
  /** Shared by destinations without certificates of their own, which are most: it would cost 30 KiB each. */
  #commonContext: SecureContextResult | null = null;
  #sweeper: NodeJS.Timeout | null = null;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** The pool for a destination; it stays open until `release` is called, once. */
  lease(destination: Destination): PoolLease {
    const key = this.#keyOf(destination);
    let entry = this.#entries.get(key);
    if (!entry) {
      const made = this.#open(destination);
      if ('kind' in made) return made;
      entry = made;
      this.#evictBeyond(this.#options.maxPools - 1);
    }
    // Deleted and set again, because a Map keeps the order of insertion.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.users += 1;
    this.#startSweeping();
    const leased = entry;
    const release = () => {
      leased.users -= 1;
      leased.unusedSinceMs = performance.now();
    };
    return { kind: 'leased', pool: leased.pool, release };
  }

  /** Ends waits for a connection, waits for requests under way, and closes every pool. */
  async close(): Promise<void> {
    if (this.#sweeper) clearInterval(this.#sweeper);
    this.#sweeper = null;
    for (const [key, entry] of this.#entries) this.#closeEntry(key, entry);
    await Promise.all(this.#closing);
  }

  #open({ url, tls, timeoutMs }: Destination): Entry | Unreadable {
    const secure = url.protocol === 'https:' ? this.#secureContextFor(tls) : null;
    if (secure?.kind === 'unreadable') return secure;
    const pool = new ConnectionPool({
      origin: url.origin,
      timeoutMs,
      maxConnections: this.#options.maxConnectionsPerOrigin,
      ...(secure && { secure: { tls, context: secure.context } }),
    });
    return { pool, users: 0, unusedSinceMs: performance.now() };
  }

  #secureContextFor(tls: TlsOptions): SecureContextResult {
    if (tls.ca !== undefined || tls.clientCert) return makeSecureContext(tls);
    this.#commonContext ??= makeSecureContext(tls);
    return this.#commonContext;
  }

  /** The key contains `timeoutMs` because it decides how connecting is paced. */
  #keyOf({ url, tls, timeoutMs, addresses = 'any' }: Destination): string {
    const common = `${url.origin} ${timeoutMs} ${addresses}`;
    if (url.protocol !== 'https:') return common;
    let tlsKey = this.#tlsKeys.get(tls);
    if (tlsKey === undefined) {
      tlsKey = hashTls(tls);
      this.#tlsKeys.set(tls, tlsKey);
    }
    return `${common} ${tlsKey}`;
  }

  #startSweeping(): void {
    this.#sweeper ??= setInterval(() => this.#sweep(), this.#options.idlePoolMs / 2).unref();
  }

  #sweep(): void {
    const before = performance.now() - this.#options.idlePoolMs;
    for (const [key, entry] of this.#entries) {
      if (entry.users === 0 && entry.unusedSinceMs <= before) this.#closeEntry(key, entry);
    }
  }

  #evictBeyond(count: number): void {
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= count) return;
      if (entry.users === 0) this.#closeEntry(key, entry);
    }
  }

  #closeEntry(key: string, entry: Entry): void {
    this.#entries.delete(key);
    const closed = entry.pool.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }
}

function hashTls({ ca, clientCert, serverName, insecureSkipVerify }: TlsOptions): string {
  const parts = [ca, clientCert?.cert, clientCert?.key.reveal(), serverName, insecureSkipVerify];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}
