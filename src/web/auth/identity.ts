/**
 * Makes a person's name and id fit to be recorded. People choose their names, and some choose their ids; a text that the
 * database refuses would leave what they do without an entry.
 */
import { createHash } from 'node:crypto';
import type { Viewer } from '../viewer.ts';

/** In characters; every provider stays within it. */
const maxLength = 256;
/** Control characters, line separators, and characters that reverse the direction of the text around them. */
const unwritable = /[\p{Cc}\u2028\u2029\p{Bidi_Control}]/gu;

/** Applies to every viewer, in every AUTH_MODE. */
export function cleanViewer(viewer: Viewer): Viewer {
  return { ...viewer, id: cleanId(viewer.id), name: viewer.name === null ? null : cleanName(viewer.name) };
}

/** Replaces what cannot be written and keeps different ids different, so that nobody becomes somebody else. */
function cleanId(id: string): string {
  const clean = id.toWellFormed().replace(unwritable, '\ufffd');
  if (clean.length <= maxLength) return clean;
  const mark = createHash('sha256').update(id).digest('hex').slice(0, 32);
  return `${clean.slice(0, maxLength - 33).toWellFormed()}~${mark}`;
}

/** null: nothing is left of the name. */
function cleanName(name: string): string | null {
  const clean = name.toWellFormed().replace(unwritable, '').trim();
  return clean === '' ? null : [...clean].slice(0, maxLength).join('');
}
