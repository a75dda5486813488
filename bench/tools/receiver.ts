/** The receiver of the benchmarks, in another process; see processes/receiver.ts. */
import { Child } from './child.ts';

/** Counts since the start or the last report. */
export interface ReceiverReport {
  readonly requests: number;
  /** Bytes as sent, compressed. */
  readonly bytes: number;
  readonly records: number;
  /** Processor time of the receiver, without that of this report. */
  readonly cpuSeconds: number;
  /** For each request, if requested: uids of its entries, and when it was answered, in ms of the machine's monotonic clock. */
  readonly answers: ReadonlyArray<{ readonly atMs: number; readonly uids: readonly string[] }>;
}

export interface Receiver {
  readonly endpoint: string;
  /** Resets all counts. */
  report(question?: 'counts' | 'uids'): Promise<ReceiverReport>;
  stop(): Promise<void>;
}

/**
 * `keep`: answers as soon as the body has arrived and parses it when asked for a report, so that its processor time
 * does not affect the measurement. `count`: decompresses and counts before it answers, and keeps nothing.
 */
export async function startReceiver(mode: 'keep' | 'count'): Promise<Receiver> {
  const child = new Child('receiver.ts', [mode]);
  const { port } = await child.receive<{ port: number }>();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    report: (question = 'counts') => child.ask<ReceiverReport>(question),
    stop: () => child.stop(),
  };
}
