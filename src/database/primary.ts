/** Proof that a statement ran on the primary: what a router or pooler between sends elsewhere is an error, never fewer rows. */

/**
 * In front of every statement: a pooler that balances statements (pgpool-II) then sends it to the primary. Others take it for a
 * comment.
 */
export const toPrimary = '/*NO LOAD BALANCE*/ ';

/** A statement ran on a server in recovery, or one that does not have what the primary has. Nothing it showed may be used. */
export class NotPrimaryError extends Error {
  /** In the place of an SQLSTATE: failure.ts has the words. */
  readonly code = 'AE001';

  constructor() {
    super('a statement ran on a standby, which may lack entries');
    this.name = 'NotPrimaryError';
  }
}
