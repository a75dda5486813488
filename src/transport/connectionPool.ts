/**
 * The connections to one receiver: each attempt gets one, an idle one or a new one. It returns only after an answer
 * that says all is well: another server behind the same load balancer may not have this server's failure.
 */
import { AddressOrder } from './addressOrder.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { Slots } from './slots.ts';

export interface ConnectionPoolOptions extends Pick<ConnectionOptions, 'origin' | 'timeoutMs' | 'secure'> {
  readonly maxConnections: number;
}

export class ConnectionPool {
  /** Take a slot before a connection. */
  readonly slots: Slots;
  readonly addresses = new AddressOrder();
  readonly #options: ConnectionPoolOptions;
  /** Most recently used last. */
  readonly #idle: Connection[] = [];
  readonly #open = new Set<Connection>();
  #session: Buffer | undefined;
  #onEmpty: (() => void) | null = null;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
    this.slots = new Slots(options.maxConnections);
  }

  /** @param isFresh true: a new connection, even if there is an idle one. */
  take(isFresh: boolean): Connection {
    while (!isFresh) {
      const idle = this.#idle.pop();
      if (!idle) break;
      if (idle.isUsable) return idle;
      idle.destroy();
    }
    if (this.#open.size >= this.#options.maxConnections) this.#idle.shift()?.destroy();
    return this.#connect();
  }

  /**
   * @param worked false: its address is not tried first next time; null: nothing was learned. The connection is closed
   *   unless it worked.
   */
  giveBack(connection: Connection, worked: boolean | null): void {
    const { address } = connection;
    if (worked === false) connection.noteFailure();
    else if (worked && address !== undefined) this.addresses.worked(address);
    if (worked && connection.isUsable && this.#onEmpty === null) {
      connection.setIdle();
      this.#idle.push(connection);
    } else connection.destroy();
  }

  /** Ends waits for a slot and closes idle connections; resolves once those in use have been given back. */
  close(): Promise<void> {
    this.slots.close();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
      for (const idle of this.#idle.splice(0)) idle.destroy();
      if (this.#open.size === 0) resolve();
    });
  }

  #connect(): Connection {
    const { origin, timeoutMs, secure } = this.#options;
    const connection = new Connection({
      origin,
      timeoutMs,
      ...(secure && { secure }),
      session: () => this.#session,
      onSession: (session) => {
        this.#session = session;
      },
      onAddressFailed: (address) => this.addresses.failed(address),
      onEnd: () => {
        this.#open.delete(connection);
        const at = this.#idle.indexOf(connection);
        if (at >= 0) this.#idle.splice(at, 1);
        if (this.#open.size === 0) this.#onEmpty?.();
      },
    });
    this.#open.add(connection);
    return connection;
  }
}
