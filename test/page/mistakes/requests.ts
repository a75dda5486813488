/** Mistakes about what a request is like, and what a receiver does not take. */
import { answer, type Mistake, receive } from './servers.ts';

const partialSuccess = JSON.stringify({
  partialSuccess: { rejectedLogRecords: '1', errorMessage: 'no quota' },
});

export const requests: readonly Mistake[] = [
  ...(['0', '5000', '1,000'] as const).map((size) => ({
    what: `a batch size of ${size}`,
    type: () => ({ endpoint: 'https://otel.example.com', maxBatchSize: size }),
    says: new RegExp(`Max batch size (?:is|must be)[^.]*(?:${size}|1 to 1000)`),
  })),
  {
    what: 'a receiver that takes no gzip',
    type: async () => ({ endpoint: `http://${await receive({ isGzipRefused: true })}`, compression: 'gzip' }),
    says: /The receiver does not take compressed requests/,
    button: /^Send without compression and test$/,
  },
  { what: 'a limit of the size', type: () => answer(413), says: /too large/ },
  { what: 'a limit of the rate', type: () => answer(429), says: /accepts no more right now.*Try again/ },
  { what: 'a token that may not write', type: () => answer(403), says: /may not write logs/ },
  { what: 'a proxy that wants a login', type: () => answer(407), says: /A proxy asks for credentials/ },
  {
    what: 'a receiver that rejects every record of a request it took',
    type: () => answer(200, partialSuccess, 'application/json'),
    says: /reject.*no quota/,
  },
];
