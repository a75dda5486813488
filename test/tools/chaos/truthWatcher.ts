/**
 * Holds what each status says against what is committed and what has arrived, all the time. A status lies when it says
 * that all is delivered while an entry that was committed long ago is not at the receiver.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ExportStatus } from '../../../src/model/streamStatus.ts';
import type { Commits } from './commits.ts';
import type { DeliveryLog } from './deliveryLog.ts';

export interface WatchedExport {
  readonly name: string;
  readonly organization: string;
  readonly log: DeliveryLog;
  /** `performance.now()` since when there is somebody to write a status; Infinity: there is nobody. */
  readonly upSince: () => number;
  readStatus(): Promise<ExportStatus | undefined>;
}

export interface TruthWatcher {
  /** The first of each kind for each export, with the status word by word and how often it was seen. */
  lies(): string[];
  /** How often a status was held against the truth: a watcher that saw nothing proves nothing. */
  readonly checks: number;
  stop(): Promise<void>;
}

const pollMs = 100;

export function watchTruth(options: {
  readonly exports: readonly WatchedExport[];
  readonly commits: Commits;
  /** How old a committed entry must be before it is missed. */
  readonly graceMs: number;
  /** Said with each lie: what was going on. */
  readonly describe: (watched: WatchedExport) => string;
}): TruthWatcher {
  const { commits, graceMs } = options;
  const startedAt = performance.now();
  const lies = new Map<string, { text: string; count: number }>();
  let checks = 0;
  let isStopping = false;

  async function check(watched: WatchedExport): Promise<void> {
    const status = await watched.readStatus().catch(() => undefined);
    if (status === undefined) return;
    checks += 1;
    // After the status: what arrives meanwhile is in its favour.
    const overdue = commits.overdue(watched.organization, graceMs, watched.upSince(), (uid) =>
      watched.log.has(uid),
    );
    if (overdue.uids.length === 0) return;
    const isQuiet = performance.now() - watched.log.lastStoredAt > graceMs;
    for (const claim of claimsOf(status, isQuiet && readyForMs(status) > graceMs)) {
      const key = `${watched.name}: ${claim}`;
      const known = lies.get(key);
      if (known) {
        known.count += 1;
        continue;
      }
      const at = Math.round((performance.now() - startedAt) / 100) / 10;
      const text = `${key} at ${at} s, while ${overdue.uids.length} entries that were committed up to ${Math.round(overdue.oldestMs / 100) / 10} s ago (first ${overdue.uids[0]}) were not at the receiver (${options.describe(watched)}): ${JSON.stringify(status)}`;
      lies.set(key, { text, count: 1 });
    }
  }

  const run = async (): Promise<void> => {
    while (!isStopping) {
      for (const watched of options.exports) await check(watched);
      await delay(pollMs);
    }
  };
  const done = run();
  return {
    lies: () => [...lies.values()].map(({ text, count }) => `${text} (seen ${count} times)`),
    get checks() {
      return checks;
    },
    async stop() {
      isStopping = true;
      await done;
    },
  };
}

function readyForMs({ conditions }: ExportStatus): number {
  const ready = conditions.find((condition) => condition.type === 'Ready');
  return ready ? Date.now() - Date.parse(ready.lastTransitionTime) : 0;
}

/** `isQuiet`: it has been ready for long, and nothing has arrived. */
function claimsOf(status: ExportStatus, isQuiet: boolean): string[] {
  const ready = status.conditions.find((condition) => condition.type === 'Ready');
  const claims: string[] = [];
  if (ready?.message.includes('Every entry is delivered')) claims.push('says "Every entry is delivered"');
  if (status.pendingEntries === 0) claims.push(`says pendingEntries 0 with Ready=${ready?.status}`);
  if (ready?.status === 'True' && isQuiet) claims.push('says Ready=True though nothing gets through');
  return claims;
}
