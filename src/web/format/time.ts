/** Writes points in time, all in UTC; the browser rewrites `<time>` for viewers who chose local time. */
import { escapeHtml } from './html.ts';

/** `2026-02-03 14:05:09` of an RFC 3339 time, in UTC. */
export function formatUtc(at: string | Date): string {
  return toDate(at).toISOString().slice(0, 19).replace('T', ' ');
}

const steps: ReadonlyArray<readonly [limitSeconds: number, unitSeconds: number, unit: string]> = [
  [60, 1, 'sec'],
  [3_600, 60, 'min'],
  [86_400, 3_600, 'h'],
  [30 * 86_400, 86_400, 'd'],
  [365 * 86_400, 30 * 86_400, 'mo'],
  [Number.POSITIVE_INFINITY, 365 * 86_400, 'y'],
];

/** `just now`, `5 min ago`, `in 2 h`: whole units, rounded down. */
export function formatRelative(at: string | Date, now: Date): string {
  const seconds = Math.trunc((now.getTime() - toDate(at).getTime()) / 1_000);
  const distance = Math.abs(seconds);
  if (distance < 5) return 'just now';
  const [, unitSeconds, unit] = steps.find(([limit]) => distance < limit) ?? [0, 1, 'sec'];
  const words = `${Math.floor(distance / unitSeconds)} ${unit}`;
  return seconds < 0 ? `in ${words}` : `${words} ago`;
}

/**
 * `<time>` with the exact time, in UTC. app.js shows local time instead: with `chosen` if the viewer chose that, with `local`
 * always, with `utc` never.
 */
export function timeElement(at: string | Date, zone: 'chosen' | 'utc' | 'local' = 'chosen'): string {
  return `<time datetime="${escapeHtml(toText(at))}" data-zone="${zone}">${formatUtc(at)} UTC</time>`;
}

/** `<time>` with the distance from now; app.js keeps it up to date. */
export function agoElement(at: string | Date, now = new Date()): string {
  return `<time datetime="${escapeHtml(toText(at))}" data-ago="">${formatRelative(at, now)}</time>`;
}

function toDate(at: string | Date): Date {
  return typeof at === 'string' ? new Date(at) : at;
}

function toText(at: string | Date): string {
  return typeof at === 'string' ? at : at.toISOString();
}
