/** Holds a value that must never be printed: logs, errors, JSON and `util.inspect` show `[secret]`. */
export class Secret {
  readonly #read: () => string;

  /** @param value itself, or a function that returns it as it is now: a file may be replaced while the process runs. */
  constructor(value: string | (() => string)) {
    this.#read = typeof value === 'function' ? value : () => value;
  }

  /** The value itself. Call it where the value leaves the process (a header, a connection), nowhere else. */
  reveal(): string {
    return this.#read();
  }

  /** Whether both hold the same value; lets a change be noticed without revealing either. */
  equals(other: Secret): boolean {
    return this.#read() === other.#read();
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}
