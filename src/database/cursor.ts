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

const cursorSchema = z
  .tuple([
    z
      .string()
      .regex(/^(19[7-9]|20|21)\d+-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
      .refine(isRealTime),
    z.string().refine(isEntryId),
  ])
  .transform(([occurredAt, id]): Cursor => ({ occurredAt, id }));

export function encodeCursor({ occurredAt, id }: Cursor): string {
  return encodeToken([occurredAt, id]);
}

/** Null for anything that `encodeCursor` did not make. */
export function decodeCursor(text: string): Cursor | null {
  return text.length > 100 ? null : decodeToken(text, cursorSchema);
}

/** For URLs: letters, digits, `-` and `_`. */
export function encodeToken(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** Null for anything that `encodeToken` did not make of parts that `schema` accepts. */
export function decodeToken<T>(text: string, schema: z.ZodType<T>): T | null {
  try {
    return schema.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString())).data ?? null;
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
