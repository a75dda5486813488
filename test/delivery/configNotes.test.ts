/** Changes of configs by kubectl, pipelines and files become audit entries, each once. */
import { expect, onTestFinished, test } from 'vitest';
import { parseManifest } from '../../src/configs/parseManifest.ts';
import { toExportSpec } from '../../src/configs/toExportSpec.ts';
import { listNotedKeys, noteConfig, noteDeletion } from '../../src/database/configChanges.ts';
import { writeEntry } from '../../src/database/entries.ts';
import type { Database } from '../../src/database/pool.ts';
import { ensureStreams } from '../../src/database/streams.ts';
import { ConfigNotes, type NotedConfig } from '../../src/delivery/configNotes.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { migrateDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const scope = 'kubernetes test *';
const key = 'uid-1';

function makeFields(spec: Record<string, unknown> = {}) {
  const parsed = parseManifest({
    apiVersion: 'auditexport.dev/v1',
    kind: 'AuditExportConfig',
    metadata: { name: 'siem', namespace: 'flows' },
    spec: { organization: 'acme', endpoint: 'https://otel.example.com', ...spec },
  });
  if (!parsed.ok) throw new Error(parsed.problems.join());
  return toExportSpec(parsed.manifest.spec);
}

function makeNote(spec: Record<string, unknown> = {}, generation: number | null = 1) {
  const fields = makeFields(spec).shown ?? {};
  return { configKey: key, organization: 'acme', destination: 'flows.siem', scope, generation, fields };
}

async function readNotes(db: Database) {
  const result = await db.query<{ event_type: string; metadata: Record<string, unknown> }>(
    `select event_type, metadata from audit.entries where event_type like 'audit\\_export.config%' order by id`,
  );
  return result.rows;
}

async function makeStream(db: Database) {
  await ensureStreams(db, [{ configKey: key, organization: 'acme', startFrom: { kind: 'now' } }]);
}

const secret = { headers: [{ name: 'X-Token', value: 'geheim' }] };

test('a config is told when it is made, changed and deleted, with the fields and without a secret', async () => {
  const { db } = await setUp(postgres);
  expect(await noteConfig(db, makeNote())).toBe(false);
  await makeStream(db);
  expect(await noteConfig(db, makeNote(secret))).toBe(true);
  const filter = { eventTypes: ['flow.*'] };
  const changed = { headers: [{ name: 'X-Token', value: 'other' }], filter, suspend: true };
  expect(await noteConfig(db, makeNote(changed, 2))).toBe(true);
  await noteDeletion(db, key);
  await noteDeletion(db, key);
  const notes = await readNotes(db);
  expect(notes).toMatchObject([
    {
      event_type: 'audit_export.config_created',
      metadata: {
        destination: 'flows.siem',
        source: 'kubernetes',
        changes: { endpoint: { from: null, to: 'https://otel.example.com' } },
      },
    },
    {
      event_type: 'audit_export.config_changed',
      metadata: {
        changed: expect.arrayContaining(['headers.X-Token (value)', 'suspend', 'filter.eventTypes']),
        changes: { suspend: { from: false, to: true }, 'filter.eventTypes': { from: [], to: ['flow.*'] } },
      },
    },
    { event_type: 'audit_export.config_deleted', metadata: { destination: 'flows.siem' } },
  ]);
  expect(notes[1]?.metadata['changed']).toHaveLength(3);
  expect(JSON.stringify(notes)).not.toContain('geheim');
  expect(Object.keys(notes[1]?.metadata['changes'] as object)).toHaveLength(2);
});

test('a config that is deleted does not fail any more, and one that is changed still does', async () => {
  const { db } = await setUp(postgres);
  await makeStream(db);
  await noteConfig(db, makeNote());
  const outage = { since: '2026-11-24T16:29:40.246Z', told: 0, toldSince: null };
  await db.query('update audit.streams set outage = $1', [outage]);
  await noteConfig(db, makeNote({ suspend: true }, 2));
  const read = async () => (await db.query('select outage from audit.streams')).rows;
  expect(await read()).toEqual([{ outage }]);
  await noteDeletion(db, key);
  expect(await read()).toEqual([{ outage: null }]);
});

