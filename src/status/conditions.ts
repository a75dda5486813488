/**
 * Says how an export is doing, once, from pure checks: the first that applies gives the reason and the message.
 *
 *   config + health → CHECKS → conditions → one write
 */
import { adviceFor, type ConditionReason, type ConfigReason } from '../model/reasons.ts';
import type { StreamFailure, StreamHealth } from '../model/streamHealth.ts';
import type { Condition, ExportStatus } from '../model/streamStatus.ts';

/** What is wrong with a manifest, or with something it refers to. */
export interface ConfigProblem {
  readonly reason: ConfigReason;
  /** One sentence each. */
  readonly problems: readonly string[];
  /** An earlier version of the manifest is still in force. */
  readonly lastGoodRuns: boolean;
}

export interface StatusInput {
  readonly generation: number;
  readonly resolvedEndpoint: URL | null;
  /** Of the config in force; null when it has none. */
  readonly reconcileAt: string | null;
  readonly problem: ConfigProblem | null;
  /** Of the config in force: sentences that follow whatever else there is to say. */
  readonly remarks?: readonly string[];
  /** null: no stream runs for it. */
  readonly health: StreamHealth | null;
  /** Of the status before; a transition time moves only when the condition's status does. */
  readonly previous: readonly Condition[];
  readonly now: Date;
}

interface Summary {
  readonly ready: Condition['status'];
  readonly reason: ConditionReason;
  readonly message: string;
  /** Stalled: until a person changes something. Reconciling: the collector is working on it. */
  readonly also: 'Stalled' | 'Reconciling' | null;
}

export function makeStatus(input: StatusInput): ExportStatus {
  const { health } = input;
  const summary = summarize(input);
  return {
    observedGeneration: input.generation,
    ...(input.resolvedEndpoint === null ? {} : { resolvedEndpoint: showEndpoint(input.resolvedEndpoint) }),
    conditions: toConditions(summary, input),
    ...(health?.lastError ? { lastError: health.lastError } : {}),
    ...(health?.lastDeliveryAt ? { lastDeliveryTime: health.lastDeliveryAt } : {}),
    ...(health && health.activity !== 'unclaimed'
      ? { deliveredEntries: health.delivered, parkedEntries: health.parked }
      : {}),
    ...(health && health.pending !== null ? { pendingEntries: health.pending } : {}),
    ...(health && health.rejected > 0 ? { rejectedEntries: health.rejected } : {}),
    ...(health?.oldestPendingAt ? { oldestPendingTime: health.oldestPendingAt } : {}),
    ...(input.reconcileAt === null ? {} : { lastHandledReconcileAt: input.reconcileAt }),
  };
}

/** Without the query: some receivers take their token there, and everyone who may view a config reads its status. */
function showEndpoint(url: URL): string {
  return `${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}`;
}

function summarize({ problem, health }: StatusInput): Summary {
  if (problem) {
    const rest = problem.lastGoodRuns
      ? 'Until it is fixed, the last good version stays in force.'
      : 'Nothing is exported until it is fixed.';
    const message = `${problem.problems.join(' ')} ${rest}`;
    return { ready: 'False', reason: problem.reason, message, also: 'Stalled' };
  }
  if (!health || health.activity === 'starting') {
    return {
      ready: 'Unknown',
      reason: 'Progressing',
      message: 'The export is starting.',
      also: 'Reconciling',
    };
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
      `${count(rejected, 'entry was', 'entries were')} rejected by the receiver, without saying which: compare it with the table.`,
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

/** Limit of a condition's message in the Kubernetes API. */
const maxMessageLength = 32_768;

function toConditions(
  summary: Summary,
  { generation, previous, now, remarks = [] }: StatusInput,
): Condition[] {
  const make = (type: Condition['type'], status: Condition['status']): Condition => {
    const before = previous.find((condition) => condition.type === type);
    return {
      type,
      status,
      reason: summary.reason,
      message: [summary.message, ...remarks].join(' ').slice(0, maxMessageLength),
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : now.toISOString(),
      observedGeneration: generation,
    };
  };
  const ready = make('Ready', summary.ready);
  return summary.also ? [ready, make(summary.also, 'True')] : [ready];
}
