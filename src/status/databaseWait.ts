/**
 * What a collector says of the exports while it waits for its database at the start: a status of an earlier run may be green, and
 * if there is no other collector, nobody else takes that back.
 */
import { nothingKnown, type StreamHealth } from '../model/streamHealth.ts';
import type { ExportStatus } from '../model/streamStatus.ts';
import { type ExportState, inForce, makeStatus } from './conditions.ts';
import type { StatusDecision } from './exportStatus.ts';

/** A database that is being restarted, or a migration that comes with the first install, changes no status before. */
const patienceMs = 5_000;

/** So that the timer does not come before the clock says so. */
const timerErrorMs = 100;

export class DatabaseWait {
  readonly #since = Date.now();
  readonly #onNews: () => void;
  readonly #timer: NodeJS.Timeout;
  #sentence = 'The database has not answered yet.';
  #isAlone = true;

  /** `onNews` is called when there may be another status to write. */
  constructor(onNews: () => void) {
    this.#onNews = onNews;
    this.#timer = setTimeout(onNews, patienceMs + timerErrorMs);
  }

  /** The database was tried and cannot be used. `isAlone`: no other collector is known to work with it. */
  tried(sentence: string, isAlone: boolean): void {
    this.#sentence = sentence;
    this.#isAlone = isAlone;
    this.#onNews();
  }

  /** The wait is over, in whatever way. */
  end(): void {
    clearTimeout(this.#timer);
  }

  decide(state: ExportState, standing: ExportStatus | null, now: Date): StatusDecision {
    const isSilent = !this.#isAlone || now.getTime() - this.#since < patienceMs;
    if ((isSilent && inForce(state)) || isStillSuspended(state, standing)) return { kind: 'stands' };
    const health = waiting(this.#sentence, this.#since);
    const status = makeStatus(state, health, standing?.conditions ?? [], now);
    return { kind: 'write', status: { ...whatStays(standing), ...status } };
  }
}

/** Nothing would be sent with the database either, as the status says of this very version. */
function isStillSuspended(state: ExportState, standing: ExportStatus | null): boolean {
  const ready = standing?.conditions.find((condition) => condition.type === 'Ready');
  return (
    ready?.reason === 'Suspended' &&
    state.kind === 'valid' &&
    standing?.observedGeneration === state.config.generation
  );
}

/** None of it depends on whether the database answers; what is pending does. */
function whatStays(standing: ExportStatus | null): Partial<ExportStatus> {
  if (!standing) return {};
  const { lastError, lastDeliveryTime, deliveredEntries, parkedEntries, rejectedEntries, replay } = standing;
  return {
    ...(lastError && { lastError }),
    ...(lastDeliveryTime !== undefined && { lastDeliveryTime }),
    ...(deliveredEntries !== undefined && { deliveredEntries }),
    ...(parkedEntries !== undefined && { parkedEntries }),
    ...(rejectedEntries !== undefined && { rejectedEntries }),
    ...(replay && { replay }),
  };
}

function waiting(sentence: string, since: number): StreamHealth {
  return {
    activity: 'waiting-for-database',
    failure: {
      reason: 'DatabaseUnavailable',
      message: `This collector has just started and cannot work yet. ${sentence} Until it can, nothing is known of new entries, and nothing is sent.`,
      since,
    },
    ...nothingKnown,
  };
}
