/** Says whether a destination has an entry: state → word, colour, icon and detail. */
import type { DeliveryState } from '../../database/deliveries.ts';
import { reasonGroups } from '../../model/reasons.ts';
import type { DeliveryView } from '../views/entryViews.ts';

export function describeDelivery(destination: string, state: DeliveryState): DeliveryView {
  switch (state.kind) {
    case 'delivered': {
      const { notBefore, notAfter } = state;
      const times = [
        ...(notBefore ? [{ label: notAfter ? 'Between' : 'After', at: notBefore }] : []),
        ...(notAfter ? [{ label: notBefore ? 'and' : 'By', at: notAfter }] : []),
      ];
      return { destination, tone: 'good', icon: 'check', word: 'Delivered', detail: '', times };
    }
    case 'pending':
      return {
        destination,
        tone: 'warn',
        icon: 'clock',
        word: 'Pending',
        detail: 'Not delivered yet. It will be sent.',
        times: [],
      };
    case 'parked': {
      const status = state.httpStatus === null ? '' : ` (HTTP ${state.httpStatus})`;
      const next = state.replayRequested
        ? 'It will be sent again shortly.'
        : 'It stays parked until someone replays it.';
      return {
        destination,
        tone: 'bad',
        icon: 'parked',
        word: 'Parked',
        detail: `${Object.hasOwn(reasonGroups.setAside, state.reason) ? 'It could not be sent' : 'The receiver refused it'}${status}: ${state.message} ${next}`,
        times: [{ label: 'Parked', at: state.parkedAt }],
      };
    }
    case 'excluded':
      return {
        destination,
        tone: 'idle',
        icon: 'minus',
        word: 'Filtered out',
        detail: 'This destination’s filter excludes it.',
        times: [],
      };
    case 'before-start':
      return {
        destination,
        tone: 'idle',
        icon: 'minus',
        word: 'Not sent',
        detail: 'It is older than the start of this export.',
        times: [],
      };
    case 'unrecorded':
      return {
        destination,
        tone: 'idle',
        icon: 'info',
        word: 'Not recorded',
        detail: 'Delivered before deliveries were recorded, or older than the start of this export.',
        times: [],
      };
  }
}
