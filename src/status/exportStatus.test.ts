import { expect, test } from 'vitest';
import { idleHealth as idle } from '../../tools/idleHealth.ts';
import type { StreamHealth } from '../model/streamHealth.ts';
import type { ExportState } from './conditions.ts';
import { decideStatus, type StatusDecision } from './exportStatus.ts';

const config = {
  generation: 3,
  destination: { url: new URL('https://otel.example.com/v1/logs') },
  reconcileAt: 'now, please',
  remarks: [{ reason: 'Terminating', message: 'It was deleted.' } as const],
};
const valid: ExportState = { kind: 'valid', config };
const invalid = (lastGood: typeof config | null): ExportState => ({
  kind: 'invalid',
  generation: 4,
  reason: 'SecretNotFound',
  problems: ['Secret flows/acme does not exist.'],
  lastGood,
});

const starting: StreamHealth = { ...idle, activity: 'starting', pending: null };
const now = new Date('2026-05-01T00:00:00Z');

function written(decision: StatusDecision) {
  if (decision.kind !== 'write') throw new Error(`expected a status: ${decision.kind}`);
  const { observedGeneration, resolvedEndpoint, lastHandledReconcileAt, conditions } = decision.status;
  const [ready] = conditions;
  return {
    observedGeneration,
    resolvedEndpoint,
    lastHandledReconcileAt,
    reason: ready?.reason,
    message: ready?.message,
    since: ready?.lastTransitionTime,
  };
}

test('leaves the status to the replica that holds the stream, also while the manifest is wrong', () => {
  expect(decideStatus(valid, null, null, now)).toEqual({ kind: 'not-ours' });
  expect(decideStatus(invalid(config), null, null, now)).toEqual({ kind: 'not-ours' });
});

test('says what is wrong with a manifest that nobody can run', () => {
  expect(written(decideStatus(invalid(null), null, null, now))).toMatchObject({
    observedGeneration: 4,
    resolvedEndpoint: undefined,
    lastHandledReconcileAt: undefined,
    reason: 'SecretNotFound',
    message: 'Secret flows/acme does not exist. Nothing is exported until it is fixed.',
  });
});

test('says by which version entries are delivered while the manifest is wrong', () => {
  expect(written(decideStatus(invalid(config), idle, null, now))).toMatchObject({
    observedGeneration: 4,
    resolvedEndpoint: 'https://otel.example.com/v1/logs',
    lastHandledReconcileAt: 'now, please',
    message:
      'Secret flows/acme does not exist. Until it is fixed, the last good version stays in force. It was deleted.',
  });
});

test('lets the status of before a restart stand until something is known, or should be', () => {
  const first = decideStatus(valid, idle, null, new Date('2026-01-01T00:00:00Z'));
  if (first.kind !== 'write') throw new Error('expected a status');
  expect(written(first)).toMatchObject({
    observedGeneration: 3,
    message: 'Every entry is delivered. It was deleted.',
  });
  const before = first.status;
  expect(decideStatus(valid, starting, before, now)).toEqual({ kind: 'stands' });
  expect(written(decideStatus(valid, { ...starting, isBehind: true }, before, now)).reason).toBe(
    'Progressing',
  );
  expect(written(decideStatus(invalid(config), starting, before, now)).reason).toBe('SecretNotFound');
  expect(written(decideStatus(valid, idle, before, now)).since).toBe('2026-01-01T00:00:00.000Z');
});

test('says of a new export that it starts', () => {
  expect(written(decideStatus(valid, starting, null, now)).reason).toBe('Progressing');
});
