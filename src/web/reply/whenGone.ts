import type { Response } from 'express';

/** Aborted when the one who asked has left before the answer was complete. */
export function whenGone(response: Response): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}
