/**
 * Says how an export is doing, once, from pure checks: the first that applies gives the reason and the message.
 *
 *   config + health → CHECKS → conditions → one write
 */
import type { ExportConfig } from '../model/exportConfig.ts';
import { adviceFor, type ConditionReason, type ConfigReason } from '../model/reasons.ts';
import type { StreamFailure, StreamHealth } from '../model/streamHealth.ts';
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

interface Summary {
  readonly ready: Condition['status'];
  readonly reason: ConditionReason;
  readonly message: string;
  /** Stalled: until a person changes something. Reconciling: the collector is working on it. */
  readonly also: 'Stalled' | 'Reconciling' | null;
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
  const { ready, reason, also, ...summary } = summarize(state, health);
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
    ...(health && health.activity !== 'unclaimed'
      ? { deliveredEntries: health.delivered, parkedEntries: health.parked }
      : {}),
    ...(health && health.pending !== null ? { pendingEntries: health.pending } : {}),
    ...(health && health.rejected > 0 ? { rejectedEntries: health.rejected } : {}),
    ...(health?.oldestPendingAt ? { oldestPendingTime: health.oldestPendingAt } : {}),
    ...(config?.reconcileAt === undefined ? {} : { lastHandledReconcileAt: config.reconcileAt }),
  };
}

/** Limit of a condition's message in the Kubernetes API. */
const maxMessageLength = 32_768;

/** Without the query: some receivers take their token there, and everyone who may view a config reads its status. */
function showEndpoint(url: URL): string {
  return `${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}`;
}

function summarize(state: ExportState, health: StreamHealth | null): Summary {
  if (state.kind === 'invalid') {
    const rest = state.lastGood
      ? 'Until it is fixed, the last good version stays in force.'
      : 'Nothing is exported until it is fixed.';
    const message = `${state.problems.join(' ')} ${rest}`;
    return { ready: 'False', reason: state.reason, message, also: 'Stalled' };
  }
  if (!health || health.activity === 'starting') {
    const message = 'The export is starting.';
    return { ready: 'Unknown', reason: 'Progressing', message, also: 'Reconciling' };
  }
  const { failure } = health;
  switch (health.activity) {
    case 'suspended':
      return {
        ready: 'False',
        reason: 'Suspended',
        message: 'Suspended by spec.suspend: entries are kept, and delivered once it is false.',
        also: null,
      };
    case 'holding':
    case 'unclaimed':
      return { ready: 'False', ...describe(failure), also: 'Stalled' };
    case 'retrying':
    case 'database-unavailable':
      return { ready: 'False', ...describe(failure), also: 'Reconciling' };
    case 'idle':
    case 'delivering':
      return { ready: 'True', reason: 'Delivering', message: describeDelivery(health), also: null };
  }
}

function describe(failure: StreamFailure | null): Pick<Summary, 'reason' | 'message'> {
  if (!failure) return { reason: 'Progressing', message: 'The export is trying again.' };
  return { reason: failure.reason, message: withAdvice(failure) };
}

/** What happened and what to do: whoever reads a condition has no other place that says it. */
function withAdvice({ reason, message }: StreamFailure): string {
  return `${message}${/[.?!]$/.test(message) ? '' : '.'} ${adviceFor(reason)}`;
}

function describeDelivery(health: StreamHealth): string {
  const { pending, parked, rejected, isBehind, failure, ratePerSecond } = health;
  const missing = parked + rejected;
  const sentences: string[] = [];
  if (pending !== null && pending > 0) {
    const rate = ratePerSecond >= 1 ? `, ${Math.round(ratePerSecond)} a second are delivered` : '';
    sentences.push(`${count(pending, 'entry is', 'entries are')} pending${rate}.`);
  } else if (isBehind) sentences.push('Entries are being delivered; how many wait is not known yet.');
  else if (missing > 0) sentences.push(`All but ${count(missing, 'entry is', 'entries are')} delivered.`);
  else sentences.push('Every entry is delivered.');
  if (parked > 0) {
    sentences.push(
      `${count(parked, 'entry that the receiver refuses, or that cannot be read, is', 'entries that the receiver refuses, or that cannot be read, are')} parked: fix the cause, then replay with select audit.replay_parked(…).`,
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
export function claimsAllDelivered({ conditions }: ExportStatus): boolean {
  const ready = conditions.find((condition) => condition.type === 'Ready');
  return ready?.status === 'True' && /^(?:Every entry is|All but) /.test(ready.message);
}

function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}
