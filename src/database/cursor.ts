/** A place in the list, where a page begins: after this entry, in the order (occurred_at, id). */
import { z } from 'zod';
import { isRealTime } from '../basics/isRealTime.ts';

export interface Cursor {
  /** RFC 3339 in UTC with microseconds, as `EntryView.occurredAt`: fixed width, so that its text sorts as its time. */
  readonly occurredAt: string;
  /** Decimal. */
  readonly id: string;
}

/** The largest possible id: newest first, a cursor with it comes before all entries of its moment. */
export const maxEntryId = '9223372036854775807';

const cursorSchema = z.tuple([
  z
    .string()
    .regex(/^(19[7-9]|20|21)\d+-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    .refine(isRealTime),
  z.string().refine(isEntryId),
]);

/** For URLs: letters, digits, `-` and `_`. */
export function encodeCursor({ occurredAt, id }: Cursor): string {
  return Buffer.from(JSON.stringify([occurredAt, id])).toString('base64url');
}

/** Null for anything that `encodeCursor` did not make. */
export function decodeCursor(text: string): Cursor | null {
  if (text.length > 100) return null;
  try {
    const parsed = cursorSchema.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    return parsed.success ? { occurredAt: parsed.data[0], id: parsed.data[1] } : null;
  } catch {
    return null;
  }
}

/** True when a text can be an entry's id, so that Postgres can compare it. */
export function isEntryId(text: string): boolean {
  return /^\d{1,19}$/.test(text) && BigInt(text) <= BigInt(maxEntryId);
}

/** Compares by (occurred_at, id), ascending: negative when `a` comes first. */
export function compareCursors(a: Cursor, b: Cursor): number {
  if (a.occurredAt !== b.occurredAt) return a.occurredAt < b.occurredAt ? -1 : 1;
  const [x, y] = [BigInt(a.id), BigInt(b.id)];
  return x === y ? 0 : x < y ? -1 : 1;
}
