/** `verify` as people run it: a copy that a real Collector wrote, against a ledger built by the product's own modules. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isToolMissing, provideTool, toolTimeoutMs } from '../tools/build.ts';
import { type LedgerFolder, leavesOf, signCheckpoint, writeLedger } from '../tools/ledgerFolder.ts';
import { runVerify, type VerifyResult } from './runVerify.ts';
import { archiveByCollector, makeBrokenText, makeEntries } from './sealedCopies.ts';

const entries = makeEntries();
entries.push(makeBrokenText(entries.length + 1));
const total = entries.length;
const shown = total.toLocaleString('en-US');

interface OtlpRecord {
  body?: unknown;
  eventName?: string;
  attributes: Array<{ key: string; value: Record<string, unknown> }>;
}

let folder: string;
let ledger: LedgerFolder;
let lines: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-export-verify-'));
  ledger = await writeLedger(folder, leavesOf(entries));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the command on files of these contents. */
async function verify(
  contents: ReadonlyArray<string | Uint8Array>,
  ...options: string[]
): Promise<VerifyResult> {
  const files = contents.map((_, at) => join(folder, `copy-${at + 1}.jsonl`));
  await Promise.all(files.map((file, at) => writeFile(file, contents[at] ?? '')));
  const trusted = ['--ledger', folder, '--public-key', ledger.publicKey];
  return runVerify([...files, ...trusted, ...options]);
}

