/** Whatever the way to it: what is reported follows from the files as they stand. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ConfigState } from '../../src/configs/configSource.ts';
import { DirectoryReader } from '../../src/configs/directory/directoryReader.ts';
import { manifest } from './configDirectory.ts';

const headers = [{ name: 'a', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }];
const file = fc.constantFrom('a.yaml', 'b.yaml', 'c.yml');
const text = fc.oneof(
  fc
    .tuple(fc.constantFrom('acme', 'beta'), fc.constantFrom(0, 5, 6))
    .map(([name, maxBatchSize]) => manifest(name, { maxBatchSize, headers })),
  fc.constantFrom('', '{"apiVersion":', manifest('acme')),
);

type Step = (path: string) => void;
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(file, text).map(
    ([name, content]) =>
      (path: string) =>
        writeFileSync(join(path, name), content),
  ),
  file.map((name) => (path: string) => rmSync(join(path, name), { force: true })),
  fc.tuple(file, file).map(([from, to]) => (path: string) => {
    try {
      renameSync(join(path, from), join(path, to));
    } catch {
      // Not there to be renamed.
    }
  }),
  fc.constantFrom('one', 'two\n', '').map((value) => (path: string) => {
    mkdirSync(join(path, 'secrets/s'), { recursive: true });
    writeFileSync(join(path, 'secrets/s/k'), value);
  }),
  fc.constant((path: string) => rmSync(join(path, 'secrets'), { recursive: true, force: true })),
);

/** Without what only history can tell: generations, the last good configuration, the name of a file now broken. */
function summarize(states: ReadonlyMap<string, ConfigState>): string[] {
  return [...states.values()]
    .map((state) =>
      state.kind === 'valid'
        ? `${state.config.key} ${JSON.stringify(state.config.spec)} ${state.config.destination.fingerprint}`
        : state.problems.join(' '),
    )
    .sort();
}

it('after any changes reports what a newly started reader does, and the same objects while nothing changes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const path = mkdtempSync(join(tmpdir(), 'audit-export-reader-'));
      try {
        const reader = new DirectoryReader(path);
        for (const take of steps) {
          take(path);
          const { states } = await reader.read();
          expect(summarize(states)).toEqual(summarize((await new DirectoryReader(path).read()).states));
          const again = (await reader.read()).states;
          expect([...again.keys()]).toEqual([...states.keys()]);
          for (const [key, state] of again) expect(state).toBe(states.get(key));
        }
      } finally {
        rmSync(path, { recursive: true });
      }
    }),
    { numRuns: 150 },
  );
});
