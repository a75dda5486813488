/** One attempt and what it means: transport and judgement put together. */
import { classify } from '../otlp/classify.ts';
import type { Transport } from '../transport/transport.ts';
import type { Send } from './context.ts';

export function makeSend(transport: Transport): Send {
  return async (destination, body, _records, signal) => {
    const answer = await transport.send({ destination, body, signal });
    if (answer.kind === 'no-answer' && answer.cause === 'aborted') return 'aborted';
    return classify(answer, {
      now: Date.now(),
      url: destination.url,
      secrets: destination.headers.map((header) => header.value),
    });
  };
}
