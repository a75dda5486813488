import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { LedgerFiles } from './ledgerFiles.ts';
import { statusMark } from './renderStatus.ts';

/** Old enough for its time to be relied on. */
function write(path: string, size: number): void {
  writeFileSync(path, `${statusMark}\nstatus:\n  conditions: []\n  ledger:\n    size: ${size}\n`);
  const hourAgo = Date.now() / 1_000 - 3_600;
  utimesSync(path, hourAgo, hourAgo);
}

test('reads a file again when it has changed, and when it could not be read', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'audit-export-ledgers-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'acme.status.yaml');
  let reads = 0;
  let isFailing = true;
  const files = new LedgerFiles(async (file) => {
    reads++;
    if (isFailing) throw new Error('too many open files');
    return readFile(file, 'utf8');
  });
  write(path, 1);
  expect(await files.read(path)).toBeUndefined();
  isFailing = false;
  expect(await files.read(path)).toEqual({ size: 1 });
  expect(await files.read(path)).toEqual({ size: 1 });
  expect(reads).toBe(2);
  write(path, 2);
  expect(await files.read(path)).toEqual({ size: 2 });
  files.keepOnly(new Set());
  expect(await files.read(path)).toEqual({ size: 2 });
  expect(reads).toBe(4);
});
