import { describe, expect, it } from 'vitest';
import type { EditableConfig } from '../../configs/configEditor.ts';
import { toEditableSpec } from '../../configs/editor/editableSpec.ts';
import type { StreamView } from '../../database/streamViews.ts';
import { adviceFor } from '../../model/reasons.ts';
import type { Condition, ExportStatus } from '../../model/streamStatus.ts';
import { sortByTrouble, stateOf } from './destinationState.ts';
import type { StreamedConfig } from './joinStreams.ts';
import { makeCard, makeStateView } from './stateView.ts';

const now = Date.parse('2026-01-31T08:00:00Z');

/** Neither a parked entry nor a replay. */
const nothing = { parked: [], replay: null };

function condition(type: Condition['type'], status: Condition['status'], reason: string): Condition {
  return { type, status, reason, message: 'm', lastTransitionTime: '', observedGeneration: 1 };
}

function makeConfig(
  status: Partial<ExportStatus> | null,
  changes: Partial<EditableConfig> = {},
): EditableConfig {
  return {
    id: { namespace: 'default', name: 'siem' },
    key: 'k',
    revision: 'r',
    spec: toEditableSpec({ organization: 'acme', endpoint: 'https://otel.example.com/x?token=abc' }, 'siem'),
    problems: [],
    owners: new Map(),
    readOnly: null,
    status: status === null ? null : { observedGeneration: 1, conditions: [], ...status },
    ...changes,
  };
}

const stream: StreamView = {
  streamId: 's',
  configKey: 'k',
  sequence: 1205,
  delivered: 1204,
  parked: 0,
  rejected: 0,
  lastDeliveryAt: '2026-01-31T07:59:59Z',
  lastError: null,
  isHeld: true,
  heldUntil: null,
  nextTryAt: null,
  readAt: '2026-01-31T08:00:00Z',
};

const ready = condition('Ready', 'True', 'Delivering');
const failed = condition('Ready', 'False', 'Unauthorized');

const never = { ...stream, delivered: 0, lastDeliveryAt: null };
const stalled = [failed, condition('Stalled', 'True', 'Unauthorized')];
const unauthorized = {
  time: '2026-01-31T07:59:00Z',
  reason: 'Unauthorized',
  message: 'No.',
  httpStatus: 401,
};
const pace = { retryMs: 30_000, holdMs: 600_000 };