describe.skipIf(isToolMissing('otelcol'))('a copy that a Collector wrote', () => {
  beforeAll(async () => {
    await provideTool('otelcol');
    lines = await archiveByCollector(entries, folder);
  }, toolTimeoutMs);

  /** The copy with every record changed by `change`; null leaves it out. */
  const rewrite = (change: (record: OtlpRecord, number: number) => OtlpRecord | null): string => {
    let number = 0;
    const changed = lines.map((line) => {
      const request = JSON.parse(line);
      for (const resource of request.resourceLogs)
        for (const scope of resource.scopeLogs)
          scope.logRecords = scope.logRecords.flatMap((record: OtlpRecord) => change(record, ++number) ?? []);
      return JSON.stringify(request);
    });
    return `${changed.join('\n')}\n`;
  };
  const attributeOf = (record: OtlpRecord, key: string) =>
    record.attributes.find((attribute) => attribute.key === key)?.value ?? {};
  const whole = (): string => `${lines.join('\n')}\n`;

  test('is proven, in any order, with repeats, in parts, compressed', async () => {
    const proven = await verify([whole()]);
    expect(proven.stdout.split('\n')).toEqual([
      expect.stringContaining(
        `Ledger ${ledger.origin}: ${shown} sealed entries, signed by ${ledger.origin}+`,
      ),
      `${join(folder, 'copy-1.jsonl')}: OTLP/JSON lines, as a Collector writes files.`,
      `${shown} records were read.`,
      `Stream directory/flows/acme-siem: the sequence 1…${shown} has no gap.`,
      `Proven: each of the ${shown} sealed entries is here as it was sealed, and nothing else is.`,
      '',
    ]);
    expect(proven.code).toBe(0);

    const half = Math.floor(lines.length / 2);
    const shuffled = [lines.slice(half).toReversed(), [...lines.slice(0, half), ...lines.slice(0, 2)]];
    const parts = shuffled.map((part) => gzipSync(`${part.join('\n')}\n`));
    const again = await verify(parts, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({
      kind: 'summary',
      exitCode: 0,
      size: total,
      records: total + 200,
      repeats: 200,
      missing: 0,
      streams: [{ stream: 'directory/flows/acme-siem', last: total, gaps: [] }],
    });
    expect(again.code).toBe(0);
  });

  test('is proven however it was spelled on the way', async () => {
    const reordered = rewrite((record) => {
      const { body, eventName: _, ...rest } = record;
      const sorted = (value: unknown): unknown => {
        if (Array.isArray(value)) return value.map(sorted);
        if (typeof value !== 'object' || value === null) return value;
        const members = Object.entries(value).map(([key, member]) => [key, sorted(member)]);
        const out = Object.fromEntries(members.toReversed());
        if (Array.isArray(out.kvlistValue?.values)) out.kvlistValue.values.reverse();
        return { ...out, unknownField: 1 };
      };
      return { ...rest, body: sorted(body), attributes: rest.attributes.toReversed() };
    });
    const { code, stdout } = await verify([reordered]);
    expect(stdout).toContain('Proven:');
    expect(code).toBe(0);
  });

  test('tells deleted, altered, replaced, slipped-in and repeated records apart', async () => {
    const uids = new Map<number, unknown>();
    const forged = rewrite((record, number) => {
      uids.set(number, attributeOf(record, 'log.record.uid')['stringValue']);
      if (number === 50) return null;
      if (number === 60) attributeOf(record, 'user.name')['stringValue'] = 'Eve';
      if (number === 70)
        attributeOf(record, 'log.record.uid')['stringValue'] = uids
          .get(70)
          ?.toString()
          .replace(/^.{8}/, 'ffffffff');
      return record;
    });
    const [first = ''] = lines;
    const repeat = JSON.parse(first);
    const [record] = repeat.resourceLogs[0].scopeLogs[0].logRecords as OtlpRecord[];
    if (record) record.body = { stringValue: 'altered' };
    repeat.resourceLogs[0].scopeLogs[0].logRecords = [record];
    const stranger = structuredClone(repeat);
    const slipped = stranger.resourceLogs[0].scopeLogs[0].logRecords[0] as OtlpRecord;
    attributeOf(slipped, 'log.record.uid')['stringValue'] = 'eeeeeeee-d9cb-469f-a165-70867728950e';
    attributeOf(slipped, 'audit.entry.id')['intValue'] = '999999';
    const { code, stdout } = await verify([
      forged,
      `${JSON.stringify(repeat)}\n${JSON.stringify(stranger)}\n`,
    ]);
    const [one, two] = [join(folder, 'copy-1.jsonl'), join(folder, 'copy-2.jsonl')];
    const nameOf = (number: number) => `Entry number ${number} (id ${number}, uid ${uids.get(number)})`;
    expect(stdout.split('\n').slice(1)).toEqual([
      `${nameOf(60)} is not as it was sealed: ${one}, line 1.`,
      `${one}: OTLP/JSON lines, as a Collector writes files.`,
      `${nameOf(1)} is not as it was sealed: ${two}, line 1; another copy of it is.`,
      `${two}: OTLP/JSON lines, as a Collector writes files.`,
      `${nameOf(50)} is missing.`,
      `${nameOf(70)} is missing, and a record with its id and another uid (${String(uids.get(70)).replace(/^.{8}/, 'ffffffff')}) is in its place: ${one}, line 1.`,
      `A record that is not sealed (id 999999, uid eeeeeeee-d9cb-469f-a165-70867728950e): ${two}, line 2. It slipped in, or is newer than the checkpoint.`,
      'Stream directory/flows/acme-siem has no record 50.',
      `${(total + 1).toLocaleString('en-US')} records were read; 1 of them repeat an entry.`,
      `Stream directory/flows/acme-siem: the sequence 1…${shown} has 1 gap.`,
      `2 of ${shown} sealed entries are not here.`,
      expect.stringMatching(/^Not proven: 6 findings\./),
      '',
    ]);
    expect(code).toBe(1);
  });

  test('of a filter is proven in part, and only when it is said to be one', async () => {
    let kept = 0;
    const filtered = rewrite((record, number) => {
      if (number % 3 !== 0) return null;
      attributeOf(record, 'audit.sequence.number')['intValue'] = String(++kept);
      return record;
    });
    const missing = (total - Math.floor(total / 3)).toLocaleString('en-US');
    const said = await verify([filtered], '--filtered');
    expect(said.stdout.split('\n').slice(3)).toEqual([
      `Stream directory/flows/acme-siem: the sequence 1…${kept.toLocaleString('en-US')} has no gap.`,
      `${missing} of ${shown} sealed entries are not here.`,
      'Proven in part. Every record here is as it was sealed. Only the table can tell whether the filter leaves out exactly the others.',
      '',
    ]);
    expect(said.code).toBe(3);
    const unsaid = await verify([filtered]);
    expect(unsaid.stdout).toContain('Entry number 1 (id 1, uid');
    expect(unsaid.code).toBe(1);
  });

  test('says that its last line is cut off, and what was in it', async () => {
    const { code, stdout } = await verify([whole().slice(0, -200)]);
    expect(stdout).toContain(`copy-1.jsonl, line ${lines.length} is cut off`);
    expect(stdout).toContain(`Entry number ${shown} (id ${total},`);
    expect(code).toBe(1);
    // What was cut off is here another time.
    const both = await verify([whole(), whole().slice(0, -200)]);
    expect(both.stdout).toContain('is cut off');
    expect(both.code).toBe(0);
  });

  test('proves nothing against a ledger that was altered, of another key or of another origin', async () => {
    const bundle = join(folder, 'tile/entries/000');
    const good = await readFile(bundle);
    const bad = Buffer.from(good);
    bad[100] = (bad[100] ?? 0) ^ 1;
    await writeFile(bundle, bad);
    const altered = await verify([whole()]);
    await writeFile(bundle, good);
    expect(altered.stdout).toMatch(/do not give the root that was signed/);
    const elsewhere = await verify([whole()], '--origin', 'another/ledger');
    expect(elsewhere.stdout).toContain('is of another ledger');
    const strangers = (await writeLedger(join(folder, 'other'), ledger.leaves)).publicKey;
    const files = [join(folder, 'copy-1.jsonl'), '--ledger', folder, '--public-key', strangers];
    const unknown = await runVerify([...files]);
    expect(unknown.stdout).toMatch(/^The checkpoint is refused\. It is signed by/);
    expect([altered.code, elsewhere.code, unknown.code]).toEqual([1, 1, 1]);
  });

  test('is proven only if the ledger begins with each checkpoint that was kept', async () => {
    const keep = async (name: string, note: Uint8Array): Promise<string> => {
      await writeFile(join(folder, name), note);
      return join(folder, name);
    };
    const past = Buffer.from(ledger.leaves);
    past[0] = 1;
    const begun = await keep('begun', signCheckpoint(ledger.key, ledger.leaves, 211));
    const rewritten = await keep('rewritten', signCheckpoint(ledger.key, past, 211));
    const grown = Buffer.concat([ledger.leaves, past.subarray(0, 56)]);
    const setBack = await keep('set-back', signCheckpoint(ledger.key, grown));
    const older = (...names: string[]) => verify([whole()], ...names.flatMap((name) => ['--older', name]));
    expect((await older(begun)).code).toBe(0);
    const other = await older(begun, rewritten);
    expect(other.stdout).toBe(
      `${rewritten} is not the beginning of the ledger: its first 211 entries were other ones.\n`,
    );
    const back = await older(setBack);
    expect(back.stdout).toBe(
      `${setBack} is of ${total + 1} entries, and the ledger has only ${total}: it was set back.\n`,
    );
    expect([other.code, back.code]).toEqual([1, 1]);
  });
});
