/** A replay of a range: a stream with an end, which sends entries once more that its own stream has sent, or left out, before. */
import type { LastError, ReplayState, ReplayStatus } from './streamStatus.ts';

/** Times are RFC 3339 in UTC. */
export interface Replay {
  /** What its records carry as `audit.replay.id`. */
  readonly id: string;
  /** Entries that occurred from `since` to before `until`. */
  readonly since: string;
  readonly until: string;
  readonly askedAt: string;
  readonly askedBy: string | null;
  /** null: it is waiting or under way. */
  readonly endedAt: string | null;
  /** null: nobody. */
  readonly canceledBy: string | null;
  /** Entries that it found when it began, by the filter of then; null: it has not begun, or they could not be counted in time. */
  readonly total: number | null;
  /** At most so many entries of the range were gone by retention when it was asked for. */
  readonly gone: number;
  readonly delivered: number;
  readonly rejected: number;
  readonly parked: number;
  /** The latest failure, with `resolvedTime` once it is over. */
  readonly lastError: LastError | null;
}

export function stateOfReplay({ endedAt, canceledBy, lastError, total, delivered }: Replay): ReplayState {
  if (canceledBy !== null) return 'Canceled';
  if (endedAt !== null) return 'Done';
  if (lastError !== null && lastError.resolvedTime === undefined) return 'Failing';
  return total === null && delivered === 0 ? 'Waiting' : 'Sending';
}

export function statusOfReplay(replay: Replay): ReplayStatus {
  const { id, since, until, total, endedAt } = replay;
  return {
    id,
    from: since,
    until,
    state: stateOfReplay(replay),
    sentEntries: replay.delivered,
    ...(total === null ? {} : { totalEntries: total }),
    message: describeReplay(replay),
    ...(endedAt === null ? {} : { endTime: endedAt }),
  };
}

/** What it has come to, in a few sentences. */
export function describeReplay(replay: Replay): string {
  const sentences = [describeProgress(replay)];
  const { parked, rejected, gone, lastError, canceledBy } = replay;
  if (parked > 0)
    sentences.push(
      parked === 1
        ? 'The receiver refused 1 entry of them, or it cannot be read; it is not tried again.'
        : `The receiver refused ${count(parked)} of them, or they cannot be read; they are not tried again.`,
    );
  if (rejected > 0) sentences.push(`The receiver rejected ${count(rejected)} without saying which.`);
  if (gone > 0)
    sentences.push(
      `Retention had let go of up to ${count(gone)} dated in this range before, which cannot be sent.`,
    );
  if (canceledBy !== null) sentences.push(`It was canceled by ${canceledBy}.`);
  else if (lastError !== null && lastError.resolvedTime === undefined) sentences.push(lastError.message);
  return sentences.join(' ');
}

function describeProgress(replay: Replay): string {
  const { delivered, total, parked, rejected, endedAt, canceledBy } = replay;
  const done = delivered + parked + rejected;
  switch (stateOfReplay(replay)) {
    case 'Waiting':
      return 'It waits for its turn: new entries and earlier replays go first, and a suspended export sends none.';
    case 'Sending':
    case 'Failing':
    case 'Canceled':
      return total === null
        ? `${count(delivered)} sent again.`
        : `${delivered} of ${count(total)} sent again.`;
    case 'Done': {
      const missing = total !== null && endedAt !== null && canceledBy === null ? total - done : 0;
      const lost =
        missing > 0
          ? ` ${count(missing)} ${missing === 1 ? 'was counted at its start and was' : 'were counted at its start and were'} gone when it came to ${missing === 1 ? 'it' : 'them'}.`
          : '';
      return delivered === 0 && total === 0
        ? 'There was no entry in this range to send.'
        : `${count(delivered)} sent again.${lost}`;
    }
  }
}

function count(entries: number): string {
  return `${entries.toLocaleString('en-US')} ${entries === 1 ? 'entry' : 'entries'}`;
}
