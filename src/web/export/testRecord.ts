/** One record that is not an entry, to try a destination with: the usual encoder makes it, and it is marked. */
import { randomUUID } from 'node:crypto';
import type { Entry } from '../../model/entry.ts';
import { RequestWriter } from '../../otlp/encode/request.ts';
import type { Viewer } from '../visit.ts';

const testEventType = 'audit_export.test';

export interface TestRecordInput {
  readonly serviceName: string;
  readonly version: string;
  readonly organization: string;
  readonly viewer: Pick<Viewer, 'id' | 'name'>;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

/**
 * An ExportLogsServiceRequest of one record: attribute `audit.test` = true, stream `test`, entry 0, sequence number 0. Its
 * uid is new each time, so that no receiver takes a second test for a repeat.
 */
export function makeTestRequest(input: TestRecordInput): Uint8Array {
  const { serviceName, version, organization, viewer, now } = input;
  const writer = new RequestWriter(
    { serviceName, organization, version, streamId: 'test', isTest: true },
    initialBytes,
  );
  const entry = makeTestEntry({ viewer, now });
  writer.append(entry, { sequence: 0, observedAtMicros: entry.occurredAtMicros });
  return writer.request();
}

/** What the test record says, as if it were an entry. */
export function makeTestEntry({ viewer, now }: Pick<TestRecordInput, 'viewer' | 'now'>): Entry {
  const message = 'This is a test of the audit export. It is not an audit entry.';
  return {
    xid: 0n,
    id: 0n,
    uid: Buffer.from(randomUUID().replaceAll('-', ''), 'hex'),
    eventType: Buffer.from(testEventType),
    actorId: Buffer.from(viewer.id),
    actorName: viewer.name === null ? null : Buffer.from(viewer.name),
    sessionType: Buffer.from('user'),
    project: null,
    metadata: Buffer.from(JSON.stringify({ message, sentBy: viewer.name ?? viewer.id })),
    occurredAtMicros: now * 1_000,
  };
}

const initialBytes = 4_096;
