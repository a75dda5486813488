/** Real events, written by SQL, sent by the collector's process, taken and forwarded by a real OpenTelemetry Collector. */
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { isToolMissing, provideTool, toolTimeoutMs } from '../tools/build.ts';
import { makeCertificateAuthority } from '../tools/certificates.ts';
import { startCollector } from '../tools/collector.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, migrateDatabase, numbered } from '../tools/database.ts';
import { makeDestination } from '../tools/destination.ts';
import { startGrpcReceiver } from '../tools/grpcReceiver.ts';
import { usePostgres } from '../tools/postgres.ts';
import type { ReceivedRecord } from '../tools/receiver.ts';
import { setUp } from '../tools/setUp.ts';
import { openTransport, send } from '../transport/loopback.ts';
import { cloudTrailCount, isCloudTrailMissing, loadCloudTrail } from './cloudTrail.ts';
import { spell } from './readJson.ts';

describe.skipIf(isToolMissing('otelcol') || isCloudTrailMissing())('the OpenTelemetry Collector', () => {
  const postgres = usePostgres({ prepare: migrateDatabase });
  beforeAll(() => provideTool('otelcol').then(() => {}), toolTimeoutMs);

  test('has each answer of its over TLS counted, however soon it comes', async () => {
    const authority = makeCertificateAuthority();
    const host = await startGrpcReceiver(authority);
    const tls = { ca: authority.cert, insecureSkipVerify: false };
    const destination = makeDestination(`https://${host}:4318/v1/logs`, { tls });
    const transport = openTransport();
    for (let n = 0; n < 60; n++) {
      expect(await send(transport, destination, new Uint8Array())).toMatchObject({ status: 200 });
    }
  });

  test('has every one of 2,900 real events, once, with every value as it was written', {
    timeout: 60_000,
  }, async () => {
    const { url, db, receiver } = await setUp(postgres);
    const entries = await loadCloudTrail(db);
    expect(entries).toHaveLength(cloudTrailCount);
    await insertEntries(db, numbered(40, { organization: 'neighbour' }));
    const collector = await startCollector({ forwardTo: receiver.endpoint });
    onTestFinished(() => collector.stop());

    const audit = await makeCollectorProcess(url);
    const organizations = [...new Set(entries.map((entry) => entry.organization)), 'neighbour'];
    for (const [n, organization] of organizations.entries()) {
      await audit.writeConfig(`org-${organization}`, {
        organization,
        compression: n % 2 === 0 ? 'gzip' : 'zstd',
        endpoint: collector.endpoint,
        startFrom: 'Beginning',
      });
    }
    audit.start();
    for (const organization of organizations) {
      const status = await audit.waitForStatus(
        `org-${organization}`,
        (s) => s.pendingEntries === 0 && (s.deliveredEntries ?? 0) > 0,
      );
      expect(status).toMatchObject({ parkedEntries: 0, conditions: [{ type: 'Ready', status: 'True' }] });
      expect(status.deliveredEntries).toBe(
        organization === 'neighbour'
          ? 40
          : entries.filter((entry) => entry.organization === organization).length,
      );
    }

    expect(receiver.problems).toEqual([]);
    const received = new Map<string, { organization: string; record: ReceivedRecord }>();
    for (const { resource, scope, records } of receiver.requests) {
      expect(scope.name).toBe('audit-export');
      expect(resource.get('service.name')).toBe('audit-export');
      for (const record of records)
        received.set(record.uid, { organization: String(resource.get('audit.organization.id')), record });
    }
    expect(receiver.records).toHaveLength(cloudTrailCount + 40);
    expect(received.size).toBe(cloudTrailCount + 40);

    for (const entry of entries) {
      const { organization, record } = received.get(entry.uid) ?? {};
      expect(organization).toBe(entry.organization);
      expect(record?.eventName).toBe(entry.eventType);
      expect(record?.timeUnixNano).toBe(entry.timeUnixNano);
      expect(record?.severityNumber).toBe(9);
      expect(Object.fromEntries(record?.attributes ?? [])).toEqual({
        'log.record.uid': entry.uid,
        'audit.stream.id': expect.any(String),
        'audit.sequence.number': expect.any(BigInt),
        'audit.entry.id': entry.id,
        'audit.event.type': entry.eventType,
        'user.id': entry.actorId,
        'user.name': entry.actorName,
        'audit.session.type': entry.sessionType,
        ...(entry.project !== null && { 'audit.project.id': entry.project }),
      });
      expect(spell(record?.body ?? null)).toBe(spell(entry.metadata));
    }
    for (const organization of organizations) {
      const streams = [...received.values()].filter((one) => one.organization === organization);
      const id = String(streams[0]?.record.attributes.get('audit.stream.id'));
      expect(receiver.ledger.missingSequences(id)).toEqual([]);
      expect(receiver.ledger.sightings(id).size).toBe(streams.length);
    }
  });
});
