/**
 * Makes a receiver's words fit to be shown: one line, short, and without anything secret that we sent. A receiver may
 * echo a request's headers, and its words go into a status that more people read than the Secret.
 */
import type { Secret } from '../model/secret.ts';
import { redact } from './redact.ts';

/** What a request carried. */
export interface Sent {
  /** Every header value: masked where the receiver echoes it. */
  readonly secrets: readonly Secret[];
  /** Names of the same headers: shown. */
  readonly headerNames?: readonly string[];
}

const maxLength = 300;
/** Redacting costs time for each character, and only the beginning of a long text can be shown. */
const maxLengthRead = 4_000;

/** At most 300 characters. Redacts before it cuts: it would not recognize half a secret. */
export function quote(words: string, { secrets, headerNames = [] }: Sent): string {
  const text = redact(foldToLine(words.slice(0, maxLengthRead)), secrets, headerNames);
  if (text.length <= maxLength) return text;
  return `${text
    .slice(0, maxLength - 1)
    .toWellFormed()
    .replace(/\uFFFD$/, '')
    .trimEnd()}…`;
}

/** Removes control, formatting (direction marks, zero width) and private characters, and folds white space. */
function foldToLine(text: string): string {
  return text.toWellFormed().replace(/\s+/g, ' ').replace(/\p{C}/gu, '').trim();
}
