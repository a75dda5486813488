/**
 * A read that moves a position, or says that there is nothing to move over, counts only when it ran on the primary: a
 * pooler that balances reads may hand it to a standby that lags.
 */
export class NotPrimaryError extends Error {
  /** Stands where Postgres' own errors have their SQLSTATE. */
  readonly code = 'AE001';

  constructor() {
    super('a read was answered by a server that is not the primary, or is behind it');
  }
}
