/**
 * Says how an export is doing: its state (model/states.ts) gives the status of the conditions, what happened their message.
 *
 *   config + health → STATE → conditions → one write
 */
import type { ExportConfig } from '../model/exportConfig.ts';
import { adviceFor, type ConditionReason, type ConfigReason } from '../model/reasons.ts';
import { type StateRow, type StreamState, stateOfHealth, states } from '../model/states.ts';
import type { StreamActivity, StreamFailure, StreamHealth } from '../model/streamHealth.ts';
import type { Condition, ExportStatus } from '../model/streamStatus.ts';

/** A manifest as it stands. */
export type ExportState =
  | { readonly kind: 'valid'; readonly config: StatedConfig }
  | {
      readonly kind: 'invalid';
      readonly generation: number;
      readonly reason: ConfigReason;
      /** One sentence each. */
      readonly problems: readonly string[];
      /** Still in force; null: there is nothing to run. */
      readonly lastGood: StatedConfig | null;
    };

/** What a status says of a config. */
interface StatedConfig extends Pick<ExportConfig, 'generation' | 'reconcileAt' | 'remarks'> {
  readonly destination: Pick<ExportConfig['destination'], 'url'>;
}

/** The version that entries are delivered by, if there is one. */
export function inForce(state: ExportState): StatedConfig | null {
  return state.kind === 'valid' ? state.config : state.lastGood;
}

interface Explained {
  readonly reason: ConditionReason;
  readonly message: string;
  /** Instead of that of the state. */
  readonly ready?: Condition['status'];
}

interface Summary extends Explained, Pick<StateRow, 'also'> {
  readonly ready: Condition['status'];
}

/**
 * @param health null: no stream runs for it.
 * @param previous those of the status before; a transition time moves only when the condition's status does.
 */
export function makeStatus(
  state: ExportState,
  health: StreamHealth | null,
  previous: readonly Condition[],
  now: Date,
): ExportStatus {
  const { generation } = state.kind === 'valid' ? state.config : state;
  const config = inForce(state);
  const { ready, reason, also, ...summary } = summarize(state, health, now);
  const remarks = (config?.remarks ?? []).map((remark) => remark.message);
  const message = [summary.message, ...remarks].join(' ').slice(0, maxMessageLength);
  const makeCondition = (type: Condition['type'], status: Condition['status']): Condition => {
    const before = previous.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now.toISOString();
    return { type, status, reason, message, lastTransitionTime, observedGeneration: generation };
  };
  return {
    observedGeneration: generation,
    ...(config && { resolvedEndpoint: showEndpoint(config.destination.url) }),
    conditions: [makeCondition('Ready', ready), ...(also ? [makeCondition(also, 'True')] : [])],
    ...(health?.lastError ? { lastError: health.lastError } : {}),
    ...(health?.lastDeliveryAt ? { lastDeliveryTime: health.lastDeliveryAt } : {}),
    ...(health && !uncounted.includes(health.activity)
      ? { deliveredEntries: health.delivered, parkedEntries: health.parked }
      : {}),
    ...(health && health.pending !== null ? { pendingEntries: health.pending } : {}),
    ...(health && health.rejected > 0 ? { rejectedEntries: health.rejected } : {}),
    ...(health?.oldestPendingAt ? { oldestPendingTime: health.oldestPendingAt } : {}),
    ...(health?.replay ? { replay: health.replay } : {}),
    ...(config?.reconcileAt === undefined ? {} : { lastHandledReconcileAt: config.reconcileAt }),
  };
}

/** Nothing of this process has read the counters. */
const uncounted: readonly StreamActivity[] = ['unclaimed', 'waiting-for-database'];

/** Limit of a condition's message in the Kubernetes API. */
const maxMessageLength = 32_768;

/** Without the query: some receivers take their token there, and everyone who may view a config reads its status. */
function showEndpoint(url: URL): string {
  return `${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}`;
}

function summarize(state: ExportState, health: StreamHealth | null, now: Date): Summary {
  if (state.kind === 'invalid') {
    const rest = state.lastGood
      ? 'Until it is fixed, the last good version stays in force.'
      : 'Nothing is exported until it is fixed.';
    const { ready, also } = states.misconfigured;
    return { ready, also, reason: state.reason, message: `${state.problems.join(' ')} ${rest}` };
  }
  const name = health ? stateOfHealth(health, now.getTime()) : 'starting';
  const { ready, also } = states[name];
  return { ready, also, ...explain(name, health) };
}

