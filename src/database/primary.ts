/**
 * Proof that a statement ran on the primary: if a router or pooler sends it elsewhere, it fails, and never just returns fewer rows.
 */

/**
 * Precedes every statement: a pooler that balances statements (pgpool-II) then sends it to the primary. Others treat it as a
 * comment.
 */
export const toPrimary = '/*NO LOAD BALANCE*/ ';

/** A statement ran on a server in recovery, or one that does not have what the primary has. Its result must not be used. */
export class NotPrimaryError extends Error {
  /** Takes the place of an SQLSTATE: failure.ts has the sentence. */
  readonly code = 'AE001';

  constructor() {
    super('a statement ran on a standby, which may lack entries');
    this.name = 'NotPrimaryError';
  }
}
