import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';
import type { HostilePorts } from './receivers.ts';

/** See receivers.ts; ended with the test. */
export async function startHostileReceivers(): Promise<HostilePorts> {
  const worker = new Worker(new URL('./receivers.ts', import.meta.url));
  onTestFinished(async () => {
    await worker.terminate();
  });
  const [ports] = await once(worker, 'message');
  return ports as HostilePorts;
}
