/**
 * Whether a text such as `2026-02-28T14:05:00.123456Z` names a time that exists; seconds and their fraction may be absent.
 * `Date` takes 31 February for a day in March.
 */
export function isRealTime(text: string): boolean {
  const date = new Date(text);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text.replace(/(?:\.\d+)?Z$/, ''));
}
