/** A receiver of changing moods: takes entries, hangs, says 200 and takes nothing, resets, refuses for the moment. */
import { setTimeout as delay } from 'node:timers/promises';
import { sliceRecords } from '../../../tools/otlp/recordSlices.ts';
import { type Receiver, type ReceiverAnswer, startReceiver } from '../receiver.ts';
import { DeliveryLog, type Failover } from './deliveryLog.ts';
import { seededRandom } from './random.ts';

export type Mood = keyof typeof answers;

const json = { 'content-type': 'application/json' };

/** What each mood answers; `n` counts requests. */
const answers = {
  good: () => ({ status: 200 }),
  hang: () => ({ hang: true }),
  // A login page, a captive portal.
  html: () => ({
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: '<!doctype html><title>Sign in</title>',
    stored: false,
  }),
  // What a gateway in front of a function says when that takes too long.
  errorMessage: () => ({
    status: 200,
    headers: json,
    body: '{"errorMessage": "Task timed out after 3.00 seconds"}',
    stored: false,
  }),
  // Half of them had taken it all the same.
  reset: (n) => ({ reset: true, stored: n % 2 === 0 }),
  error: () => ({ status: 500 }),
  busy: () => ({ status: 429, headers: { 'retry-after': '1' } }),
} satisfies Record<string, (n: number) => ReceiverAnswer>;

export interface MoodyReceiver {
  readonly receiver: Receiver;
  readonly log: DeliveryLog;
  readonly mood: Mood;
  /** From now on the given mood, for good. */
  settle(mood: Mood): void;
}

/** Changes between `good` and one of `moods` every one to three seconds, until `settle`. The caller stops the receiver. */
export async function startMoodyReceiver(options: {
  readonly moods: readonly Mood[];
  readonly failovers: readonly Failover[];
  readonly seed: number;
}): Promise<MoodyReceiver> {
  const receiver = await startReceiver({ keep: 'hashes' });
  const log = new DeliveryLog(options.failovers);
  const random = seededRandom(options.seed);
  let mood: Mood = 'good';
  let isSettled = false;
  receiver.answerWith((request) => {
    const answer: ReceiverAnswer = answers[mood](request.number);
    const isStored = answer.stored ?? ('status' in answer && answer.status === 200);
    log.add(sliceRecords(request.body), isStored);
    return answer;
  });
  const change = async (): Promise<void> => {
    while (!isSettled) {
      mood =
        mood === 'good' ? (options.moods[Math.floor(random() * options.moods.length)] ?? 'good') : 'good';
      await delay(1_000 + random() * 2_000, undefined, { ref: false });
    }
  };
  void change();
  return {
    receiver,
    log,
    get mood() {
      return mood;
    },
    settle(last) {
      isSettled = true;
      mood = last;
    },
  };
}