describe('stateOf', () => {
  const good = makeConfig({ conditions: [ready] });
  it.each<[string, EditableConfig, Partial<StreamedConfig>]>([
    ['starting', makeConfig(null), {}],
    ['starting', makeConfig({ conditions: [condition('Ready', 'Unknown', 'Progressing')] }), {}],
    ['starting', makeConfig({ conditions: [condition('Ready', 'False', 'Suspended')] }), {}],
    [
      'nothing-sent',
      makeConfig({ conditions: [condition('Ready', 'Unknown', 'NothingSent')] }),
      { stream: never },
    ],
    // As an older collector wrote it.
    ['nothing-sent', good, { stream: never }],
    ['delivering', makeConfig({ conditions: [condition('Ready', 'Unknown', 'NothingSent')] }), {}],
    ['incomplete', good, { stream: { ...stream, parked: 1 } }],
    ['incomplete', good, { stream: { ...stream, rejected: 1 } }],
    [
      'delivering',
      makeConfig({ conditions: [ready], pendingEntries: 3, oldestPendingTime: '2026-01-31T07:59:50Z' }),
      {},
    ],
    [
      'catching-up',
      makeConfig({ conditions: [ready], pendingEntries: 3, oldestPendingTime: '2026-01-31T07:50:00Z' }),
      {},
    ],
    ['retrying', makeConfig({ conditions: [failed, condition('Reconciling', 'True', 'Timeout')] }), {}],
    ['holding', makeConfig({ conditions: stalled }), {}],
    // The row knows first.
    ['holding', good, { stream: { ...stream, lastError: unauthorized } }],
    ['retrying', good, { stream: { ...stream, lastError: { ...unauthorized, reason: 'Timeout' } } }],
    [
      'delivering',
      good,
      { stream: { ...stream, lastError: { ...unauthorized, resolvedTime: '2026-01-31T07:59:30Z' } } },
    ],
    [
      'database-unavailable',
      makeConfig({ conditions: [condition('Ready', 'False', 'DatabaseUnavailable')] }),
      {},
    ],
    ['database-unavailable', good, { stream: null, isDatabaseAway: true }],
    ['delivering', good, { stream: { ...stream, isHeld: false, heldUntil: '2026-01-31T07:59:57Z' } }],
    ['not-reporting', good, { stream: { ...stream, isHeld: false, heldUntil: '2026-01-31T07:59:50Z' } }],
    ['not-reporting', makeConfig({ conditions: stalled }), { stream: { ...stream, isHeld: false } }],
    ['suspended', { ...good, spec: { ...good.spec, suspend: true } }, {}],
    ['misconfigured', makeConfig({ conditions: [ready] }, { problems: ['x is wrong.'] }), {}],
    // Saved since.
    [
      'starting',
      makeConfig({ conditions: stalled, lastError: unauthorized }),
      { changedAt: '2026-01-31T07:59:55Z', stream: { ...stream, lastError: unauthorized } },
    ],
    [
      'holding',
      makeConfig({ conditions: stalled, lastError: unauthorized }),
      { changedAt: '2026-01-31T07:58:00Z', stream: { ...stream, lastError: unauthorized } },
    ],
    // By a clock that is two hours ahead of the collector's.
    [
      'holding',
      makeConfig({ conditions: stalled, lastError: unauthorized }),
      { changedAt: '2026-01-31T09:59:55Z', stream: { ...stream, lastError: unauthorized } },
    ],
  ])('says %s', (state, config, changes) => {
    expect(stateOf({ config, stream, ...changes }, now)).toBe(state);
  });

  it('sorts those that fail first, then those that lack entries, then by name', () => {
    const make = (name: string, status: Partial<ExportStatus>, changes: Partial<StreamView> = {}) => ({
      config: makeConfig(status, { id: { namespace: 'default', name } }),
      stream: { ...stream, ...changes },
    });
    const sorted = sortByTrouble(
      [
        make('d', { conditions: [ready] }),
        make('c', { conditions: [ready] }),
        make('b', { conditions: [ready] }, { parked: 1 }),
        make('z', { conditions: stalled }),
        make('y', { conditions: [failed, condition('Reconciling', 'True', 'Timeout')] }),
      ],
      now,
    );
    expect(sorted.map(({ config }) => config.id.name)).toEqual(['y', 'z', 'b', 'c', 'd']);
  });
});

