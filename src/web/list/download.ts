/**
 * Sends every entry of the filter as a file: streamed at the client's pace, ended when the client disconnects.
 *
 * A failure halfway breaks the connection, so that nobody takes a part for the whole.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import { type FullEntry, writeEntry } from '../../database/entries.ts';
import { breakOff } from '../../operations/listen.ts';
import { streamEntries } from '../../search/streamEntries.ts';
import { csvHeader, csvRow } from '../format/csv.ts';
import { entryJson } from '../format/entryJson.ts';
import { sendProblem, whenGone } from '../reply/reply.ts';
import { isFromOtherSite } from '../security/crossSite.ts';
import { logsUrl, searchParamsOf } from '../urls.ts';
import type { Visit } from '../visit.ts';
import { attachment, fileName } from './fileName.ts';
import { parseFilters, toEntryQuery } from './filters.ts';
import { describeEmptyRange, isEmptyRange } from './timeRange.ts';

interface Format {
  readonly name: 'csv' | 'ndjson';
  readonly type: string;
  readonly header: string;
  readonly line: (entry: FullEntry) => string;
}

const csv: Format = { name: 'csv', type: 'text/csv; charset=utf-8', header: csvHeader, line: csvRow };
const ndjson: Format = {
  name: 'ndjson',
  type: 'application/x-ndjson; charset=utf-8',
  header: '',
  line: (entry) => `${entryJson(entry)}\n`,
};

export const downloadCsv = (visit: Visit): Promise<void> => download(visit, csv);
export const downloadNdjson = (visit: Visit): Promise<void> => download(visit, ndjson);

async function download(visit: Visit, format: Format): Promise<void> {
  const { request, response, organization, viewer, context } = visit;
  if (isFromOtherSite(request)) {
    // The download would be recorded as theirs and count towards their hourly limit.
    sendProblem(request, response, 403, {
      title: 'This request came from another site',
      message:
        'A link on another site asked for a download in your name, so nothing was read. Choose Download on this page instead.',
      link: { url: logsUrl(organization), text: 'All entries' },
    });
    return;
  }
  const { filters, problems } = parseFilters(searchParamsOf(request));
  const empty = isEmptyRange(filters.time)
    ? [`This range is empty. ${describeEmptyRange(filters.time)}`]
    : [];
  if (problems.length + empty.length > 0) {
    // Without the bad filter the file would hold more than was asked for, and nobody would notice.
    sendProblem(request, response, 400, {
      title: 'This filter cannot be downloaded',
      message: [...problems, ...empty].join(' '),
    });
    return;
  }
  const now = new Date();
  if (request.method === 'HEAD') {
    setHeaders(response, format, fileName(organization, now, format.name));
    response.end();
    return;
  }
  const query = toEntryQuery(filters, organization, now);
  const signal = whenGone(response);
  // Written after the download was requested, this entry is not part of it.
  const own = { id: '' };
  const chunks = toChunks(format, streamEntries(context.db, query, { signal }), (id) => id === own.id);
  try {
    // Only a download that begins is recorded, before its first byte. A failure until then is answered with a page.
    const first = await chunks.next();
    signal.throwIfAborted();
    own.id = await writeEntry(context.db, {
      organization,
      eventType: 'audit_logs.exported',
      actorId: viewer.id,
      actorName: viewer.name,
      sessionType: 'user',
      project: null,
      metadata: { format: format.name, filter: { ...query, organization: undefined } },
    });
    setHeaders(response, format, fileName(organization, now, format.name));
    // Nobody has read for long. Node alone would end the connection.
    response.once('timeout', () => breakOff(response));
    await pipeline(Readable.from(orBreakOff(response, startingWith(first, chunks))), response, { signal });
  } catch (error) {
    if (signal.aborted) return;
    if (!response.headersSent) throw error;
    context.log.error({ err: error }, 'page: a download failed halfway');
  }
}

function setHeaders(response: Response, { type }: Format, name: string): void {
  response.set({ 'Content-Type': type, 'Content-Disposition': attachment(name) });
}

const chunkCharacters = 65_536;
/** A search that finds little still shows progress. */
const chunkMs = 1_000;

/** Joins lines into chunks that are worth a write. */
async function* toChunks(
  format: Format,
  entries: AsyncIterable<FullEntry>,
  isLeftOut: (id: string) => boolean,
): AsyncGenerator<string, void, undefined> {
  let chunk = format.header;
  let yieldedAt = performance.now();
  for await (const entry of entries) {
    if (isLeftOut(entry.id)) continue;
    chunk += format.line(entry);
    if (chunk.length >= chunkCharacters || performance.now() - yieldedAt >= chunkMs) {
      yield chunk;
      chunk = '';
      yieldedAt = performance.now();
    }
  }
  if (chunk !== '') yield chunk;
}

async function* startingWith(
  first: IteratorResult<string, void>,
  rest: AsyncIterable<string>,
): AsyncGenerator<string, void, undefined> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

/** Before the pipeline ends the connection as if that were all. */
async function* orBreakOff(
  response: Response,
  chunks: AsyncIterable<string>,
): AsyncGenerator<string, void, undefined> {
  try {
    yield* chunks;
  } catch (error) {
    breakOff(response);
    throw error;
  }
}
