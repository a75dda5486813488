/**
 * The state of a destination as the page knows it: from its manifest, its status, and its stream's row, which says what moved
 * since and whether a collector still reports at all.
 */
import { attemptReasons } from '../../model/reasons.ts';
import { type Counters, type StateName, stateOfCounters, states } from '../../model/states.ts';
import type { Condition, LastError } from '../../model/streamStatus.ts';
import { printConfigId } from './addresses.ts';
import type { StreamedConfig } from './joinStreams.ts';

/** A stream that nobody holds is taken within a poll; a moment is a hand-over. */
const handOverMs = 5_000;
/** A save is picked up within seconds. Longer than this, the old error is the news that there is. */
const tryingForMs = 60_000;

export function stateOf(destination: StreamedConfig, now: number): StateName {
  const { config, stream, isDatabaseAway } = destination;
  if (config.problems.length > 0) return 'misconfigured';
  if (isDatabaseAway) return 'database-unavailable';
  if (stream !== null && !stream.isHeld && now - Date.parse(stream.heldUntil ?? '1970') > handOverMs)
    return config.status === null ? 'starting' : 'not-reporting';
  if (config.spec.suspend) return 'suspended';
  const ready = config.status?.conditions.find(({ type }) => type === 'Ready');
  // From before it was resumed.
  if (!ready || ready.reason === 'Suspended') return 'starting';
  if (isOfPreviousSettings(destination, now)) return 'starting';
  return newerFailure(destination) ?? stateOfReady(destination, ready, now);
}

/** Whether the error that stands was made by settings, or by a try, that someone has replaced since. */
export function isOfPreviousSettings(destination: StreamedConfig, now: number): boolean {
  const { changedAt, config } = destination;
  const error = findLastError(destination);
  if (error === null || error.resolvedTime !== undefined) return false;
  const ready = config.status?.conditions.find(({ type }) => type === 'Ready');
  if (ready?.reason === 'Progressing') return newerFailure(destination) === null;
  // Where the clocks of collector and database differ by more, no order can be told: what is known stands.
  if (changedAt == null || Math.abs(now - Date.parse(changedAt)) > tryingForMs) return false;
  return Date.parse(error.time) < Date.parse(changedAt);
}

/** The later of the two: the status may lag behind the row. */
export function findLastError({ config, stream }: StreamedConfig): LastError | null {
  const known = [stream?.lastError, config.status?.lastError].filter((error) => error != null);
  return known.toSorted((a, b) => newsAt(b) - newsAt(a))[0] ?? null;
}

function newsAt(error: LastError | undefined): number {
  return error === undefined ? 0 : Date.parse(error.resolvedTime ?? error.time);
}

/** What the row says and the status does not yet: null: nothing. */
function newerFailure({ config, stream }: StreamedConfig): StateName | null {
  const error = stream?.lastError;
  if (!error || error.resolvedTime !== undefined || newsAt(error) <= newsAt(config.status?.lastError))
    return null;
  if (!Object.hasOwn(attemptReasons, error.reason)) return null;
  const { reaction } = attemptReasons[error.reason as keyof typeof attemptReasons];
  return reaction === 'hold' ? 'holding' : 'retrying';
}

function stateOfReady(destination: StreamedConfig, ready: Condition, now: number): StateName {
  if (ready.status === 'True' || ready.reason === 'NothingSent' || ready.reason === 'Incomplete')
    return stateOfCounters(countersOf(destination), now);
  if (ready.status === 'Unknown') return 'starting';
  if (databaseReasons.includes(ready.reason)) return 'database-unavailable';
  const { conditions = [] } = destination.config.status ?? {};
  return conditions.some(({ type }) => type === 'Stalled') ? 'holding' : 'retrying';
}

const databaseReasons: readonly string[] = ['DatabaseUnavailable', 'DatabaseNotPrimary'];

/** What moves is from the row, what is counted now and then from the status. */
export function countersOf(destination: StreamedConfig): Counters {
  const { config, stream } = destination;
  const { status } = config;
  return {
    delivered: stream?.delivered ?? status?.deliveredEntries ?? 0,
    rejected: stream?.rejected ?? status?.rejectedEntries ?? 0,
    parked: stream?.parked ?? status?.parkedEntries ?? 0,
    pending: status?.pendingEntries ?? null,
    oldestPendingAt: status?.oldestPendingTime ?? null,
    lastError: findLastError(destination),
  };
}

/** Since when it is so, as far as that is known: RFC 3339. */
export function sinceOf(destination: StreamedConfig, state: StateName): string | null {
  const { config, stream } = destination;
  if (state === 'not-reporting') return stream?.heldUntil ?? stream?.lastDeliveryAt ?? null;
  if (states[state].trouble !== 'failing') return null;
  const ready = config.status?.conditions.find(({ type }) => type === 'Ready');
  return ready?.status === 'False' ? ready.lastTransitionTime || null : null;
}

/** Failing first, then those that lack entries, then by name. */
export function sortByTrouble<T extends StreamedConfig>(destinations: readonly T[], now: number): T[] {
  const rank = (destination: StreamedConfig): number => {
    const { trouble } = states[stateOf(destination, now)];
    return trouble === 'failing' ? 0 : trouble === 'missing' ? 1 : 2;
  };
  return destinations.toSorted(
    (a, b) => rank(a) - rank(b) || printConfigId(a.config.id).localeCompare(printConfigId(b.config.id)),
  );
}