function explain(name: StreamState, health: StreamHealth | null): Explained {
  if (!health || name === 'starting') return { reason: 'Progressing', message: describeStart(health) };
  switch (name) {
    case 'suspended':
      return {
        reason: 'Suspended',
        message: 'Suspended by spec.suspend: entries are kept, and delivered once it is false.',
      };
    case 'holding':
    case 'retrying':
    case 'database-unavailable':
      return describeFailure(health.failure);
    case 'nothing-sent':
      return { reason: 'NothingSent', message: describeNothingSent(health) };
    case 'incomplete':
    case 'incomplete-earlier': {
      const message = describeDelivery(health);
      // Nothing shows yet that the receiver keeps anything.
      return { reason: 'Incomplete', message, ...(health.delivered === 0 && { ready: 'Unknown' }) };
    }
    case 'catching-up':
    case 'delivering':
      return { reason: 'Delivering', message: describeDelivery(health) };
  }
}

function describeStart(health: StreamHealth | null): string {
  const { failure, isTryingAgain } = health ?? {};
  if (!failure || !isTryingAgain) return 'The export is starting.';
  return `The export is being tried with its present settings. The error before was: ${asSentence(failure.message)}`;
}

function describeFailure(failure: StreamFailure | null): Explained {
  if (!failure) return { reason: 'Progressing', message: 'The export is trying again.' };
  return { reason: failure.reason, message: withAdvice(failure) };
}

/** What happened and what to do: whoever reads a condition has no other place that says it. */
function withAdvice({ reason, message }: StreamFailure): string {
  return `${asSentence(message)} ${adviceFor(reason)}`;
}

function asSentence(message: string): string {
  return /[.?!]$/.test(message) ? message : `${message}.`;
}

function describeNothingSent(health: StreamHealth): string {
  const waiting = describeWaiting(health) ?? nothingWaits;
  return `Nothing has been sent yet, so nothing shows that the receiver accepts entries. ${waiting} It is ready with the first entry that the receiver accepts.`;
}

const nothingWaits = 'No entry waits.';

/** null: nothing waits. */
function describeWaiting({ pending, isBehind, ratePerSecond }: StreamHealth): string | null {
  if (pending !== null && pending > 0) {
    const rate = ratePerSecond >= 1 ? `, ${Math.round(ratePerSecond)} a second are delivered` : '';
    return `${count(pending, 'entry is', 'entries are')} pending${rate}.`;
  }
  return isBehind ? 'Entries are being delivered; how many wait is not known yet.' : null;
}

function describeDelivery(health: StreamHealth): string {
  const { delivered, parked, rejected, failure } = health;
  const missing = count(parked + rejected, 'entry', 'entries');
  const sentences: string[] = [];
  const waiting = describeWaiting(health);
  if (waiting !== null) sentences.push(waiting);
  else if (parked + rejected === 0) sentences.push('Every entry is delivered.');
  else sentences.push(delivered === 0 ? 'No entry is delivered.' : `All but ${missing} are delivered.`);
  if (parked > 0) {
    sentences.push(
      `${count(parked, 'is', 'are')} parked: the receiver refuses ${parked === 1 ? 'it, or it' : 'them, or they'} cannot be read. Fix the cause, then replay with select audit.replay_parked(…).`,
    );
  }
  if (failure) sentences.push(withAdvice(failure));
  else if (rejected > 0) {
    sentences.push(
      `The receiver rejected ${count(rejected, 'entry', 'entries')} without saying which: compare it with the table.`,
    );
  }
  return sentences.join(' ');
}

/** Whether a status claims that nothing waits. The publisher takes such a claim back as soon as it stops being true. */
export function claimsNothingWaits({ conditions }: ExportStatus): boolean {
  const ready = conditions.find((condition) => condition.type === 'Ready');
  if (!ready || ready.status === 'False') return false;
  return (
    /^(?:Every entry is|All but|No entry is) /.test(ready.message) || ready.message.includes(nothingWaits)
  );
}

function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}
