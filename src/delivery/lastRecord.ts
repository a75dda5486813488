/**
 * The last record that the receiver took, built again from its entry: byte for byte what was sent. A process that has just started
 * knows of no other proof that the receiver takes anything.
 */
import { readEntryById } from '../database/readEntryById.ts';
import type { Destination } from '../model/exportConfig.ts';
import { RequestWriter } from '../otlp/encode/request.ts';
import { plainRowBytes } from './readPace.ts';
import type { Stream } from './stream.ts';

/** Where a record went, as it is kept with it: without the query, which may hold a key. */
export function placeOf({ url }: Destination): string {
  return `${url.origin}${url.pathname}`;
}

/** A request of its own. null: there is none, it went elsewhere, or its entry cannot be read. @throws when the database fails. */
export async function rebuildLastRecord(stream: Stream, abort: AbortSignal): Promise<Uint8Array | null> {
  const { shared, organization, position, config, identity } = stream;
  const { lastRecord } = position.row;
  if (lastRecord === null || lastRecord.place !== placeOf(config.destination)) return null;
  const writer = new RequestWriter(identity, 4_096);
  const read = await shared.reads.run(organization, abort, () =>
    readEntryById(shared.db, position.row, BigInt(lastRecord.entryId), { rowBytes: plainRowBytes }, (entry) =>
      writer.append(entry, lastRecord),
    ),
  );
  return read !== 'aborted' && read.kind === 'read' ? writer.request() : null;
}
