/** Says how long an organization's entries are kept, and what keeps those whose time has come. */
import type { RetentionView } from '../../database/retention.ts';
import type { RetentionDrawerView } from '../views/retentionViews.ts';

type Words = Pick<RetentionDrawerView, 'period' | 'waiting'>;

export function describeRetention(view: RetentionView): Words {
  const { keep, undelivered, parked, held, unsealed, waitsFor } = view;
  if (keep === null) return { period: 'Entries are kept forever.', waiting: [] };
  const names = waitsFor.length === 0 ? 'a destination' : waitsFor.map(shortName).join(', ');
  return {
    period: `Entries are kept for ${describeInterval(keep)}, by their date. Older ones are deleted once every destination has them.`,
    waiting: [
      ...(undelivered > 0 ? [`${count(undelivered)} past the period, not delivered to ${names} yet.`] : []),
      ...(parked > 0 ? [`${count(parked)} past the period, parked for ${names}.`] : []),
      ...(unsealed > 0 ? [`${count(unsealed)} past the period, not sealed yet.`] : []),
      ...(held > 0 ? [`${count(held)} past the period, held.`] : []),
    ],
  };
}

/** Postgres says `365 days`, `7 years`, `1 mon`, `12:00:00`. */
export function describeInterval(text: string): string {
  return text
    .replace(/\bmons?\b/g, (word) => (word === 'mon' ? 'month' : 'months'))
    .replace(/\b0*(\d+):00:00$/, (_, hours: string) => `${hours} ${hours === '1' ? 'hour' : 'hours'}`)
    .replace(
      /\b00:0*(\d+):00$/,
      (_, minutes: string) => `${minutes} ${minutes === '1' ? 'minute' : 'minutes'}`,
    )
    .replace(
      /\b00:00:0*(\d+)$/,
      (_, seconds: string) => `${seconds} ${seconds === '1' ? 'second' : 'seconds'}`,
    );
}

function count(entries: number): string {
  return entries === 1 ? '1 entry stays' : `${entries.toLocaleString('en-US')} entries stay`;
}

/** The page calls a destination by its name, without its namespace. */
function shortName(destination: string): string {
  return destination.slice(destination.indexOf('.') + 1);
}