describe('makeStateView', () => {
  it('shows an error that stands with what to do, and an error that is over without', () => {
    const lastError = {
      time: '2026-01-31T07:00:00Z',
      reason: 'Unauthorized',
      message: 'No.',
      httpStatus: 401,
    };
    const config = makeConfig({
      conditions: [failed, condition('Stalled', 'True', 'Unauthorized')],
      lastError,
    });
    const [standing] = makeStateView('acme', { config, stream }, nothing, { now, pace }).errors;
    expect(standing).toMatchObject({ tone: 'bad', httpStatus: 'HTTP 401', message: 'No.', resolved: null });
    expect(standing?.advice).toContain('Authorization');
    // The row knows first that it is over.
    const over = { ...stream, lastError: { ...lastError, resolvedTime: '2026-01-31T07:30:00Z' } };
    const [past] = makeStateView('acme', { config, stream: over }, nothing, { now, pace }).errors;
    expect(past).toMatchObject({ tone: 'idle', advice: '', resolved: '2026-01-31T07:30:00Z' });
  });

  it('offers a try where something fails, and says how long it takes otherwise', () => {
    const lastError = unauthorized;
    const errorOf = (conditions: Condition[], changes: Partial<EditableConfig> = {}) =>
      makeStateView('acme', { config: makeConfig({ conditions, lastError }, changes), stream }, nothing, {
        now,
        pace,
      }).errors[0];
    expect(errorOf(stalled)?.retry?.pace).toBe(
      'The collector tries again by itself, at least every 10 minutes.',
    );
    const retrying = [failed, condition('Reconciling', 'True', 'Timeout')];
    expect(errorOf(retrying)?.retry?.pace).toBe(
      'The collector tries again by itself, at least every 30 seconds.',
    );
    expect(errorOf([ready])?.retry).toBeNull();
    expect(errorOf(stalled, { readOnly: 'Managed elsewhere.' })?.retry).toBeNull();
  });

  it('greys the error of the previous settings until there is news', () => {
    const config = makeConfig({ conditions: stalled, lastError: unauthorized });
    const changed = (error: typeof unauthorized) => {
      const row = { ...stream, lastError: error };
      const destination = { config, stream: row, changedAt: '2026-01-31T07:59:30Z' };
      return makeStateView('acme', destination, nothing, { now, pace });
    };
    const before = changed(unauthorized);
    expect(before.errors[0]).toMatchObject({
      tone: 'idle',
      title: 'Error of the previous settings. Trying the new ones …',
      advice: '',
      retry: null,
    });
    expect(before.badge.tone).toBe('idle');
    const after = changed({ ...unauthorized, time: '2026-01-31T07:59:40Z' });
    expect(after.errors[0]).toMatchObject({ tone: 'bad', title: 'Most recent error' });
    expect(after.badge.word).toBe('Holding: needs you');
  });

  it('says of a configuration that cannot be used whether an earlier version is in force', () => {
    const config = makeConfig({ conditions: [ready] }, { problems: ['x is wrong.'] });
    const sentence = (isHeld: boolean) =>
      makeStateView('acme', { config, stream: { ...stream, isHeld } }, nothing, { now, pace }).sentence;
    expect(sentence(true)).toContain('the last good version stays in force');
    expect(sentence(false)).toContain('Every entry is kept');
  });

  it('asks nobody to act on a rejection of more than a month ago, and never turns green', () => {
    const config = makeConfig({ conditions: [ready] });
    const rejectedAt = (time: string) => {
      const lastError = { time, reason: 'PartialSuccess', message: 'Rejected 2.', resolvedTime: time };
      const destination = { config, stream: { ...stream, rejected: 2, lastError } };
      return makeStateView('acme', destination, nothing, { now, pace });
    };
    const old = rejectedAt('2025-12-31T00:00:00Z');
    expect(old.badge).toMatchObject({ word: 'Incomplete earlier', tone: 'idle' });
    expect(old.facts).toContainEqual(expect.objectContaining({ label: 'Rejected', value: '2' }));
    expect(rejectedAt('2026-01-20T00:00:00Z').badge.word).toBe('Incomplete');
  });

  it('says the advice once, also of an error that was kept with it', () => {
    const advice = adviceFor('Unauthorized');
    const lastError = { ...unauthorized, message: `The receiver answered 401. ${advice}` };
    const config = makeConfig({ conditions: stalled, lastError });
    const [error] = makeStateView('acme', { config, stream }, nothing, { now, pace }).errors;
    expect(error).toMatchObject({ message: 'The receiver answered 401.', advice });
  });

  it('takes what moves from the row, and what is counted now and then from the status', () => {
    const config = makeConfig({ conditions: [ready], deliveredEntries: 1, pendingEntries: 2_000 });
    const { facts } = makeStateView('acme', { config, stream: { ...stream, parked: 7 } }, nothing, {
      now,
      pace,
    });
    expect(Object.fromEntries(facts.map(({ label, value, time }) => [label, time ?? value]))).toEqual({
      Delivered: '1,204',
      Pending: '2,000',
      'Oldest pending': '–',
      'Last delivery': '2026-01-31T07:59:59Z',
      Parked: '7',
    });
  });
});

describe('makeCard', () => {
  it('shows no query: some receivers take their token there', () => {
    const card = makeCard('acme', { config: makeConfig(null), stream: null }, null, now);
    expect(card.endpoint).toBe('https://otel.example.com/x?…');
    expect(card.url).toBe('/organizations/acme/audit-logs/export/default.siem');
  });

  it('shows the last hours once there was anything to send, and nothing of them before', () => {
    const dayOf = (sent: StreamView | null, hours: [] | null) =>
      makeCard('acme', { config: makeConfig(null), stream: sent }, hours, now).day?.words ?? null;
    expect(dayOf({ ...stream, lastDeliveryAt: '2026-01-30T07:00:00Z' }, [])).toBe(
      'Last 24 hours: no request',
    );
    expect(dayOf(stream, [])).toBeNull();
    expect(dayOf(never, [])).toBeNull();
    expect(dayOf(stream, null)).toBeNull();
    const failing = { hour: '2026-01-31T08:00:00.000Z', accepted: 0, requests: 1, failures: { Timeout: 1 } };
    const card = makeCard('acme', { config: makeConfig(null), stream: never }, [failing], now);
    expect(card.day?.words).toContain('1 of 1 request failed');
  });
});
