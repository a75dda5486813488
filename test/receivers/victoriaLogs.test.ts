/**
 * Real events in a real VictoriaLogs, read back by LogsQL.
 *
 * What it keeps of a structured body, as seen in v1.52: a field for each leaf, named by the path of its keys joined by
 * dots; an array as one field of JSON text; numbers and booleans as text. Of null, "" and {} it keeps nothing, as for
 * it an empty field is an absent one.
 */
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { gapQueries } from '../../src/web/export/gapQueries.ts';
import type { AnyValue } from '../../tools/otlp/otlpProto.ts';
import { isToolMissing, provideTool, toolTimeoutMs } from '../tools/build.ts';
import { migrateDatabase, openDatabase } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startVictoriaLogs } from '../tools/victoriaLogs.ts';
import { cloudTrailCount, isCloudTrailMissing, loadCloudTrail, type RealEntry } from './cloudTrail.ts';
import { readJson, spell } from './readJson.ts';

/** Fields that VictoriaLogs adds, and those that differ from run to run. */
const notCompared = [
  '_msg',
  '_stream',
  '_stream_id',
  'audit.sequence.number',
  'audit.stream.id',
  'scope.name',
  'scope.version',
];

describe.skipIf(isToolMissing('victoria-logs') || isCloudTrailMissing())('VictoriaLogs', () => {
  const postgres = usePostgres({ prepare: migrateDatabase });
  beforeAll(() => provideTool('victoria-logs').then(() => {}), toolTimeoutMs);

  test('keeps every one of 2,900 real events, once, with every value as it was written', {
    timeout: 60_000,
  }, async () => {
    const db = openDatabase(await postgres.createDatabase());
    onTestFinished(() => db.end());
    const entries = await loadCloudTrail(db);
    const victoriaLogs = await startVictoriaLogs();
    onTestFinished(() => victoriaLogs.stop());
    const engine = await startEngine(db);
    const organizations = [...new Set(entries.map((entry) => entry.organization))];
    engine.setConfigs(
      ...organizations.map((organization) =>
        makeConfig(victoriaLogs.endpoint, { key: `test/${organization}`, organization }),
      ),
    );
    for (const organization of organizations) {
      const { delivered, parked, rejected } = await engine.waitForIdle(`test/${organization}`);
      expect({ delivered, parked, rejected }).toEqual({
        delivered: entries.filter((entry) => entry.organization === organization).length,
        parked: 0,
        rejected: 0,
      });
    }

    const rows = await victoriaLogs.query('*');
    expect(rows).toHaveLength(cloudTrailCount);
    const byUid = new Map(rows.map((row) => [row['log.record.uid'], row]));
    expect(byUid.size).toBe(cloudTrailCount);
    const sequences = rows.map((row) => `${row['audit.stream.id']} ${row['audit.sequence.number']}`);
    expect(new Set(sequences).size).toBe(cloudTrailCount);

    let leaves = 0;
    for (const entry of entries) {
      const row = { ...byUid.get(entry.uid) };
      for (const field of notCompared) delete row[field];
      const expected = toFields(entry);
      // Both sides in one order of keys inside arrays, and of fields.
      expect(sortFields(row)).toEqual(sortFields(expected));
      leaves += Object.keys(expected).length;
    }
    // Real events have some twenty leaves each; a flattening that finds none would agree with everything.
    expect(leaves).toBeGreaterThan(cloudTrailCount * 30);

    // What a person would search for is found, by exact value.
    const wanted = entries.at(-1);
    const eventId = wanted?.metadata instanceof Map ? wanted.metadata.get('eventID') : undefined;
    const found = await victoriaLogs.query(`eventID:="${eventId}"`);
    expect(found.map((row) => row['log.record.uid'])).toEqual([wanted?.uid]);

    // The query for gaps and repeats, as the page and docs/receivers.md have it.
    const [gaps] = gapQueries;
    for (const organization of organizations) {
      const count = String(entries.filter((entry) => entry.organization === organization).length);
      const [one] = await victoriaLogs.query(
        `{audit.organization.id=${JSON.stringify(organization)}} | limit 1`,
      );
      const stream = String(one?.['audit.stream.id']);
      expect(await victoriaLogs.query(gaps?.query(stream, organization) ?? '')).toEqual([
        { 'audit.stream.id': stream, numbers: count, highest: count, records: count },
      ]);
    }
  });
});

function toFields(entry: RealEntry): Record<string, string> {
  const fields: Record<string, string> = {
    _time: toRfc3339(entry.timeUnixNano),
    'service.name': 'audit-export',
    'audit.organization.id': entry.organization,
    severity_number: '9',
    severity_text: 'Info',
    event_name: entry.eventType,
    'log.record.uid': entry.uid,
    'audit.entry.id': String(entry.id),
    'audit.event.type': entry.eventType,
    'audit.session.type': entry.sessionType,
    'user.id': entry.actorId,
    'user.name': entry.actorName,
    ...(entry.project !== null && { 'audit.project.id': entry.project }),
  };
  flatten(fields, '', entry.metadata);
  return fields;
}

function flatten(fields: Record<string, string>, path: string, value: AnyValue): void {
  if (value === null || value === '') return;
  if (value instanceof Map) {
    for (const [key, member] of value) flatten(fields, path === '' ? key : `${path}.${key}`, member);
  } else if (path in fields) {
    throw new Error(`Two values have the path ${path}: this flattening cannot tell which one is kept.`);
  } else {
    fields[path] = Array.isArray(value) ? spell(value) : String(value);
  }
}

/** Arrays come as JSON text: read, so that only values count and not white space or the order of keys. */
function sortFields(fields: Readonly<Record<string, string>>): string[] {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value.startsWith('[') ? spellText(value) : value}`)
    .sort();
}

function spellText(value: string): string {
  try {
    return spell(readJson(value));
  } catch {
    return value; // a text that begins with a bracket, or one that is spelled already
  }
}

/** As VictoriaLogs prints it: no zeros at the end of the fraction. */
function toRfc3339(nanos: bigint): string {
  const seconds = new Date(Number(nanos / 1_000_000_000n) * 1_000).toISOString().slice(0, 19);
  const fraction = String(nanos % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`;
}
