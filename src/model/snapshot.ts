/**
 * A Postgres snapshot as text, `xmin:xmax:xip,…`: which transactions had ended when it was taken
 * (Postgres manual, "pg_snapshot components").
 */
export interface Snapshot {
  /** Every transaction below it had ended. */
  readonly xmin: bigint;
  /** No transaction from here on had ended. */
  readonly xmax: bigint;
  /** In progress between the two. */
  readonly xip: readonly bigint[];
}

/** @throws Error when Postgres cannot have printed the text: a bug. */
export function parseSnapshot(text: string): Snapshot {
  const match = /^(\d+):(\d+):([\d,]*)$/.exec(text);
  if (!match) throw new Error(`not a pg_snapshot: ${text}`);
  const [, xmin = '', xmax = '', xip = ''] = match;
  return { xmin: BigInt(xmin), xmax: BigInt(xmax), xip: xip === '' ? [] : xip.split(',').map(BigInt) };
}

/** Same as Postgres's `pg_visible_in_snapshot`. */
export function isVisible(xid: bigint, snapshot: Snapshot): boolean {
  if (xid < snapshot.xmin) return true;
  return xid < snapshot.xmax && !snapshot.xip.includes(xid);
}
