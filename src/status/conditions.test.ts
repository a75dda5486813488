import { expect, test } from 'vitest';
import { idleHealth as healthy } from '../../tools/idleHealth.ts';
import { adviceFor } from '../model/reasons.ts';
import type { StreamHealth } from '../model/streamHealth.ts';
import type { Condition } from '../model/streamStatus.ts';
import { claimsNothingWaits, type ExportState, makeStatus } from './conditions.ts';

const failure = { reason: 'Unauthorized', message: 'Check the token.', httpStatus: 401, since: 0 } as const;
const now = new Date('2026-05-01T00:00:00Z');

const config = {
  generation: 3,
  destination: { url: new URL('https://otel.example.com/v1/logs') },
};
const valid: ExportState = { kind: 'valid', config };
const wrong: ExportState = {
  kind: 'invalid',
  generation: 3,
  reason: 'InvalidSpec',
  problems: ['spec.endpoint is x.'],
  lastGood: null,
};

function statusOf(
  health: Partial<StreamHealth> | null,
  { state = valid, previous = [], at = now }: Given = {},
) {
  return makeStatus(state, health === null ? null : { ...healthy, ...health }, previous, at);
}

interface Given {
  readonly state?: ExportState;
  readonly previous?: readonly Condition[];
  readonly at?: Date;
}

const rejection = (time: string) => ({
  time,
  reason: 'PartialSuccess',
  message: 'Rejected.',
  resolvedTime: time,
});

test.each<[string, Partial<StreamHealth> | null, Given, string[]]>([
  ['everything delivered', {}, {}, ['Ready=True Delivering']],
  ['delivering', { activity: 'delivering', pending: 7 }, {}, ['Ready=True Delivering']],
  ['nothing sent yet', { delivered: 0 }, {}, ['Ready=Unknown NothingSent']],
  [
    'sending for the first time',
    { delivered: 0, activity: 'delivering', pending: 7 },
    {},
    ['Ready=Unknown NothingSent'],
  ],
  ['one entry parked', { parked: 1 }, {}, ['Ready=True Incomplete']],
  ['some rejected', { rejected: 2, activity: 'delivering', pending: 7 }, {}, ['Ready=True Incomplete']],
  [
    'some rejected 30 days ago',
    { rejected: 2, lastError: rejection('2026-04-01T00:00:00Z') },
    {},
    ['Ready=True Incomplete'],
  ],
  [
    'some rejected before that',
    { rejected: 2, lastError: rejection('2026-03-31T23:59:59Z') },
    {},
    ['Ready=True Incomplete'],
  ],
  [
    'some rejected then, and some parked',
    { rejected: 2, parked: 1, lastError: rejection('2026-03-01T00:00:00Z') },
    {},
    ['Ready=True Incomplete'],
  ],
  ['all rejected', { delivered: 0, rejected: 2 }, {}, ['Ready=Unknown Incomplete']],
  [
    'trying new settings',
    { activity: 'holding', failure, isTryingAgain: true },
    {},
    ['Ready=Unknown Progressing', 'Reconciling=True Progressing'],
  ],
  ['starting', { activity: 'starting' }, {}, ['Ready=Unknown Progressing', 'Reconciling=True Progressing']],
  ['not running yet', null, {}, ['Ready=Unknown Progressing', 'Reconciling=True Progressing']],
  ['suspended', { activity: 'suspended' }, {}, ['Ready=False Suspended']],
  [
    'holding',
    { activity: 'holding', failure },
    {},
    ['Ready=False Unauthorized', 'Stalled=True Unauthorized'],
  ],
  [
    'retrying',
    { activity: 'retrying', failure },
    {},
    ['Ready=False Unauthorized', 'Reconciling=True Unauthorized'],
  ],
  [
    'database away',
    { activity: 'database-unavailable', failure: { ...failure, reason: 'DatabaseUnavailable' } },
    {},
    ['Ready=False DatabaseUnavailable', 'Reconciling=True DatabaseUnavailable'],
  ],
  ['wrong manifest', null, { state: wrong }, ['Ready=False InvalidSpec', 'Stalled=True InvalidSpec']],
  [
    'wrong manifest over a holding stream',
    { activity: 'holding', failure },
    { state: { ...wrong, lastGood: config } },
    ['Ready=False InvalidSpec', 'Stalled=True InvalidSpec'],
  ],
])('%s', (_, health, input, expected) => {
  const { conditions } = statusOf(health, input);
  expect(conditions.map((c) => `${c.type}=${c.status} ${c.reason}`)).toEqual(expected);
  for (const condition of conditions) {
    expect(condition.message).not.toBe('');
    expect(condition.observedGeneration).toBe(3);
  }
});

