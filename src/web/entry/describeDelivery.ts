/** Says whether a destination has an entry: state → word, colour, icon and detail. */
import type { DeliveryState } from '../../database/deliveries.ts';
import { reasonGroups } from '../../model/reasons.ts';
import type { DeliveryView } from '../views/entryViews.ts';

export function describeDelivery(destination: string, state: DeliveryState): DeliveryView {
  return { destination, detail: '', times: [], ...describeState(state) };
}

type StateView = Pick<DeliveryView, 'tone' | 'icon' | 'word'> & Partial<DeliveryView>;

function describeState(state: DeliveryState): StateView {
  switch (state.kind) {
    case 'delivered': {
      const { notBefore, notAfter } = state;
      const times = [
        ...(notBefore ? [{ label: notAfter ? 'Between' : 'After', at: notBefore }] : []),
        ...(notAfter ? [{ label: notBefore ? 'and' : 'By', at: notAfter }] : []),
      ];
      return { tone: 'good', icon: 'check', word: 'Delivered', times };
    }
    case 'pending':
      return { tone: 'warn', icon: 'clock', word: 'Pending', detail: 'Not delivered yet. It will be sent.' };
    case 'parked': {
      const status = state.httpStatus === null ? '' : ` (HTTP ${state.httpStatus})`;
      const what = Object.hasOwn(reasonGroups.setAside, state.reason)
        ? 'It could not be sent'
        : 'The receiver refused it';
      const next = state.replayRequested
        ? 'It will be sent again shortly.'
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

function idle(icon: string, word: string, detail: string): StateView {
  return { tone: 'idle', icon, word, detail };
}
