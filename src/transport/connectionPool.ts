/**
 * The connections to one receiver: each attempt gets one, an idle one or a new one. It comes back only after an answer
 * that says all is well: another server behind the same balancer might not have the failure that this one has.
 */
import { AddressOrder } from './addressOrder.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { Slots } from './slots.ts';

export interface ConnectionPoolOptions extends Pick<ConnectionOptions, 'origin' | 'timeoutMs' | 'secure'> {
  readonly maxConnections: number;
}

export class ConnectionPool {
  /** Take a place before a connection. */
  readonly slots: Slots;
  readonly addresses = new AddressOrder();
  readonly #options: ConnectionPoolOptions;
  /** The last used last. */
  readonly #idle: Connection[] = [];
  readonly #open = new Set<Connection>();
  #session: Buffer | undefined;
  #onEmpty: (() => void) | null = null;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
    this.slots = new Slots(options.maxConnections);
  }

  /** @param isFresh a new connection even where an idle one is left. */
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
   * @param worked false: its address is not the first that is tried next time; null: nothing was learned. It is closed
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

  /** Ends waits for a place and closes what is idle; resolves once what is in use is given back. */
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
