/**
 * Every state an export can be in, one row each: how the page shows it, what the `Ready` condition says, and the label that the
 * metric `audit_export_stream_state` has. The table of docs/operations.md comes from here. To add a state, add a row and a way
 * into it (`stateOfHealth`, or the page's `stateOf`); then run `npm run generate`.
 *
 * Not here: why it is so (reasons.ts), what happened in one case (a message).
 */
import type { StreamHealth } from './streamHealth.ts';
import type { LastError } from './streamStatus.ts';

export interface StateRow {
  /** For the docs, in Markdown. */
  readonly when: string;
  /** The one name that people read. */
  readonly word: string;
  readonly tone: 'good' | 'warn' | 'bad' | 'idle';
  /** A name in icons.svg. */
  readonly icon: string;
  /** What it means for the entries, and who does something about it. */
  readonly sentence: string;
  /** Status of `Ready`. null: only the page can tell. */
  readonly ready: 'True' | 'False' | 'Unknown' | null;
  /** Stalled: until a person changes something. Reconciling: the collector is working on it. */
  readonly also: 'Stalled' | 'Reconciling' | null;
  /** failing: entries do not get through. missing: all but some do. */
  readonly trouble: 'failing' | 'missing' | null;
}

export const states = {
  starting: {
    when: 'it starts, or tries new settings',
    word: 'Starting',
    tone: 'idle',
    icon: 'clock',
    sentence: 'The collector has not reported on these settings yet. This takes seconds.',
    ready: 'Unknown',
    also: 'Reconciling',
    trouble: null,
  },
  'nothing-sent': {
    when: 'nothing was sent yet, so nothing shows that it works',
    word: 'Nothing sent yet',
    tone: 'idle',
    icon: 'minus',
    sentence:
      'This turns green when the receiver accepts the first entry. A test record shows at once whether it will.',
    ready: 'Unknown',
    also: null,
    trouble: null,
  },
  delivering: {
    when: 'every entry is delivered, or on its way',
    word: 'Delivering',
    tone: 'good',
    icon: 'check',
    sentence: 'New entries are delivered within seconds.',
    ready: 'True',
    also: null,
    trouble: null,
  },
  'catching-up': {
    when: 'a backlog is being delivered',
    word: 'Catching up',
    tone: 'good',
    icon: 'send',
    sentence: 'Waiting entries are being delivered.',
    ready: 'True',
    also: null,
    trouble: null,
  },
  incomplete: {
    when: 'all but some entries are delivered: those are parked, or the receiver rejected them',
    word: 'Incomplete',
    tone: 'warn',
    icon: 'parked',
    sentence: 'New entries are delivered. Those that the receiver did not keep need you.',
    ready: 'True',
    also: null,
    trouble: 'missing',
  },
  'incomplete-earlier': {
    when: 'as before, but nothing is parked, and the last rejection is more than 30 days ago',
    word: 'Incomplete earlier',
    tone: 'idle',
    icon: 'info',
    sentence:
      'New entries are delivered. More than 30 days ago the receiver rejected some without saying which: compare it with the table.',
    ready: 'True',
    also: null,
    trouble: null,
  },
  retrying: {
    when: 'it retries a failure that will pass',
    word: 'Retrying',
    tone: 'warn',
    icon: 'retry',
    sentence: 'The receiver isn’t accepting entries right now. They are kept and retried automatically.',
    ready: 'False',
    also: 'Reconciling',
    trouble: 'failing',
  },
  'database-unavailable': {
    when: 'the collector cannot use its database, so nothing is known',
    word: 'Database away',
    tone: 'warn',
    icon: 'alert',
    sentence:
      'Nothing is known of new entries until the database answers. They are kept. If it lasts, tell the operator of the collector.',
    ready: 'False',
    also: 'Reconciling',
    trouble: 'failing',
  },
  holding: {
    when: 'it holds, and needs a person',
    word: 'Holding: needs you',
    tone: 'bad',
    icon: 'error',
    sentence: 'Nothing is delivered until someone fixes this. Every entry is kept.',
    ready: 'False',
    also: 'Stalled',
    trouble: 'failing',
  },
  suspended: {
    when: '`spec.suspend` is true',
    word: 'Suspended',
    tone: 'idle',
    icon: 'pause',
    sentence: 'Entries are kept, and delivered once you resume.',
    ready: 'False',
    also: null,
    trouble: null,
  },
  'not-reporting': {
    when: 'no running collector reports on it; the status is an old one',
    word: 'Not reporting',
    tone: 'warn',
    icon: 'alert',
    sentence:
      'No collector reports on this destination, so nobody knows whether entries get through. They are kept. Tell the operator of the collector.',
    ready: null,
    also: null,
    trouble: 'failing',
  },
  misconfigured: {
    when: 'the manifest, or what it refers to, is wrong',
    word: 'Problem in the configuration',
    tone: 'bad',
    icon: 'alert',
    sentence: 'This configuration cannot be used. Every entry is kept.',
    ready: 'False',
    also: 'Stalled',
    trouble: 'failing',
  },
} as const satisfies Readonly<Record<string, StateRow>>;

