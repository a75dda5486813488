/** Organizations that write one entry after the other, and how long each takes from its commit to the receiver's answer. */
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { sliceRecords } from '../../../tools/otlp/recordSlices.ts';
import { openSession } from '../database.ts';
import type { ReceivedRequest } from '../receiver.ts';

export class SteadyProduct {
  /** By uid: `performance.now()` at the commit's acknowledgement and at the receiver's answer. */
  readonly #committed = new Map<string, number>();
  readonly #acknowledged = new Map<string, number>();
  #phaseFrom = 0;

  /** Begins to write, one entry of each organization every `paceMs`; ends with the test. */
  async start(url: string, organizations: readonly string[], paceMs: number): Promise<void> {
    let isStopping = false;
    const sessions = await Promise.all(organizations.map(() => openSession(url)));
    const done = organizations.map(async (organization, n) => {
      while (!isStopping) {
        const result = await sessions[n]?.query<{ uid: string }>(
          `insert into audit.entries (organization, event_type, metadata) values ($1, 'steady', '{"a": 1}') returning uid::text`,
          [organization],
        );
        this.#committed.set(result?.rows[0]?.uid ?? '', performance.now());
        await delay(paceMs);
      }
      await sessions[n]?.end();
    });
    onTestFinished(async () => {
      isStopping = true;
      await Promise.all(done);
    });
  }

  /** A receiver is about to answer this request with 200. */
  acknowledge(request: ReceivedRequest): void {
    for (const { uid } of sliceRecords(request.body)) {
      if (!this.#acknowledged.has(uid)) this.#acknowledged.set(uid, performance.now());
    }
  }

  beginPhase(): void {
    this.#phaseFrom = performance.now();
  }

  /** Of the entries committed since `beginPhase`; one that has not arrived yet counts with its age. */
  latencies(): { count: number; p50Ms: number; p99Ms: number; maxMs: number } {
    const now = performance.now();
    const all = [...this.#committed]
      .filter(([, at]) => at >= this.#phaseFrom)
      .map(([uid, at]) => (this.#acknowledged.get(uid) ?? now) - at)
      .sort((a, b) => a - b);
    const at = (share: number): number => Math.round(all[Math.floor((all.length - 1) * share)] ?? 0);
    return { count: all.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
  }
}
