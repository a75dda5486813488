/**
 * What a person is called, fit to be written down: people choose their names, and some their ids, and a text that the
 * database does not take would leave what they do without an entry.
 */
import { createHash } from 'node:crypto';
import type { Viewer } from '../viewer.ts';

/** In characters, as every provider keeps to. */
const maxLength = 256;
/** Control characters, line separators, and what turns the direction of the text around it. */
const unwritable = /[\p{Cc}\u2028\u2029\p{Bidi_Control}]/gu;

/** Whoever it is, in every mode of AUTH_MODE. */
export function cleanViewer(viewer: Viewer): Viewer {
  return { ...viewer, id: cleanId(viewer.id), name: viewer.name === null ? null : cleanName(viewer.name) };
}

/** Two ids stay two: what cannot be written is replaced, so that nobody becomes somebody else by it. */
function cleanId(id: string): string {
  const clean = id.toWellFormed().replace(unwritable, '\ufffd');
  if (clean.length <= maxLength) return clean;
  const mark = createHash('sha256').update(id).digest('hex').slice(0, 32);
  return `${clean.slice(0, maxLength - 33).toWellFormed()}~${mark}`;
}

/** null: nothing is left of it. */
function cleanName(name: string): string | null {
  const clean = name.toWellFormed().replace(unwritable, '').trim();
  return clean === '' ? null : [...clean].slice(0, maxLength).join('');
}
