import { expect, test } from 'vitest';
import type { StreamRow } from '../model/stream.ts';
import type { StreamFailure } from '../model/streamHealth.ts';
import type { LastError } from '../model/streamStatus.ts';
import { makeLogger } from '../telemetry/logger.ts';
import { makeMetrics } from '../telemetry/metrics.ts';
import { HealthTracker } from './healthTracker.ts';
import type { StreamPosition } from './streamPosition.ts';

function setUp() {
  const kept: LastError[] = [];
  const lines: string[] = [];
  const evidence: { missing: StreamFailure | null } = { missing: null };
  const row: Partial<StreamRow> = { delivered: 0, rejected: 0, lastDeliveryAt: null, lastError: null };
  const health = new HealthTracker({
    position: {
      row,
      keepLastError: (error: LastError) => void kept.push(error),
    } as unknown as StreamPosition,
    log: makeLogger({ level: 'debug', destination: { write: (line: string) => void lines.push(line) } }),
    metrics: makeMetrics({ version: 'test' }).forStream({
      namespace: 'test',
      name: 'acme',
      organization: 'acme',
    }),
    missingEvidence: () => evidence.missing,
    onChange: () => shown.push(health.current.failure?.reason ?? null),
  });
  const shown: Array<string | null> = [];
  return { health, kept, lines, shown, evidence };
}

const lost = { reason: 'EntryMissing', message: 'Entry 7 is gone.' } as const;

test('an entry that is set aside never stands as a failure, and is kept as the last error in one write', () => {
  const { health, kept, lines, shown } = setUp();
  health.noteSetAside(4, lost);
  expect(health.current).toMatchObject({ activity: 'delivering', failure: null, lastError: lost });
  expect(shown).toContain(null);
  expect(shown).not.toContain('EntryMissing');
  expect(kept).toEqual([{ ...lost, time: expect.any(String), resolvedTime: expect.any(String) }]);
  expect(lines.filter((line) => line.includes('"msg":"Entry 7 is gone."'))).toHaveLength(1);
  expect(lines.join('')).not.toContain('delivering again');
});

test('is not suspended any more as soon as it is resumed, whether it failed before or not', () => {
  for (const hasFailed of [true, false]) {
    const { health } = setUp();
    if (hasFailed) health.setFailure({ reason: 'Timeout', message: 'No answer.' }, 'retrying');
    health.setActivity('suspended');
    health.resume();
    health.beginDelivering();
    expect(health.current.activity).toBe('starting');
  }
});

test('a failure that stood before an entry was set aside is over', () => {
  const { health, kept, lines } = setUp();
  health.setFailure({ reason: 'Timeout', message: 'No answer.' }, 'retrying');
  const { since } = health.outage;
  health.noteSetAside(4, lost);
  // The receiver has not been asked: since when it takes nothing stays.
  expect([since, health.outage.since]).toEqual([expect.any(Number), since]);
  expect(health.current).toMatchObject({ activity: 'delivering', failure: null, lastError: lost });
  expect(kept.map(({ reason, resolvedTime }) => [reason, resolvedTime !== undefined])).toEqual([
    ['Timeout', false],
    ['Timeout', true],
    ['EntryMissing', true],
  ]);
  expect(lines.join('')).toContain('"reason":"Timeout","downMs"');
});

test('the answer to new settings is news, even if it is the same failure', () => {
  const { health, kept } = setUp();
  const failure = { reason: 'NotFound', message: 'The receiver answered 404.', httpStatus: 404 } as const;
  health.setFailure(failure, 'holding');
  const since = health.current.failure?.since;
  health.setFailure(failure, 'holding');
  expect(kept).toHaveLength(1);
  health.awaitNews();
  expect(health.current.isTryingAgain).toBe(true);
  health.setFailure(failure, 'holding');
  expect(health.current).toMatchObject({ isTryingAgain: false, failure: { since } });
  expect(kept).toHaveLength(2);
});

test('does not pass for one that has delivered everything when entries are found after nothing was known', () => {
  const { health, evidence } = setUp();
  health.becomeIdle();
  health.noticeNew();
  expect(health.current.isBehind).toBe(false);
  health.becomeIdle();
  evidence.missing = { reason: 'DatabaseUnavailable', message: 'It does not answer.', since: 0 };
  health.noticeNew();
  evidence.missing = null;
  expect(health.current).toMatchObject({ isBehind: true, pending: null });
  health.noticeDelay();
  expect(health.current.isBehind).toBe(true);
  health.becomeIdle();
  health.noticeDelay();
  expect(health.current).toMatchObject({ isBehind: false, pending: 0 });
});