test('many replicas that see the same change tell it once, and one that is behind tells nothing', async () => {
  const { db } = await setUp(postgres);
  await makeStream(db);
  await Promise.all(Array.from({ length: 8 }, () => noteConfig(db, makeNote({}, 1))));
  await Promise.all(Array.from({ length: 8 }, () => noteConfig(db, makeNote({ suspend: true }, 2))));
  await noteConfig(db, makeNote({}, 1));
  await Promise.all(Array.from({ length: 8 }, () => noteDeletion(db, key)));
  expect((await readNotes(db)).map(({ event_type }) => event_type)).toEqual([
    'audit_export.config_created',
    'audit_export.config_changed',
    'audit_export.config_deleted',
  ]);
});

test('what the page has recorded is not told again; what somebody else did besides is', async () => {
  const { db } = await setUp(postgres);
  const record = (action: string, metadata: Record<string, unknown>) =>
    writeEntry(db, {
      organization: 'acme',
      eventType: `audit_export.${action}`,
      actorId: 'u',
      actorName: 'Ada',
      sessionType: 'user',
      project: null,
      metadata: { destination: 'flows.siem', ...metadata },
    });
  await makeStream(db);
  const note = makeNote(secret);
  const shown = Object.entries(note.fields);
  await record('created', {
    changed: shown.map(([name]) => name),
    changes: Object.fromEntries(shown.map(([name, to]) => [name, { from: null, to }])),
  });
  await noteConfig(db, note);
  const suspended = { suspend: { from: false, to: true } };
  await record('suspended', { changed: ['suspend'], changes: suspended });
  await noteConfig(db, makeNote({ ...secret, suspend: true }, 2));
  expect(await readNotes(db)).toEqual([]);
  // At the same moment by kubectl: another value of the same header.
  await record('updated', { changed: ['timeoutSeconds'], changes: { timeoutSeconds: { from: 10, to: 20 } } });
  const other = { headers: [{ name: 'X-Token', value: 'other' }], suspend: true, timeoutSeconds: 20 };
  await noteConfig(db, makeNote(other, 3));
  expect(await readNotes(db)).toMatchObject([
    { metadata: { changed: expect.arrayContaining(['headers.X-Token (value)']) } },
  ]);
  await record('deleted', {});
  await noteDeletion(db, key);
  expect(await readNotes(db)).toHaveLength(1);
});

test.each([
  [
    'an endpoint with a query',
    { endpoint: 'https://otel.example.com/logs?token=geheim' },
    { endpoint: { from: 'https://otel.example.com', to: 'https://otel.example.com/logs?…' } },
  ],
  [
    'the name of a header in other letters',
    { headers: [{ name: 'x-token', value: 'geheim' }] },
    { headers: { from: ['X-Token'], to: ['x-token'] } },
  ],
])('what the page has recorded is not told again: %s', async (_what, spec, changes) => {
  const { db } = await setUp(postgres);
  await makeStream(db);
  await noteConfig(db, makeNote(secret));
  const before = await readNotes(db);
  await writeEntry(db, {
    organization: 'acme',
    eventType: 'audit_export.updated',
    actorId: 'u',
    actorName: 'Ada',
    sessionType: 'user',
    project: null,
    metadata: { destination: 'flows.siem', changed: Object.keys(changes), changes },
  });
  await noteConfig(db, makeNote({ ...secret, ...spec }, 2));
  expect(await readNotes(db)).toEqual(before);
  const another = { ...secret, ...spec, endpoint: 'https://other.example.com/logs?token=geheim' };
  await noteConfig(db, makeNote(another, 3));
  expect((await readNotes(db)).at(-1)).toMatchObject({
    event_type: 'audit_export.config_changed',
    metadata: { changed: expect.arrayContaining(['endpoint']) },
  });
});

