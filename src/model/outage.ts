/**
 * How long a destination has taken nothing, and when its organization is told: pure rules.
 *
 *   failure → since ──1 h──► told ──24 h──► told … ──delivery──► recovered
 */

/** As the stream's row keeps it, so that no restart, hand-over or second replica tells a level twice. */
export interface Outage {
  /** RFC 3339: since when nothing gets through. null: it does not fail right now, but has not delivered since it was told. */
  readonly since: string | null;
  /** How many levels of this failure were told. */
  readonly told: number;
  /** Since when that failed which was told and has not recovered; null: nothing was told. */
  readonly toldSince: string | null;
  /** How many entries had been delivered when it was told: more are a recovery, whoever delivered them. Absent: not known. */
  readonly delivered?: number;
}

const hourMs = 3_600_000;
/** After how many hours a failure is told. */
const levelHours = [1, 24, 72];
/** And then again each time after so many. */
const repeatHours = 72;

/** How many levels a failure has reached that has stood for so long. */
export function levelAfter(ms: number): number {
  const hours = ms / hourMs;
  const reached = levelHours.filter((each) => hours >= each).length;
  const last = levelHours.at(-1) ?? 0;
  return reached + Math.max(0, Math.floor((hours - last) / repeatHours));
}

/** `1 hour`, `24 hours`, `3 days`: rounded down. */
export function describeDuration(ms: number): string {
  const hours = Math.floor(ms / hourMs);
  if (hours < 0) return describeDuration(0);
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  if (hours >= 1) return hours === 1 ? '1 hour' : `${hours} hours`;
  const minutes = Math.floor(ms / 60_000);
  return minutes === 1 ? '1 minute' : `${minutes} minutes`;
}

/** What is known of a stream now. */
export interface OutageFacts {
  /** Milliseconds since the Unix epoch: since when nothing gets through; null: it does not fail. */
  readonly since: number | null;
  /** This process has seen that it fails: what an earlier one left behind may be over. */
  readonly isConfirmed: boolean;
  /** An entry got through since the last look. */
  readonly hasDelivered: boolean;
  /** How many entries have been delivered in all. */
  readonly delivered: number;
}

export interface OutageStep {
  readonly to: Outage | null;
  /** What is told with it; null: nothing. */
  readonly news: OutageNews | null;
}

export interface OutageNews {
  readonly kind: 'failing' | 'recovered';
  /** RFC 3339. */
  readonly since: string;
  /** `24 hours` */
  readonly duration: string;
}

/** What comes after `kept`; null: nothing has changed. */
export function nextOutage(kept: Outage | null, facts: OutageFacts, now: number): OutageStep | null {
  const since = facts.since === null ? null : new Date(facts.since).toISOString();
  const toldSince = kept?.toldSince ?? null;
  // A recovery comes first: a failure that has begun since then is told an hour later.
  const hasDelivered =
    facts.hasDelivered || (kept?.delivered !== undefined && facts.delivered > kept.delivered);
  if (hasDelivered && toldSince !== null)
    return { to: begin(since), news: describeNews('recovered', toldSince, now) };
  const told = since !== null && kept?.since === since ? kept.told : 0;
  const level = facts.since !== null && facts.isConfirmed ? levelAfter(now - facts.since) : 0;
  if (since !== null && level > told) {
    const to = { since, told: level, toldSince: toldSince ?? since, delivered: facts.delivered };
    return { to, news: describeNews('failing', since, now) };
  }
  const to = toldSince === null && told === 0 ? begin(since) : { ...kept, since, told, toldSince };
  return isSameOutage(kept, to) ? null : { to, news: null };
}

function begin(since: string | null): Outage | null {
  return since === null ? null : { since, told: 0, toldSince: null };
}

function isSameOutage(a: Outage | null, b: Outage | null): boolean {
  return a?.since === b?.since && a?.told === b?.told && a?.toldSince === b?.toldSince;
}

function describeNews(kind: OutageNews['kind'], since: string, now: number): OutageNews {
  return { kind, since, duration: describeDuration(now - Date.parse(since)) };
}
