/** A ledger and a copy judged by code that is none of ours: Go's packages, and the script of docs/integrity.md on official classes. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeProof } from '../../src/ledger/proof.ts';
import { leafBytes, readFromTiles, tilePath } from '../../src/ledger/tiles.ts';
import { proveInclusion } from '../../src/ledger/treeProof.ts';
import { formatUid } from '../../src/verify/uid.ts';
import { readCodeBlocks } from '../docs/codeBlocks.ts';
import { isToolMissing, provideTool, toolTimeoutMs } from '../tools/build.ts';
import { type LedgerFolder, leavesOf, signCheckpoint, writeLedger } from '../tools/ledgerFolder.ts';
import { isPythonMissing, providePython } from '../tools/python.ts';
import { archiveByCollector, makeBrokenText, makeEntries } from './sealedCopies.ts';

// Python takes seconds for all of them; the odd ones come first.
const entries = makeEntries().slice(0, 600);
entries.push(makeBrokenText(entries.length + 1));
const total = entries.length;

let folder: string;
let ledger: LedgerFolder;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-export-verify-'));
  ledger = await writeLedger(folder, leavesOf(entries));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Run {
  readonly code: number | null;
  readonly output: string;
}

function run(command: string, args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(command, args, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, output: stdout + stderr }),
    );
  });
}

/** Runs `work` while a byte of one of the ledger's files is another. */
async function whileAltered(path: string, work: () => Promise<Run>): Promise<Run> {
  const file = join(folder, path);
  const good = await readFile(file);
  const bad = Buffer.from(good);
  bad[40] = (bad[40] ?? 0) ^ 1;
  await writeFile(file, bad);
  try {
    return await work();
  } finally {
    await writeFile(file, good);
  }
}

describe.skipIf(isToolMissing('ledger-check'))('Go', () => {
  let program: string;
  beforeAll(async () => {
    program = await provideTool('ledger-check');
  }, toolTimeoutMs);

  test('accepts signature, tiles, leaves, an older checkpoint and a proof, and none that is altered', async () => {
    const index = 300;
    const read = readFromTiles(total, (tile) => readFile(join(folder, tilePath(tile))));
    const proof = writeProof({
      index,
      leaf: ledger.leaves.subarray(index * leafBytes, (index + 1) * leafBytes),
      hashes: await proveInclusion(index, total, read),
      checkpoint: await readFile(join(folder, 'checkpoint')),
    });
    await writeFile(join(folder, 'entry.tlog-proof'), proof);
    await writeFile(join(folder, 'checkpoint.old'), signCheckpoint(ledger.key, ledger.leaves, 211));
    const check = () => run(program, [folder, ledger.origin]);
    expect(await check()).toEqual({
      code: 0,
      output: `${total} leaves\n211 is the beginning of ${total}\nindex ${index} is proven\n`,
    });
    for (const path of ['checkpoint', 'tile/entries/000', 'tile/0/000', 'entry.tlog-proof'])
      expect(await whileAltered(path, check), path).toMatchObject({
        code: 1,
        output: expect.stringContaining('WRONG'),
      });
    const other = Buffer.from(ledger.leaves);
    other[0] = 1;
    await writeFile(join(folder, 'checkpoint.old'), signCheckpoint(ledger.key, other, 211));
    expect(await check()).toMatchObject({ code: 1 });
  });
});

describe.skipIf(isPythonMissing() || isToolMissing('otelcol'))('the script of docs/integrity.md', () => {
  let python: string;
  let script: string;
  beforeAll(async () => {
    python = await providePython(['opentelemetry-proto==1.45.2', 'protobuf==7.36.2', 'cryptography==50.0.2']);
    const blocks = await readCodeBlocks('docs/integrity.md');
    script = join(folder, 'verify.py');
    await writeFile(script, blocks.find(({ language }) => language === 'python')?.text ?? '');
    await provideTool('otelcol');
  }, toolTimeoutMs);

  test("proves a Collector's copy, and names what is changed, missing and not sealed", {
    timeout: 60_000,
  }, async () => {
    const lines = await archiveByCollector(entries, folder);
    const file = join(folder, 'copy.jsonl');
    const verify = async (text: string): Promise<Run> => {
      await writeFile(file, text);
      return run(python, [script, folder, ledger.origin, file]);
    };
    const whole = `${lines.join('\n')}\n`;
    expect(await verify(whole)).toEqual({ code: 0, output: `${total} sealed, 0 wrong\n` });
    const second = formatUid(entries[1]?.uid ?? new Uint8Array(16));
    const altered = await verify(
      whole.replace('"Ada"', '"Eve"').replace(second, second.replace(/^.{8}/, '11111111')),
    );
    const said = altered.output.split('\n').map((line) => line.replace(/ [0-9a-f]{32}$/, ''));
    expect(said).toEqual([
      'changed: number 1',
      'not sealed:',
      'missing: number 2',
      `${total} sealed, 3 wrong`,
      '',
    ]);
    expect(altered.code).toBe(1);
    expect(await whileAltered('tile/entries/001', () => verify(whole))).toMatchObject({
      code: 1,
      output: expect.stringContaining('not what a known key signed'),
    });
  });
});
