/** An entry as the page writes it into a file, as the fields that are sealed. */
import { Fingerprinter, type SealedFields } from '../../ledger/fingerprint.ts';
import { parseUid } from '../uid.ts';

/** The columns as text; metadata is JSON text. */
export interface EntryTexts {
  readonly id: string;
  readonly uid: string;
  readonly occurredAt: string;
  readonly eventType: string;
  readonly actorId: string | null;
  readonly actorName: string | null;
  readonly sessionType: string;
  readonly project: string | null;
  readonly metadata: Uint8Array;
}

const fingerprinter = new Fingerprinter();

/** Whether the entry has the fingerprint. An id or uid that is none has no fingerprint. */
export function hasFingerprint(texts: EntryTexts, fingerprint: Uint8Array): boolean {
  const fields = toSealedFields(texts);
  return fields !== null && Buffer.compare(fingerprinter.fingerprint(fields), fingerprint) === 0;
}

function toSealedFields(texts: EntryTexts): SealedFields | null {
  const uid = parseUid(texts.uid);
  if (uid === null || !isInt64(texts.id)) return null;
  return {
    id: BigInt(texts.id),
    uid: new Uint8Array(uid.buffer),
    eventType: Buffer.from(texts.eventType),
    actorId: toBytes(texts.actorId),
    actorName: toBytes(texts.actorName),
    sessionType: Buffer.from(texts.sessionType),
    project: toBytes(texts.project),
    metadata: texts.metadata,
    occurredAtMicros: toMicros(texts.occurredAt),
  };
}

function toBytes(text: string | null): Uint8Array | null {
  return text === null ? null : Buffer.from(text);
}

function isInt64(text: string): boolean {
  return /^-?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

const timePattern = /^(\d{4,6})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{6})Z$/;

/** Microseconds since 1970; −1, which a record has no time for, when it is no such time. */
function toMicros(text: string): number {
  const parts = timePattern.exec(text);
  if (parts === null) return -1;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, micros = 0] = parts
    .slice(1)
    .map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second) * 1_000 + micros;
}