export type StateName = keyof typeof states;

/** What no stream can be in: only its manifest, or whoever looks for its collector. */
const ofNoStream = ['not-reporting', 'misconfigured'] as const;
export type StreamState = Exclude<StateName, (typeof ofNoStream)[number]>;

/** The values of the metric's label. */
export const streamStates = (Object.keys(states) as StateName[]).filter(
  (name): name is StreamState => !(ofNoStream as readonly string[]).includes(name),
);

export interface Counters extends Pick<StreamHealth, 'delivered' | 'rejected' | 'parked' | 'pending'> {
  /** RFC 3339; null: nothing is pending, or it is not known. */
  readonly oldestPendingAt: string | null;
  /** The latest failure of any kind: no rejection came after it. null: there is none, or it is not known. */
  readonly lastError: Pick<LastError, 'time'> | null;
}

/** So many, or so old: pending entries are a backlog, not just on their way. */
const backlogFrom = 5_000;
const backlogAfterMs = 30_000;

/** A rejection cannot be undone. It asks for a person for so long; green it is never again, since green means all. */
const rejectionIsNewsMs = 30 * 24 * 60 * 60_000;

/** The state of a stream that nothing holds up. Green is what a receiver has proven. */
export function stateOfCounters(
  counters: Counters,
  now: number,
): 'nothing-sent' | 'incomplete' | 'incomplete-earlier' | 'catching-up' | 'delivering' {
  const { delivered, rejected, parked, pending, oldestPendingAt, lastError } = counters;
  if (parked + rejected > 0) {
    const isOld = lastError !== null && now - Date.parse(lastError.time) > rejectionIsNewsMs;
    return parked === 0 && delivered > 0 && isOld ? 'incomplete-earlier' : 'incomplete';
  }
  if (delivered === 0) return 'nothing-sent';
  const isOld = oldestPendingAt !== null && now - Date.parse(oldestPendingAt) > backlogAfterMs;
  return (pending ?? 0) >= backlogFrom || ((pending ?? 0) > 0 && isOld) ? 'catching-up' : 'delivering';
}

export function stateOfHealth(health: StreamHealth, now: number): StreamState {
  switch (health.activity) {
    case 'starting':
    case 'suspended':
    case 'database-unavailable':
      return health.activity;
    case 'waiting-for-database':
      return 'database-unavailable';
    case 'retrying':
      return health.isTryingAgain ? 'starting' : 'retrying';
    case 'holding':
    case 'unclaimed':
      return health.isTryingAgain ? 'starting' : 'holding';
    case 'idle':
    case 'delivering':
      return stateOfCounters(health, now);
  }
}