test('moves a transition time only when the status changes', () => {
  const before = statusOf({}, { at: new Date('2026-01-01T00:00:00Z') }).conditions;
  const same = statusOf({ parked: 2 }, { previous: before }).conditions[0];
  expect(same?.lastTransitionTime).toBe('2026-01-01T00:00:00.000Z');
  const other = statusOf({ activity: 'holding', failure }, { previous: before }).conditions[0];
  expect(other?.lastTransitionTime).toBe(now.toISOString());
});

test('names parked entries, pending ones and the last good version in the message', () => {
  expect(statusOf({ parked: 1 }).conditions[0]?.message).toBe(
    'All but 1 entry are delivered. 1 is parked: the receiver refuses it, or it cannot be read. Fix the cause, then replay with select audit.replay_parked(…).',
  );
  expect(statusOf({ activity: 'delivering', pending: 12, ratePerSecond: 3 }).conditions[0]?.message).toBe(
    '12 entries are pending, 3 a second are delivered.',
  );
  const message = statusOf(null, { state: { ...wrong, lastGood: config } }).conditions[0]?.message;
  expect(message).toBe('spec.endpoint is x. Until it is fixed, the last good version stays in force.');
});

test('says what happened, then what to do, as sentences', () => {
  const messageOf = (message: string) =>
    statusOf({ activity: 'holding', failure: { ...failure, message } }).conditions.map((c) => c.message);
  const advice = adviceFor('Unauthorized');
  expect(messageOf('It answered 401.')).toEqual(Array(2).fill(`It answered 401. ${advice}`));
  expect(messageOf('It says: "no"')).toEqual(Array(2).fill(`It says: "no". ${advice}`));
});

test('shows the endpoint without its query, where tokens are', () => {
  const status = statusOf(
    {},
    {
      state: {
        kind: 'valid',
        config: { ...config, destination: { url: new URL('https://h.example.com/v1/logs?token=abc') } },
      },
    },
  );
  expect(status.resolvedEndpoint).toBe('https://h.example.com/v1/logs?…');
});

test('never says that every entry is delivered once a receiver has rejected some', () => {
  const rejection = { reason: 'PartialSuccess', message: 'It rejected 3.', since: 0 } as const;
  const messageOf = (health: Partial<StreamHealth>) => statusOf(health).conditions[0]?.message;
  expect(messageOf({ rejected: 3, failure: rejection })).toBe(
    `All but 3 entries are delivered. It rejected 3. ${adviceFor('PartialSuccess')}`,
  );
  expect(messageOf({ rejected: 3 })).toBe(
    'All but 3 entries are delivered. The receiver rejected 3 entries without saying which: compare it with the table.',
  );
  expect(messageOf({ rejected: 1, parked: 1 })).toMatch(/^All but 2 entries are delivered\. 1 is parked: /);
});

test('says of an export that never sent anything what it waits for, and takes that back once something waits', () => {
  const idle = statusOf({ delivered: 0 });
  expect(idle.conditions[0]?.message).toBe(
    'Nothing has been sent yet, so nothing shows that the receiver accepts entries. No entry waits. It is ready with the first entry that the receiver accepts.',
  );
  expect(claimsNothingWaits(idle)).toBe(true);
  const busy = statusOf({ delivered: 0, activity: 'delivering', pending: null, isBehind: true });
  expect(claimsNothingWaits(busy)).toBe(false);
  expect(busy.conditions[0]?.message).not.toContain('No entry waits');
});

test('names the error of the settings before while the present ones are tried', () => {
  const { conditions } = statusOf({ activity: 'holding', failure, isTryingAgain: true });
  expect(conditions[0]?.message).toBe(
    'The export is being tried with its present settings. The error before was: Check the token.',
  );
});

test('a rejection of long ago stays in the words and the number', () => {
  const status = statusOf({ rejected: 2, lastError: rejection('2026-03-01T00:00:00Z') });
  expect(status.rejectedEntries).toBe(2);
  expect(status.conditions[0]?.message).toMatch(
    /^All but 2 entries are delivered\. The receiver rejected 2 entries/,
  );
});
