/** One attempt and what it means: transport and judgement put together. */
import type { Answer } from '../model/answer.ts';
import type { Destination } from '../model/exportConfig.ts';
import type { Outcome } from '../model/outcome.ts';
import { classify } from '../otlp/classify.ts';
import type { Transport } from '../transport/transport.ts';
import type { Send } from './context.ts';

export interface SendOptions {
  /**
   * Quote what any receiver says, whoever typed its address: whoever reaches the page is on this machine anyway. Default: of an
   * endpoint that was typed on the page only what comes in a media type of OTLP.
   */
  readonly quotesAnyWords?: boolean;
}

export function makeSend(transport: Transport, { quotesAnyWords = false }: SendOptions = {}): Send {
  return async (destination, body, _records, signal, options = {}) => {
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
      // Whatever is no delivery may be the fault of one of several servers: the next try goes to another, if it can.
      isGood: (received) => judge(received).kind === 'settled',
    });
    if (answer.kind === 'no-answer' && answer.cause === 'aborted') return 'aborted';
    return judge(answer);
  };
}

function judgeAnswer(
  answer: Answer,
  { url, headers, addresses }: Destination,
  quotesAnyWords: boolean,
): Outcome {
  return classify(answer, {
    now: Date.now(),
    url,
    secrets: headers.map((header) => header.value),
    words: addresses === 'public' && !quotesAnyWords ? 'otlp' : 'any',
  });
}
