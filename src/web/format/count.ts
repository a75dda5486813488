/** Writes numbers of entries. */
const thousands = new Intl.NumberFormat('en-US');

/** `1,204`. */
export function formatCount(count: number): string {
  return thousands.format(count);
}

/** `1 entry`, `1,204 entries`, `No entries`. */
export function formatEntries(count: number): string {
  if (count === 0) return 'No entries';
  return `${formatCount(count)} ${count === 1 ? 'entry' : 'entries'}`;
}

/** `37 %` of a share from 0 to 1: never `100 %` of less than all, nor `0 %` of something. */
export function formatPercent(share: number): string {
  const percent = Math.floor(share * 100);
  return percent === 0 && share > 0 ? 'less than 1 %' : `${percent} %`;
}
