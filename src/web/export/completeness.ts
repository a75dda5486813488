/** Says whether the numbers of a stream add up: what a receiver should have. */
import type { StreamView } from '../../database/streamViews.ts';
import { formatCount } from '../format/count.ts';

/** Such as `Numbers 1 to 1,567: 1,566 accepted, 1 parked, 0 rejected, none missing.` */
export function describeCompleteness({
  sequence,
  delivered,
  parked,
  rejected,
}: Pick<StreamView, 'sequence' | 'delivered' | 'parked' | 'rejected'>): string {
  if (sequence === 0) return 'No number was given to an entry yet.';
  const missing = sequence - delivered - parked - rejected;
  const rest =
    missing === 0
      ? 'none missing'
      : missing > 0
        ? `${formatCount(missing)} not accounted for, as after retention has let go of parked entries`
        : `${formatCount(-missing)} more than numbers, as after the database was set back`;
  return `Numbers 1 to ${formatCount(sequence)}: ${formatCount(delivered)} accepted, ${formatCount(parked)} parked, ${formatCount(rejected)} rejected, ${rest}.`;
}
