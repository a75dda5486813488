/** Sends parked entries again, when somebody asked for it; each keeps its sequence number, so the receiver's gap closes. */
import { parkAgain, readReplays, unpark } from '../database/parked.ts';
import { RequestWriter } from '../otlp/encode/request.ts';
import type { ActiveStream, DeliveryContext } from './context.ts';
import type { Failed } from './windowRun.ts';

export type ReplayResult =
  | { readonly kind: 'done'; readonly replayed: number; readonly parkedAgain: number }
  | { readonly kind: 'failed'; readonly outcome: Failed }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'lease-lost' };

/** So many at a time: they go one by one, since the receiver has refused each of them before. */
const replaysAtOnce = 20;

export async function replayParked(
  context: DeliveryContext,
  stream: ActiveStream,
  interrupt: AbortSignal,
  abort: AbortSignal,
): Promise<ReplayResult> {
  const { db, options } = context;
  const { row } = stream;
  const identity = {
    serviceName: options.serviceName,
    organization: row.organization,
    streamId: row.id,
    version: options.version,
  };
  let replayed = 0;
  let parkedAgain = 0;
  for (;;) {
    const requests: Array<{ sequence: number; request: Uint8Array }> = [];
    await readReplays(db, row, replaysAtOnce, (entry, replay) => {
      const writer = new RequestWriter(identity, 4_096);
      writer.append(entry, replay);
      requests.push({ sequence: replay.sequence, request: writer.request() });
    });
    if (requests.length === 0) return { kind: 'done', replayed, parkedAgain };
    for (const { sequence, request } of requests) {
      if (interrupt.aborted) return { kind: 'done', replayed, parkedAgain };
      const outcome = await context.send(stream.config.destination, request, 1, abort);
      if (outcome === 'aborted') return { kind: 'aborted' };
      switch (outcome.kind) {
        case 'settled':
          if (!(await unpark(db, row, [sequence], outcome.rejected > 0 ? 1 : 0)))
            return { kind: 'lease-lost' };
          replayed++;
          break;
        case 'refused':
        case 'too-large':
          if (!(await parkAgain(db, row, sequence, { ...outcome, httpStatus: outcome.httpStatus ?? null }))) {
            return { kind: 'lease-lost' };
          }
          parkedAgain++;
          break;
        case 'retry':
        case 'hold':
          return { kind: 'failed', outcome };
      }
    }
  }
}
