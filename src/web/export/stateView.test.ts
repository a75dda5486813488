import { describe, expect, it } from 'vitest';
import type { EditableConfig } from '../../configs/configEditor.ts';
import { toEditableSpec } from '../../configs/editor/editableSpec.ts';
import type { StreamView } from '../../database/streamViews.ts';
import type { Condition, ExportStatus } from '../../model/streamStatus.ts';
import { makeCard, makeStateView, stateOf } from './stateView.ts';

const now = Date.parse('2026-01-31T08:00:00Z');

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
  delivered: 1204,
  parked: 0,
  rejected: 0,
  lastDeliveryAt: '2026-01-31T07:59:59Z',
  lastError: null,
};

const ready = condition('Ready', 'True', 'Delivering');
const failed = condition('Ready', 'False', 'Unauthorized');

describe('stateOf', () => {
  const suspended = makeConfig({ conditions: [ready] });
  it.each<[string, EditableConfig]>([
    ['Starting', makeConfig(null)],
    ['Starting', makeConfig({ conditions: [condition('Ready', 'Unknown', 'Progressing')] })],
    ['Starting', makeConfig({ conditions: [condition('Ready', 'False', 'Suspended')] })],
    [
      'Delivering',
      makeConfig({ conditions: [ready], pendingEntries: 3, oldestPendingTime: '2026-01-31T07:59:50Z' }),
    ],
    [
      'Catching up',
      makeConfig({ conditions: [ready], pendingEntries: 3, oldestPendingTime: '2026-01-31T07:50:00Z' }),
    ],
    ['Retrying', makeConfig({ conditions: [failed, condition('Reconciling', 'True', 'Timeout')] })],
    [
      'Holding: needs you',
      makeConfig({ conditions: [failed, condition('Stalled', 'True', 'Unauthorized')] }),
    ],
    ['Suspended', { ...suspended, spec: { ...suspended.spec, suspend: true } }],
    ['Problem in the configuration', makeConfig({ conditions: [ready] }, { problems: ['x is wrong.'] })],
  ])('says %s', (word, config) => {
    expect(stateOf({ config, stream: null }, now)).toBe(word);
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
    const [standing] = makeStateView('acme', { config, stream }, [], now).errors;
    expect(standing).toMatchObject({ tone: 'bad', httpStatus: 'HTTP 401', message: 'No.', resolved: null });
    expect(standing?.advice).toContain('Authorization');
    // The row knows first that it is over.
    const over = { ...stream, lastError: { ...lastError, resolvedTime: '2026-01-31T07:30:00Z' } };
    const [past] = makeStateView('acme', { config, stream: over }, [], now).errors;
    expect(past).toMatchObject({ tone: 'idle', advice: '', resolved: '2026-01-31T07:30:00Z' });
  });

  it('takes what moves from the row, and what is counted now and then from the status', () => {
    const config = makeConfig({ conditions: [ready], deliveredEntries: 1, pendingEntries: 2_000 });
    const { facts } = makeStateView('acme', { config, stream: { ...stream, parked: 7 } }, [], now);
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
    const card = makeCard('acme', { config: makeConfig(null), stream: null }, now);
    expect(card.endpoint).toBe('https://otel.example.com/x?…');
    expect(card.url).toBe('/organizations/acme/audit-logs/export/default.siem');
  });
});
