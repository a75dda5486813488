/** The real parts that other suites lean on, each shown to work by one record or one row. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isToolMissing, toolTimeoutMs } from './tools/build.ts';
import { type Collector, startCollector } from './tools/collector.ts';
import { hasSystemPostgres, startTestPostgres, usePostgres } from './tools/postgres.ts';
import { findClientProgram, findSecondMajorVersion } from './tools/postgresInstallations.ts';
import { type Receiver, startReceiver } from './tools/receiver.ts';
import { startVictoriaLogs, type VictoriaLogs } from './tools/victoriaLogs.ts';

/** 2^63 - 1: what a receiver that goes through doubles would change. */
const largest = 9_223_372_036_854_775_807n;
const uid = '0198e2f4-0000-4000-8000-000000000001';

describe.skipIf(isToolMissing('otelcol'))('the OpenTelemetry Collector', () => {
  let receiver: Receiver;
  let collector: Collector;
  beforeAll(async () => {
    receiver = await startReceiver();
    collector = await startCollector({ forwardTo: receiver.endpoint });
  }, toolTimeoutMs);
  afterAll(async () => {
    await collector?.stop();
    await receiver?.stop();
  });

  it('forwards a record exactly, and answers once the receiver has it', async () => {
    const response = await post(collector.endpoint, handMadeRequest());
    expect(response.status).toBe(200);
    expect(receiver.problems).toEqual([]);
    const [record] = receiver.records;
    expect(record?.uid).toBe(uid);
    expect(record?.eventName).toBe('flow.created');
    expect(record?.timeUnixNano).toBe(1_700_000_000_123_456_000n);
    expect(record?.body).toEqual(new Map<string, unknown>([['flowId', largest]]));
    expect(record?.attributes.get('audit.sequence.number')).toBe(1n);
  });
});

describe.skipIf(isToolMissing('victoria-logs'))('VictoriaLogs', () => {
  let victoriaLogs: VictoriaLogs;
  beforeAll(async () => {
    victoriaLogs = await startVictoriaLogs();
  }, toolTimeoutMs);
  afterAll(() => victoriaLogs?.stop());

  it('stores a record and returns it', async () => {
    const response = await post(victoriaLogs.endpoint, handMadeRequest());
    expect(response.status).toBe(200);
    const rows = await victoriaLogs.query(`"log.record.uid":="${uid}"`);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.['audit.sequence.number']).toBe('1');
    expect(JSON.stringify(rows[0])).toContain(String(largest));
  });
});

describe.each([
  { which: 'embedded' as const, isThere: true },
  { which: 'system' as const, isThere: await hasSystemPostgres() },
])('the $which Postgres', ({ which, isThere }) => {
  describe.skipIf(!isThere)('runs', () => {
    const postgres = usePostgres({
      which,
      prepare: async (url) => {
        await query(url, 'create table word (text text)');
      },
    });

    it('copies each database from the prepared one', async () => {
      const [one, other] = [await postgres.createDatabase(), await postgres.createDatabase()];
      await query(one, "insert into word values ('only here')");
      expect(await query(one, 'select text from word')).toEqual([{ text: 'only here' }]);
      expect(await query(other, 'select text from word')).toEqual([]);
    });

    it.each(['fast', 'immediate'] as const)(
      'keeps what was committed over a restart after a %s stop',
      async (mode) => {
        const url = await postgres.createDatabase();
        await query(url, "insert into word values ('kept')");
        await postgres.server.restart(mode);
        expect(await query(url, 'select text from word')).toEqual([{ text: 'kept' }]);
      },
    );

    it('is the version it says, in UTF-8', async () => {
      const [row] = await query(
        postgres.server.url,
        "select current_setting('server_version_num')::int / 10000 as major, current_setting('server_encoding') as encoding",
      );
      expect(row).toEqual({ major: postgres.server.majorVersion, encoding: 'UTF8' });
    });
  });
});

const second = await findSecondMajorVersion();
const pgDump = second && (await findClientProgram('pg_dump', second.majorVersion));
it.skipIf(pgDump === undefined)('moves a database to another cluster by pg_dump', async () => {
  const [from, to] = await Promise.all([startTestPostgres('system'), startTestPostgres('system')]);
  try {
    await query(from.url, "create table word as select 'moved' as text");
    const { stdout } = await promisify(execFile)(pgDump ?? '', ['--inserts', from.url]);
    // Lines that psql alone understands.
    await query(to.url, stdout.replaceAll(/^\\.*$/gm, ''));
    expect(await query(to.url, 'select text from public.word')).toEqual([{ text: 'moved' }]);
  } finally {
    await Promise.all([from.remove(), to.remove()]);
  }
});

async function query(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function post(url: string, body: Uint8Array): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: new Uint8Array(body),
  });
}

/** Field by field from opentelemetry-proto, so that it owes nothing to the encoder. */
function handMadeRequest(): Uint8Array {
  const record = protobuf.Writer.create();
  record.uint32(9).fixed64('1700000000123456000'); // time_unix_nano
  record.uint32(16).int32(9); // severity_number
  record.uint32(42).bytes(
    message(
      50,
      message(
        10,
        keyValue('flowId', (value) => value.uint32(24).int64(String(largest))),
      ),
    ),
  ); // body
  record.uint32(50).bytes(keyValue('log.record.uid', (value) => value.uint32(10).string(uid)));
  record.uint32(50).bytes(keyValue('audit.sequence.number', (value) => value.uint32(24).int64(1)));
  record.uint32(98).string('flow.created'); // event_name
  return message(10, message(18, message(18, record.finish())));
}

function keyValue(key: string, write: (value: protobuf.Writer) => protobuf.Writer): Uint8Array {
  return protobuf.Writer.create()
    .uint32(10)
    .string(key)
    .uint32(18)
    .bytes(write(protobuf.Writer.create()).finish())
    .finish();
}

function message(tag: number, content: Uint8Array): Uint8Array {
  return protobuf.Writer.create().uint32(tag).bytes(content).finish();
}