test.each([
  ['of the same key, as files have it', key],
  ['of another key, as a cluster has it', 'uid-2'],
])(
  'what the page did to a destination excuses nothing that is done to the next of its name: %s',
  async (_what, next) => {
    const { db } = await setUp(postgres);
    const note = makeNote();
    const record = (action: string) =>
      writeEntry(db, {
        organization: 'acme',
        eventType: `audit_export.${action}`,
        actorId: 'u',
        actorName: 'Ada',
        sessionType: 'user',
        project: null,
        metadata: {
          destination: 'flows.siem',
          changed: Object.keys(note.fields),
          changes: Object.fromEntries(Object.entries(note.fields).map(([name, to]) => [name, { to }])),
        },
      });
    const make = (configKey: string) =>
      ensureStreams(db, [{ configKey, organization: 'acme', startFrom: { kind: 'now' } }]);
    await make(key);
    await record('created');
    await noteConfig(db, note);
    await record('deleted');
    await noteDeletion(db, key);
    expect(await readNotes(db)).toEqual([]);
    await make(next);
    await noteConfig(db, { ...note, configKey: next });
    await noteDeletion(db, next);
    expect((await readNotes(db)).map(({ event_type }) => event_type)).toEqual([
      'audit_export.config_created',
      'audit_export.config_deleted',
    ]);
  },
);

test('what the page did and took back excuses nobody who does the same later', async () => {
  const { db } = await setUp(postgres);
  await makeStream(db);
  await noteConfig(db, makeNote());
  for (const [action, to] of [
    ['suspended', true],
    ['resumed', false],
  ] as const) {
    await writeEntry(db, {
      organization: 'acme',
      eventType: `audit_export.${action}`,
      actorId: 'u',
      actorName: 'Ada',
      sessionType: 'user',
      project: null,
      metadata: {
        destination: 'flows.siem',
        changed: ['suspend'],
        changes: { suspend: { from: !to, to } },
      },
    });
  }
  const before = await readNotes(db);
  await noteConfig(db, makeNote({}, 3));
  expect(await readNotes(db)).toEqual(before);
  await noteConfig(db, makeNote({ suspend: true }, 4));
  await noteConfig(db, makeNote({ suspend: false }, 5));
  expect((await readNotes(db)).slice(before.length)).toMatchObject([
    { metadata: { changes: { suspend: { from: false, to: true } } } },
    { metadata: { changes: { suspend: { from: true, to: false } } } },
  ]);
});

test('streams from before are noted without an entry', async () => {
  const { db } = await setUp(postgres);
  await makeStream(db);
  await db.query('update audit.streams set config = null');
  await noteConfig(db, makeNote());
  expect(await readNotes(db)).toEqual([]);
  await noteConfig(db, makeNote({ suspend: true }, 2));
  expect(await readNotes(db)).toHaveLength(1);
});

test('a restart tells nothing twice, and what was deleted meanwhile, but not where another place has it', async () => {
  const { db } = await setUp(postgres);
  const log = makeLogger({ level: 'error', destination: { write: () => {} } });
  const start = (configs: ReadonlyMap<string, NotedConfig | null>, from = scope) => {
    const notes = new ConfigNotes({ db, log, scope: from, delayMs: 10 });
    onTestFinished(() => notes.stop());
    notes.set(configs);
    notes.start();
    return notes;
  };
  const config = { namespace: 'flows', name: 'siem', generation: 1, spec: makeFields() };
  const first = start(new Map([[key, config]]));
  // The stream comes later than the config.
  await makeStream(db);
  await waitFor(async () => (await readNotes(db)).length === 1);
  await first.stop();
  const second = start(new Map([[key, { ...config, spec: makeFields() }]]));
  await waitFor(async () => (await listNotedKeys(db, scope)).length === 1);
  // Not in force is not gone.
  second.set(new Map([[key, null]]));
  await second.stop();
  await start(new Map(), 'kubernetes other *').stop();
  expect(await readNotes(db)).toHaveLength(1);
  start(new Map());
  await waitFor(async () => (await readNotes(db)).length === 2);
  expect((await readNotes(db))[1]?.event_type).toBe('audit_export.config_deleted');
});
