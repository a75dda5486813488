/**
 * The page's NDJSON: an entry a line, with its metadata as Postgres printed it. The metadata is cut out of the line and never parsed, so
 * that its numbers stay as they are.
 */
import type { CopyRecord } from '../copyRecord.ts';
import { readLetGoNote } from '../letGo.ts';
import { type CopyFormat, parseJson, unreadable, wasRead } from './format.ts';
import { type EntryTexts, hasFingerprint } from './sealedFields.ts';

type Json = Readonly<Record<string, unknown>>;

export const pageNdjson: CopyFormat = {
  name: 'page-ndjson',
  title: "the page's NDJSON",
  recognizes: (_line, json) => {
    const entry = json as Json | null | undefined;
    return (
      typeof entry?.['uid'] === 'string' && typeof entry['eventType'] === 'string' && 'metadata' in entry
    );
  },
  makeReader: () => (line, see) => {
    const entry = readEntry(line);
    if (entry === null) return unreadable('it is no entry of the page.');
    see(toCopyRecord(entry));
    return wasRead;
  },
};

interface PageEntry {
  readonly fields: Json;
  readonly metadata: Uint8Array;
}

const metadataAsLast = Buffer.from(',"metadata":');
const closeBrace = 0x7d;

function readEntry(line: Buffer): PageEntry | null {
  const end = line.lastIndexOf(closeBrace);
  const at = line.indexOf(metadataAsLast);
  if (at > 0 && end > at && /^\s*$/.test(line.toString('latin1', end + 1))) {
    const fields = parseJson(Buffer.concat([line.subarray(0, at), Buffer.of(closeBrace)])) as
      | Json
      | undefined;
    if (isComplete(fields) && !('metadata' in fields))
      return { fields, metadata: line.subarray(at + metadataAsLast.length, end) };
  }
  return readReordered(line);
}

function isComplete(fields: Json | undefined): fields is Json {
  return (
    ['id', 'uid', 'occurredAt', 'eventType', 'sessionType'].every(
      (key) => typeof fields?.[key] === 'string',
    ) && ['actorId', 'actorName', 'project'].every((key) => isTextOrNull(fields?.[key]))
  );
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string';
}

/** The line as a tool wrote it again, such as jq, with its members in another order. */
function readReordered(line: Buffer): PageEntry | null {
  const fields = parseJson(line) as Json | undefined;
  if (!isComplete(fields)) return null;
  const metadata = lastMember(line.toString(), 'metadata');
  return metadata === null ? null : { fields, metadata: Buffer.from(metadata) };
}

/** The text of an object's own member, as it stands; of several of one name the last counts, as in every reader. The text is JSON. */
function lastMember(text: string, name: string): string | null {
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\],]/g;
  let [depth, start, found] = [0, -1, null as string | null];
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [whole, colon] = match;
    if (whole === '{' || whole === '[') depth++;
    if (start >= 0 && depth === 1 && /^[,}]$/.test(whole)) {
      found = text.slice(start, match.index).trim();
      start = -1;
    }
    if (whole === '}' || whole === ']') depth--;
    if (depth === 1 && colon !== undefined && JSON.parse(whole.slice(0, -colon.length)) === name)
      start = token.lastIndex;
  }
  return found;
}

function toCopyRecord({ fields, metadata }: PageEntry): CopyRecord {
  const texts = { ...fields, metadata } as unknown as EntryTexts;
  return {
    uid: texts.uid,
    entryId: texts.id,
    place: null,
    isTest: false,
    matches: 'leftOut' in fields ? null : (fingerprint) => hasFingerprint(texts, fingerprint),
    letGo: readLetGoNote(texts.eventType, () => Buffer.from(metadata).toString()),
  };
}
