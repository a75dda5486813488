import { expect, test } from 'vitest';
import { makeLogger } from '../telemetry/logger.ts';
import { makeHeldBackWatch } from './indexer.ts';

test('a transaction that stays open is told from ones that come and go', () => {
  const lines: string[] = [];
  const log = makeLogger({ level: 'info', destination: { write: (line: string) => void lines.push(line) } });
  const heldBack: number[] = [];
  let now = 0;
  const watch = makeHeldBackWatch(
    log,
    (ms) => heldBack.push(ms),
    () => now,
  );
  for (const oldest of ['7', '8', null, '9', '9', '9', '9', '12']) {
    watch(oldest);
    now += 6 * 60_000;
  }
  expect(heldBack.map((ms) => ms / 60_000)).toEqual([0, 0, 0, 0, 6, 12, 18, 0]);
  expect(lines.map((line) => JSON.parse(line)).map(({ level, transaction }) => [level, transaction])).toEqual(
    [
      ['warn', '9'],
      ['info', undefined],
    ],
  );
});
