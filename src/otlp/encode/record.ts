/**
 * An entry as a LogRecord. First comes a block that is the same in every record except in three places (times,
 * severity, uid, stream), then the attributes that vary, the event name and the body.
 */
import type { Entry, RecordContext, StreamIdentity } from '../../model/entry.ts';
import { ownKey, writeEventName, writeIntAttribute, writeTextAttribute, writeUuid } from './attributes.ts';
import { keyField, stringAttribute, trueAttribute } from './constants.ts';
import { writeJsonField } from './jsonValue.ts';
import type { OutputBuffer } from './outputBuffer.ts';
import { closeLength, LogRecordTag, writeNanos } from './wire.ts';

/** SeverityNumber INFO (logs.proto). */
const info = 9;

/** Bytes of a record that are not text of the entry: keys, tags and lengths of the variable attributes. */
const maxOverheadBytes = 512;

/** Offsets of the places in the constant block. */
const timeAt = 1;
const observedAt = 12;

const sequenceNumber = keyField('audit.sequence.number');

/** Encodes the entries of one stream. */
export class RecordEncoder {
  readonly #block: Uint8Array;
  /** Offset of the uid's text in the block. */
  readonly #uidAt: number;

  constructor(identity: StreamIdentity) {
    const uid = stringAttribute(
      LogRecordTag.attributes,
      'log.record.uid',
      '00000000-0000-0000-0000-000000000000',
    );
    const times = Buffer.alloc(20);
    times[0] = LogRecordTag.timeUnixNano;
    times[9] = LogRecordTag.severityNumber;
    times[10] = info;
    times[11] = LogRecordTag.observedTimeUnixNano;
    this.#uidAt = times.length + uid.length - 36;
    this.#block = Buffer.concat([
      times,
      uid,
      stringAttribute(LogRecordTag.attributes, 'audit.stream.id', identity.streamId),
      ...(identity.replayId === undefined
        ? []
        : [stringAttribute(LogRecordTag.attributes, 'audit.replay.id', identity.replayId)]),
      ...(identity.isTest ? [trueAttribute(LogRecordTag.attributes, 'audit.test')] : []),
    ]);
  }

  /** Appends a field of type LogRecord with the given tag. */
  write(out: OutputBuffer, tag: number, entry: Entry, context: RecordContext): void {
    out.reserve(
      maxOverheadBytes +
        this.#block.length +
        4 * entry.eventType.length + // attribute, and event name with up to three bytes for an invalid one
        (entry.actorId?.length ?? 0) +
        (entry.actorName?.length ?? 0) +
        entry.sessionType.length +
        (entry.project?.length ?? 0),
    );
    const bytes = out.bytes;
    const start = out.end;
    bytes[start] = tag;
    const block = start + 3; // the length of a record nearly always takes two bytes
    bytes.set(this.#block, block);
    writeNanos(out.view, block + timeAt, entry.occurredAtMicros);
    writeNanos(out.view, block + observedAt, context.observedAtMicros);
    writeUuid(bytes, block + this.#uidAt, entry.uid);

    let pos = block + this.#block.length;
    pos = writeIntAttribute(bytes, pos, ownKey.entryId, entry.id);
    pos = writeIntAttribute(bytes, pos, sequenceNumber, context.sequence);
    pos = writeTextAttribute(bytes, pos, ownKey.eventType, entry.eventType);
    if (entry.actorId !== null) pos = writeTextAttribute(bytes, pos, ownKey.userId, entry.actorId);
    if (entry.actorName !== null) pos = writeTextAttribute(bytes, pos, ownKey.userName, entry.actorName);
    pos = writeTextAttribute(bytes, pos, ownKey.sessionType, entry.sessionType);
    if (entry.project !== null) pos = writeTextAttribute(bytes, pos, ownKey.projectId, entry.project);

    out.end = writeEventName(bytes, pos, entry.eventType);

    writeJsonField(out, LogRecordTag.body, entry.metadata);
    out.end = closeLength(out.bytes, start + 1, 2, out.end);
  }
}
