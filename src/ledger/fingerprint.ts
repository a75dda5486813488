/**
 * The fingerprint of an entry: SHA-256 of its LogRecord with what is the entry's own and nothing of a stream, so that whoever holds a
 * copy of the record can build it again. In order:
 *
 * | tag | field | rule |
 * | --- | --- | --- |
 * | 09 | time_unix_nano, fixed64 | left out when 0 |
 * | 2a | body | always, also empty; see `canonicalValue.ts` |
 * | 32 | attributes: uid, entry id, event type, user id, user name, session type, project | none for null; an empty text is one |
 * | 62 | event_name | the event type; left out when empty |
 *
 * Lengths are shortest varints. Text that is not UTF-8 is a bytes_value, and in event_name its invalid bytes are U+FFFD, as on the wire.
 */
import { hash } from 'node:crypto';
import type { Entry } from '../model/entry.ts';
import {
  ownKey,
  writeEventName,
  writeIntAttribute,
  writeTextAttribute,
  writeUuid,
} from '../otlp/encode/attributes.ts';
import { stringAttribute } from '../otlp/encode/constants.ts';
import { writeJsonField } from '../otlp/encode/jsonValue.ts';
import { OutputBuffer } from '../otlp/encode/outputBuffer.ts';
import { LogRecordTag, writeNanos } from '../otlp/encode/wire.ts';
import { canonicalField } from './canonicalValue.ts';

/** What a fingerprint covers; organization, transaction and all that belongs to a stream are not in it. */
export type SealedFields = Omit<Entry, 'xid'>;

/** Bytes that are not text of the entry: keys, tags and lengths. */
const maxOverheadBytes = 512;

const uuidChars = 36;
const uidAttribute = stringAttribute(
  LogRecordTag.attributes,
  'log.record.uid',
  '00000000-0000-0000-0000-000000000000',
);

/** Fingerprints entries one after the other in a buffer of its own. */
export class Fingerprinter {
  readonly #out = new OutputBuffer(64 * 1024, 0);

  /** The entry's fingerprint, 32 bytes. */
  fingerprint(entry: SealedFields): Buffer {
    return hash('sha256', this.encode(entry), 'buffer');
  }

  /** The bytes that are hashed; valid until the next call. */
  encode(entry: SealedFields): Uint8Array {
    const out = this.#out;
    out.end = 0;
    out.reserve(maxOverheadBytes);
    out.bytes[0] = LogRecordTag.timeUnixNano;
    writeNanos(out.view, 1, entry.occurredAtMicros);
    if (out.view.getBigUint64(1) !== 0n) out.end = 9;
    writeBody(out, entry.metadata);
    out.reserve(
      maxOverheadBytes +
        4 * entry.eventType.length +
        (entry.actorId?.length ?? 0) +
        (entry.actorName?.length ?? 0) +
        entry.sessionType.length +
        (entry.project?.length ?? 0),
    );
    const bytes = out.bytes;
    bytes.set(uidAttribute, out.end);
    let pos = out.end + uidAttribute.length;
    writeUuid(bytes, pos - uuidChars, entry.uid);
    pos = writeIntAttribute(bytes, pos, ownKey.entryId, entry.id);
    pos = writeTextAttribute(bytes, pos, ownKey.eventType, entry.eventType);
    if (entry.actorId !== null) pos = writeTextAttribute(bytes, pos, ownKey.userId, entry.actorId);
    if (entry.actorName !== null) pos = writeTextAttribute(bytes, pos, ownKey.userName, entry.actorName);
    pos = writeTextAttribute(bytes, pos, ownKey.sessionType, entry.sessionType);
    if (entry.project !== null) pos = writeTextAttribute(bytes, pos, ownKey.projectId, entry.project);
    if (entry.eventType.length > 0) pos = writeEventName(bytes, pos, entry.eventType);
    return bytes.subarray(0, pos);
  }
}

/** What jsonb prints is canonical nearly always: only a map with an empty key, or one of a database that is not UTF-8, is not. */
function writeBody(out: OutputBuffer, metadata: Uint8Array): void {
  const start = out.end;
  if (writeJsonField(out, LogRecordTag.body, metadata)) return;
  const body = canonicalField(out.bytes.subarray(start, out.end));
  out.end = start;
  out.reserve(body.length);
  out.bytes.set(body, start);
  out.end += body.length;
}
