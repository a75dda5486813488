/** The button "Show a record": an entry as this destination would send it, and a command that sends one like it. */
import { randomUUID } from 'node:crypto';
import { resolveEndpoint } from '../../../configs/destination/resolveDestination.ts';
import { type NewestEntry, readNewestEntry } from '../../../database/newestEntry.ts';
import type { Entry, StreamIdentity } from '../../../model/entry.ts';
import { requestToJson } from '../../../otlp/decode/requestJson.ts';
import { RequestWriter } from '../../../otlp/encode/request.ts';
import { fragmentTarget, isFragmentRequest, sendFragment } from '../../reply/reply.ts';
import type { RecordView } from '../../views/formViews.ts';
import type { Visit } from '../../visit.ts';
import { type ExportForm, filledHeaders } from '../exportForm.ts';
import type { StreamedConfig } from '../joinStreams.ts';
import { sayWhatIsGone, sendForm } from '../sendForm.ts';
import { makeTestEntry } from '../testRecord.ts';
import { type CurlInput, makeCurlCommand } from './curlCommand.ts';

/** Bytes of an entry's payload: its record is read, written and laid out while nobody else is served. */
const mostPayloadBytes = 256 * 1024;
const mostShownCharacters = 64 * 1024;
/** A shell takes 128 KiB in one word. */
const mostCommandCharacters = 64 * 1024;

export async function showRecord(
  visit: Visit,
  destination: StreamedConfig | null,
  form: ExportForm,
): Promise<void> {
  const newest = await readNewestEntry(visit.context.db, visit.organization, mostPayloadBytes);
  const record = makeRecordView(visit, destination, form, newest);
  if (isFragmentRequest(visit.request) && fragmentTarget(visit.request) === 'export-record') {
    sendFragment(visit, 'export/record', record);
  } else await sendForm(visit, destination, form, { record, notices: sayWhatIsGone(form) });
}

function makeRecordView(
  { context, organization, viewer }: Visit,
  destination: StreamedConfig | null,
  form: ExportForm,
  newest: NewestEntry,
): RecordView {
  const { serviceName, version } = context;
  const now = Date.now();
  const test = makeTestEntry({ viewer, now });
  const entry = newest.kind === 'read' ? newest.entry : test;
  const identity = { serviceName, organization, version };
  const stream = destination?.stream ?? null;
  const shown = encode(
    entry,
    newest.kind === 'read' ? { ...identity, streamId: stream?.streamId ?? unknownStream } : asTest(identity),
    now,
  );
  const json = JSON.stringify(shown, null, 2);
  // A copy that nobody can take for the entry, nor for a repeat of it.
  const copyOf = (original: Entry) => encode({ ...original, uid: newUid() }, asTest(identity), now);
  const place = placeOf(form, destination);
  const command = makeCurlCommand({ ...place, body: copyOf(entry) });
  const isLong = command.length > mostCommandCharacters;
  return {
    title: newest.kind === 'read' ? `Entry ${entry.id} as a record` : 'The test record',
    about: describe(newest, stream !== null),
    json: json.slice(0, mostShownCharacters),
    cut:
      json.length > mostShownCharacters
        ? `The first ${mostShownCharacters / 1024} Ki characters of ${json.length.toLocaleString('en')} are shown.`
        : '',
    command: isLong ? makeCurlCommand({ ...place, body: copyOf(test) }) : command,
    commandAbout: `${isLong ? 'The record above is too large for a command, so it posts the test record. ' : ''}${commandAbout}`,
  };
}

const unknownStream = '(given when the destination is added)';

const commandAbout =
  'Set each variable to the value of its header. The copy has audit.test, the stream “test” and a uid of its own, so that the receiver never takes it for an entry. The collector sends the same in protobuf; a few receivers take no JSON.';

function describe(newest: NewestEntry, hasStream: boolean): string {
  switch (newest.kind) {
    case 'none':
      return 'There is no entry yet.';
    case 'too-large':
      return `The newest entry, ${newest.id}, is too large to show here.`;
    case 'read':
      return `The newest entry, whatever the filter says. Its number (audit.sequence.number, shown as 0), its observed time${hasStream ? '' : ' and its stream'} are set when it is sent; everything else is just as sent.`;
  }
}

function asTest(identity: Omit<StreamIdentity, 'streamId'>): StreamIdentity {
  return { ...identity, streamId: 'test', isTest: true };
}

function newUid(): Uint8Array {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex');
}

/** What the encoder writes, read back. */
function encode(entry: Entry, identity: StreamIdentity, now: number): unknown {
  const writer = new RequestWriter(identity, initialBytes);
  writer.append(entry, { sequence: 0, observedAtMicros: now * 1_000 });
  return requestToJson(writer.request());
}

const initialBytes = 4_096;

/** Where the form, with what is stored beside it, sends to. */
function placeOf(form: ExportForm, destination: StreamedConfig | null): Omit<CurlInput, 'body'> {
  const { values } = form;
  const has = (path: 'tls.caSecretRef' | 'tls.clientCertSecretRef') =>
    values[path] !== '' || (destination?.config.spec[path] === true && values[`${path}.remove`] !== 'true');
  return {
    url: readUrl(values.endpoint),
    headers: filledHeaders(form).flatMap(({ name }) => (name === '' ? [] : [name])),
    tls: {
      isUnverified: values['tls.insecureSkipVerify'] === 'true',
      hasCa: has('tls.caSecretRef'),
      hasClientCert: has('tls.clientCertSecretRef'),
    },
  };
}

function readUrl(endpoint: string): URL | null {
  return /^https?:\/\/[^<>]+$/i.test(endpoint) && URL.canParse(endpoint) ? resolveEndpoint(endpoint) : null;
}
