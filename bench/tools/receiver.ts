/** The receiver of the benchmarks, in another process; see processes/receiver.ts. */
import { Child } from './child.ts';

/** Since the start, or the last report. */
export interface ReceiverReport {
  readonly requests: number;
  /** As sent, compressed. */
  readonly bytes: number;
  readonly records: number;
  /** Processor time of the receiver, without that of making this report. */
  readonly cpuSeconds: number;
  /** For each request, if asked for: uids of its entries, and when it was answered, in ms of the machine's monotonic clock. */
  readonly answers: ReadonlyArray<{ readonly atMs: number; readonly uids: readonly string[] }>;
}

export interface Receiver {
  readonly endpoint: string;
  /** Resets all counts. */
  report(question?: 'counts' | 'uids'): Promise<ReceiverReport>;
  stop(): Promise<void>;
}

/**
 * `keep`: answers as soon as the body is there and looks into it when a report is asked for, so that its processor time
 * is not taken from what is measured. `count`: unpacks and counts before it answers, and keeps nothing.
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
