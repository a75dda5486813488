/** Says whether a destination has an entry: state → word, colour, icon and detail. */
import type { DeliveryState } from '../../database/deliveries.ts';
import { reasonGroups } from '../../model/reasons.ts';
import type { StateName } from '../../model/states.ts';
import type { LastError } from '../../model/streamStatus.ts';
import type { DeliveryView } from '../views/entryViews.ts';

/** Where an entry goes, or went. */
export interface EntryDestination {
  readonly name: string;
  /** 'deleted': its config is gone. 'unknown': the configs could not be read. */
  readonly state: StateName | 'deleted' | 'unknown';
  /** Its settings; null: there are none to open. */
  readonly url: string | null;
  /** null: none, or not known. */
  readonly lastError: LastError | null;
  /** How many entries the receiver has rejected without saying which. */
  readonly rejected: number;
  /** A replica sends it: of settings that cannot be used, the last good ones are in force. */
  readonly isHeld: boolean;
  /** How far the clocks of collector and database are apart, as far as is known. */
  readonly clockSkewMs: number;
}

export function describeDelivery(destination: EntryDestination, state: DeliveryState): DeliveryView {
  const { name } = destination;
  return {
    destination: destination.state === 'deleted' ? `${name} (deleted)` : name,
    detail: '',
    times: [],
    link: null,
    ...describeState(destination, state),
  };
}

type StateView = Pick<DeliveryView, 'tone' | 'icon' | 'word'> & Partial<DeliveryView>;

function describeState(destination: EntryDestination, state: DeliveryState): StateView {
  switch (state.kind) {
    case 'delivered': {
      const { notBefore, notAfter } = state;
      const times = [
        ...(notBefore ? [{ label: notAfter ? 'Between' : 'After', at: notBefore }] : []),
        ...(notAfter ? [{ label: notBefore ? 'and' : 'By', at: notAfter }] : []),
      ];
      if (!mayBeRejected(destination, state))
        return { tone: 'good', icon: 'check', word: 'Delivered', detail: describeNumbers(state), times };
      const count = destination.rejected === 1 ? '1 entry' : `${destination.rejected} entries`;
      const detail = `The receiver took the request, but it has rejected ${count} without saying which. This may be one of them: look for it there.`;
      return { tone: 'warn', icon: 'alert', word: 'Delivered or rejected', detail, times };
    }
    case 'pending':
      return describePending(destination);
    case 'parked': {
      const status = state.httpStatus === null ? '' : ` (HTTP ${state.httpStatus})`;
      const what = Object.hasOwn(reasonGroups.setAside, state.reason)
        ? 'It could not be sent'
        : 'The receiver refused it';
      const next =
        destination.state === 'deleted'
          ? 'The destination was deleted, so it is not sent again.'
          : state.replayRequested
            ? `A replay was asked for. ${describePending(destination).detail}`
            : 'It stays parked until someone replays it.';
      const detail = `${what}${status}: ${state.message} ${next}`;
      const times = [{ label: 'Parked', at: state.parkedAt }];
      return { tone: 'bad', icon: 'parked', word: 'Parked', detail, times };
    }
    case 'excluded':
      return idle('minus', 'Filtered out', 'This destination’s filter excludes it.');
    case 'before-start':
      return idle('minus', 'Not sent', 'It is older than the start of this export.');
    case 'unrecorded': {
      const detail = 'Delivered before deliveries were recorded, or older than the start of this export.';
      return idle('info', 'Not recorded', detail);
    }
  }
}

/** A number that is missing at the receiver is a lost record. */
function describeNumbers({ numbers }: Extract<DeliveryState, { kind: 'delivered' }>): string {
  if (numbers === undefined) return '';
  const [first, last] = [numbers.first, numbers.last].map((number) => number.toLocaleString('en-US'));
  return first === last
    ? `It is number ${first} there.`
    : `It is one of the numbers ${first} to ${last} there.`;
}

function idle(icon: string, word: string, detail: string): StateView {
  return { tone: 'idle', icon, word, detail };
}

function describePending({ name, state, url, lastError, isHeld }: EntryDestination): StateView {
  const waiting = (detail: string, linkWords?: string): StateView => ({
    ...{ tone: 'warn', icon: 'clock', word: 'Pending', detail },
    link: linkWords !== undefined && url !== null ? { url, words: linkWords } : null,
  });
  const why = lastError === null ? '' : ` (${codeOf(lastError)})`;
  switch (state) {
    case 'deleted':
      return { tone: 'bad', icon: 'minus', word: 'Not delivered', detail: 'The destination was deleted.' };
    case 'holding':
      return { ...waiting(`Waiting: ${name} is stopped${why}.`, 'Fix it'), tone: 'bad' };
    case 'misconfigured':
      if (isHeld)
        return waiting(
          `Not delivered yet. The configuration of ${name} cannot be used; its last good version stays in force.`,
          'Fix it',
        );
      return { ...waiting(`Waiting: the configuration of ${name} cannot be used.`, 'Fix it'), tone: 'bad' };
    case 'retrying':
      return waiting(
        `Waiting: ${name} does not accept entries right now${why}. Each is kept and retried.`,
        'See why',
      );
    case 'suspended':
      return waiting(`Waiting until ${name} is resumed.`, 'Open it');
    case 'database-unavailable':
      return waiting('Waiting: the collector cannot use its database right now.');
    case 'not-reporting':
      return waiting(`Waiting: no collector reports on ${name} right now.`, 'Open it');
    case 'unknown':
      return waiting('Not delivered yet. The destinations cannot be read right now.');
    case 'starting':
    case 'nothing-sent':
    case 'delivering':
    case 'catching-up':
    case 'incomplete':
    case 'incomplete-earlier':
      return waiting('Not delivered yet: it waits for its turn.');
  }
}

/** A 2xx sounds as if nothing were wrong. */
function codeOf({ httpStatus, reason }: LastError): string {
  return httpStatus === undefined || httpStatus < 300 ? reason : `${httpStatus}`;
}

/** The error tells when one partly rejected request was answered. Of several, nobody knows which took the entry. */
function mayBeRejected(
  { rejected, lastError, clockSkewMs }: EntryDestination,
  { notBefore, notAfter }: Extract<DeliveryState, { kind: 'delivered' }>,
): boolean {
  if (rejected === 0) return false;
  const [, only] = /rejected (\d+) of the entries/.exec(lastError?.message ?? '') ?? [];
  if (lastError?.reason !== 'PartialSuccess' || Number(only) !== rejected) return true;
  const at = Date.parse(lastError.time);
  // The error has the time of the collector, the delivery that of the database.
  const toleranceMs = leastToleranceMs + clockSkewMs;
  return (
    at >= Date.parse(notBefore ?? '1970') - toleranceMs &&
    at <= (notAfter === null ? Infinity : Date.parse(notAfter)) + toleranceMs
  );
}

const leastToleranceMs = 2_000;
