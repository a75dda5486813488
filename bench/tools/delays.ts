/** How long entries were under way: from the return of their commit to the receiver's answer. */
import type { ReceiverReport } from './receiver.ts';

/** In ms, sorted. @throws Error unless each of them was answered. */
export function measureDelays(
  answers: ReceiverReport['answers'],
  committedAt: ReadonlyMap<string, number>,
): number[] {
  const delays: number[] = [];
  for (const { atMs, uids } of answers) {
    for (const uid of uids) {
      const at = committedAt.get(uid);
      if (at !== undefined) delays.push(atMs - at);
    }
  }
  if (delays.length !== committedAt.size)
    throw new Error(`${committedAt.size} entries were committed, ${delays.length} of them answered`);
  return delays.sort((a, b) => a - b);
}
