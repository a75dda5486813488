import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { makeLogger } from '../../telemetry/logger.ts';
import { makeWatches } from './watches.ts';

function setUp() {
  const directory = join(mkdtempSync(join(tmpdir(), 'audit-export-watches-')), 'watched');
  mkdirSync(directory);
  let hints = 0;
  const watches = makeWatches({ log: makeLogger({ level: 'silent' }), onHint: () => hints++ });
  onTestFinished(() => {
    watches.close();
    rmSync(join(directory, '..'), { recursive: true });
  });
  return { directory, watches, hints: () => hints };
}

async function expectHint(hints: () => number, change: () => void): Promise<void> {
  const before = hints();
  change();
  await vi.waitFor(() => expect(hints()).toBeGreaterThan(before), { timeout: 5_000, interval: 5 });
}

describe('watches', () => {
  it('hint at what is newly watched, and at every change in it', async () => {
    const { directory, watches, hints } = setUp();
    await watches.set([directory, `${directory}/not-there`]);
    expect(hints()).toBe(1);
    await expectHint(hints, () => writeFileSync(join(directory, 'a.yaml'), ''));
    await expectHint(hints, () => rmSync(join(directory, 'a.yaml')));
  });

  it('do not hint at status files and their temporary files', async () => {
    const { directory, watches, hints } = setUp();
    await watches.set([directory]);
    writeFileSync(join(directory, '.a.status.yaml.1.tmp'), '');
    renameSync(join(directory, '.a.status.yaml.1.tmp'), join(directory, 'a.status.yaml'));
    // Events come in order: one hint for a.yaml's creation at the earliest means that the others were passed over.
    await expectHint(hints, () => mkdirSync(join(directory, 'a.yaml')));
    expect(hints()).toBe(2);
  });

  it('follow a directory that was replaced by another of its name', async () => {
    const { directory, watches, hints } = setUp();
    await watches.set([directory]);
    renameSync(directory, `${directory}.away`);
    mkdirSync(directory);
    await watches.set([directory]);
    await expectHint(hints, () => writeFileSync(join(directory, 'a.yaml'), ''));
  });

  it('end for a directory that is not asked for any more, and at close', async () => {
    const { directory, watches } = setUp();
    const count = () => process.getActiveResourcesInfo().filter((name) => name === 'FSEventWrap').length;
    const expectWatched = (n: number) => vi.waitFor(() => expect(count()).toBe(n), { timeout: 5_000 });
    // Those of the tests before close in their own time.
    await expectWatched(0);
    await watches.set([directory]);
    await expectWatched(1);
    await watches.set([]);
    await expectWatched(0);
    await watches.set([directory]);
    watches.close();
    await expectWatched(0);
    await watches.set([directory]);
    await expectWatched(0);
  });
});
