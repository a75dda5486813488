/** One attempt and what it means: transport and judgement put together. */
import type { Answer } from '../model/answer.ts';
import type { Destination } from '../model/exportConfig.ts';
import type { Outcome } from '../model/outcome.ts';
import { classify } from '../otlp/classify.ts';
import type { Attempt, Transport } from '../transport/transport.ts';

/** One delivery attempt and its judgement; never throws for anything that a receiver does. */
export type Send = (
  destination: Destination,
  body: Uint8Array,
  signal: AbortSignal,
  options?: AttemptOptions,
) => Promise<Outcome | 'aborted'>;

export type AttemptOptions = Pick<Attempt, 'stream' | 'organization' | 'freshConnection'>;

export interface SendOptions {
  /**
   * True: quote what any receiver says, even where its address was typed on the page, since only people on this machine reach the
   * page. Default: quote such a receiver only where it answers in a media type of OTLP.
   */
  readonly quotesAnyWords?: boolean;
}

export function makeSend(transport: Transport, { quotesAnyWords = false }: SendOptions = {}): Send {
  return async (destination, body, signal, options = {}) => {
    const judged = new Map<Answer, Outcome>();
    const judge = (answer: Answer): Outcome => {
      const outcome = judged.get(answer) ?? judgeAnswer(answer, destination, quotesAnyWords);
      judged.set(answer, outcome);
      return outcome;
    };
    const answer = await transport.send({
      destination,
      body,
      signal,
      ...options,
      // Whatever is not a delivery may be the fault of one of several servers: the next try goes to another, if it can.
      isGood: (received) => judge(received).kind === 'settled',
    });
    if (answer.kind === 'no-answer' && answer.cause === 'aborted') return 'aborted';
    return judge(answer);
  };
}

function judgeAnswer(
  answer: Answer,
  { url, headers, addresses, compression }: Destination,
  quotesAnyWords: boolean,
): Outcome {
  return classify(answer, {
    now: Date.now(),
    url,
    secrets: headers.map(({ value }) => value),
    headerNames: headers.map(({ name }) => name),
    compression,
    words: addresses === 'public' && !quotesAnyWords ? 'otlp' : 'any',
  });
}
