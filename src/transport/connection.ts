/**
 * One connection to a receiver, from the DNS lookup to its end: undici's client for one socket, with the
 * guard's check of every address, the destination's TLS, and a meter on incoming bytes.
 */
import type { LookupAddress } from 'node:dns';
import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { buildConnector, Client, type Dispatcher } from 'undici';
import type { TlsOptions } from '../model/exportConfig.ts';
import { SocketMeter } from './socketMeter.ts';

export interface ConnectionOptions {
  readonly origin: string;
  /** Time limit of the whole attempt; it decides how long one of several addresses is tried. */
  readonly timeoutMs: number;
  /** Absent for http. */
  readonly secure?: { readonly tls: TlsOptions; readonly context: SecureContext };
  /** The TLS session of an earlier connection, which saves a round trip. */
  readonly session: () => Buffer | undefined;
  readonly onSession: (session: Buffer) => void;
  /** The connection to this address failed. */
  readonly onAddressFailed: (address: string) => void;
  /** The connection ended, on its own or by `destroy`. */
  readonly onEnd: () => void;
}

/** What an attempt observes while its connection is being made. */
export interface ConnectionUser {
  /** Called at most once, with the name (or address) of the receiver. */
  readonly findAddresses: (hostname: string) => Promise<readonly LookupAddress[]>;
  readonly onConnecting: () => void;
}

/**
 * How long one of several addresses is tried before the next: a quarter of the attempt's time, so that the second or third
 * is always reached, and at most a second. The last address has all the remaining time.
 */
function nextAddressAfterMs(timeoutMs: number): number {
  return Math.min(1_000, Math.max(10, timeoutMs / 4));
}

/**
 * How long an idle connection is kept when the receiver gives no hint; a hint (`Keep-Alive: timeout=5`) is followed.
 * Shorter than the 60 s of load balancers and Collectors, so that they do not close it during a request.
 */
const keepAliveMs = 30_000;
/** An older connection is replaced once idle, so that a new DNS lookup finds a receiver that has moved. */
const maxAgeMs = 10 * 60_000;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #client: Client;
  readonly #meter = new SocketMeter();
  readonly #openedAt = performance.now();
  #socket: Socket | null = null;
  #user: ConnectionUser | null = null;
  #isEnded = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#client = new Client(options.origin, {
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      // The attempt's own deadline covers both.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (target, callback) => this.#connect(target, callback),
    });
    this.#client.on('disconnect', () => this.#onDisconnect());
  }

  /** Whether another attempt may use it. */
  get isUsable(): boolean {
    return !this.#isEnded && this.#client.stats.connected && performance.now() - this.#openedAt < maxAgeMs;
  }

  /** Address of the other side; undefined before the connection is made. */
  get address(): string | undefined {
    return this.#socket?.remoteAddress;
  }

  /** Whether bytes of the request still wait to be sent, so the peer cannot have all of it. */
  get hasUnsent(): boolean {
    return (this.#socket?.writableLength ?? 0) > 0;
  }

  /** Makes one attempt; no other may be under way. */
  dispatch(
    request: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
    user: ConnectionUser,
  ): void {
    this.#user = user;
    this.#meter.beginAttempt();
    this.#client.dispatch(request, handler);
  }

  /** Marks the connection as idle: it ends once its socket closes. */
  setIdle(): void {
    this.#user = null;
  }

  /** Closes at once, whatever is under way. */
  destroy(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#socket?.destroy();
    // The attempt already knows the reason of the rejection.
    this.#client.destroy().catch(() => {});
    this.#options.onEnd();
  }

  #onDisconnect(): void {
    if (this.#user === null) this.destroy();
  }

  #connect(target: buildConnector.Options, callback: buildConnector.Callback): void {
    const user = this.#user;
    if (user === null || this.#isEnded) {
      queueMicrotask(() => callback(new Error('nobody uses this connection'), null));
      return;
    }
    user.findAddresses(target.hostname).then(
      (addresses) => {
        // Outside the promise: what undici throws in its callback must not become our rejection.
        queueMicrotask(() => this.#connectTo(addresses, target, callback, user));
      },
      (error: Error) => queueMicrotask(() => callback(error, null)),
    );
  }

  #connectTo(
    addresses: readonly LookupAddress[],
    target: buildConnector.Options,
    callback: buildConnector.Callback,
    user: ConnectionUser,
  ): void {
    if (this.#isEnded) {
      callback(new Error('the attempt is over'), null);
      return;
    }
    user.onConnecting();
    const { secure, timeoutMs, onSession } = this.#options;
    const session = this.#options.session();
    const connect = buildConnector({
      // The attempt's own deadline ends the connection.
      timeout: 0,
      allowH2: false,
      lookup: (_hostname, options, found) => {
        const [first] = addresses;
        if (options.all) found(null, [...addresses]);
        else found(null, first?.address ?? '', first?.family ?? 0);
      },
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: nextAddressAfterMs(timeoutMs),
      ...(secure && {
        secureContext: secure.context,
        rejectUnauthorized: !secure.tls.insecureSkipVerify,
        ...(secure.tls.serverName !== undefined && { servername: secure.tls.serverName }),
        ...(session && { session }),
      }),
    });
    // The type says void, but it returns the socket, without which an attempt could not end while it connects.
    const socket = connect(target, (...result) => {
      this.#noteFailedAddresses(socket);
      callback(...keepFirstError(result));
    }) as unknown as Socket;
    this.#socket = socket;
    this.#meter.watch(socket);
    if (socket instanceof TLSSocket) socket.on('session', onSession);
  }

  /** Addresses that failed before the one that accepted the connection. */
  #noteFailedAddresses(socket: Socket): void {
    for (const tried of socket.autoSelectFamilyAttemptedAddresses ?? []) {
      const address = tried.slice(0, tried.lastIndexOf(':'));
      if (address !== socket.remoteAddress) this.#options.onAddressFailed(address);
    }
  }

  /** The address being tried when an attempt gives up while connecting. */
  noteFailure(): void {
    const { address } = this;
    if (address !== undefined) this.#options.onAddressFailed(address);
    else if (this.#socket) this.#noteFailedAddresses(this.#socket);
  }
}

/**
 * A receiver that requires a client certificate says so, under TLS 1.3, after the handshake and then closes. undici would
 * report the closed connection instead of the reason; a socket destroyed with the first error keeps the reason.
 */
function keepFirstError(result: Parameters<buildConnector.Callback>): Parameters<buildConnector.Callback> {
  const socket = result[1];
  if (socket instanceof TLSSocket) socket.once('error', (error) => socket.destroy(error));
  return result;
}
