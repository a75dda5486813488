/**
 * Tells an organization in its own log when a destination fails, recovers, or parks an entry. Whoever holds the stream tells;
 * for one that nobody can hold, the first replica that looks.
 *
 *   health → outage → TELLER → row and entry, in one statement (database/outages.ts)
 */
import { pause } from '../basics/wait.ts';
import { findUnheld, moveUnheldOutage, type ToldEntry } from '../database/outages.ts';
import type { Database } from '../database/pool.ts';
import { nameDestination } from '../model/exportConfig.ts';
import { nextOutage, type OutageNews } from '../model/outage.ts';
import type { StreamFailure } from '../model/streamHealth.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { WatchedStep } from './outageWatch.ts';
import type { Stream } from './stream.ts';

/** A config that nobody sends though it should be sent: of it nothing is in force, or no replica takes it. */
export interface StoppedConfig {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly reason: string;
  readonly message: string;
  /** spec.suspend: it does not fail. */
  readonly isSuspended: boolean;
}

export interface TellerOptions {
  readonly db: Database;
  readonly log: Logger;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly running: () => readonly Stream[];
  readonly stopped: () => readonly StoppedConfig[];
  /** Default: 500 ms, and 20 times that for stopped configs, of which nothing is in memory. */
  readonly intervalMs?: number | undefined;
}

const defaultIntervalMs = 500;
const stoppedRarer = 20;

/** Resolves once it has stopped; never rejects. */
export async function runTeller(options: TellerOptions, stop: AbortSignal): Promise<void> {
  const rounds = async (ms: number, tell: () => Promise<void>): Promise<void> => {
    while (!stop.aborted) {
      await tell();
      await pause(ms, stop);
    }
  };
  const { intervalMs = defaultIntervalMs } = options;
  await Promise.all([
    rounds(intervalMs, () => tellRunning(options, stop)),
    rounds(stoppedRarer * intervalMs, () => tellStopped(options)),
  ]);
}

async function tellRunning({ log, running }: TellerOptions, stop: AbortSignal): Promise<void> {
  for (const stream of running()) {
    if (stop.aborted) return;
    if (!stream.shared.isLeaseValid()) continue;
    const { health, position } = stream;
    try {
      const step = health.outage.next(position.row, health.isFailing);
      // Thousands have nothing to tell.
      if (step === null && health.parked === 0) continue;
      if (step !== null) await tellOutage(stream, step);
      await tellParked(stream);
    } catch (error) {
      log.debug({ err: error, stream: stream.id }, 'what a stream tells could not be written; trying again');
    }
  }
}

async function tellOutage({ health, position, config, log }: Stream, step: WatchedStep): Promise<void> {
  const { failure, pending } = health.current;
  const entry = step.news && makeEntry(config, step.news, failure, pending);
  if (!(await position.moveOutage({ to: step.to, entry }))) return;
  step.written();
  if (step.news) logNews(log, step.news);
}

async function tellParked({ health, position, config }: Stream): Promise<void> {
  if (health.parked === 0 || !health.outage.takeParkedNews()) return;
  try {
    await position.tellParked(nameDestination(config));
  } catch (error) {
    health.outage.parked();
    throw error;
  }
}

async function tellStopped({ db, log, now, stopped }: TellerOptions): Promise<void> {
  const byKey = new Map(stopped().map((config) => [config.key, config]));
  if (byKey.size === 0) return;
  try {
    for (const { id, configKey, outage: from, delivered } of await findUnheld(db, [...byKey.keys()])) {
      const config = byKey.get(configKey);
      if (!config) continue;
      const isOver = from?.delivered !== undefined && Number(delivered) > from.delivered;
      const since = from?.since && !isOver ? Date.parse(from.since) : now();
      const facts = {
        since: config.isSuspended ? null : since,
        isConfirmed: true,
        hasDelivered: false,
        delivered: Number(delivered),
      };
      const step = nextOutage(from, facts, now());
      if (step === null) continue;
      const entry = step.news && makeEntry(config, step.news, config, null);
      const isMoved = await moveUnheldOutage(db, id, { from, to: step.to, entry });
      if (isMoved && step.news)
        logNews(log.child({ config: `${config.namespace}/${config.name}` }), step.news);
    }
  } catch (error) {
    log.debug({ err: error }, 'what a stopped config tells could not be written; trying again');
  }
}

function makeEntry(
  config: { readonly namespace: string; readonly name: string },
  { kind, since, duration }: OutageNews,
  failure: (Pick<StreamFailure, 'message' | 'httpStatus'> & { readonly reason: string }) | null,
  pending: number | null,
): ToldEntry {
  const about = { destination: nameDestination(config), since, duration };
  if (kind === 'recovered') return { eventType: 'audit_export.recovered', metadata: about };
  const { reason, message, httpStatus } = failure ?? {};
  // Absent where it is not known.
  const metadata = { ...about, reason, message, httpStatus, pending: pending ?? undefined };
  return { eventType: 'audit_export.failing', metadata };
}

function logNews(log: Logger, { kind, since, duration }: OutageNews): void {
  if (kind === 'failing') log.warn({ since, duration }, 'told the organization that this export fails');
  else log.info({ since, duration }, 'told the organization that this export delivers again');
}
