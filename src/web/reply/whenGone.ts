import type { Response } from 'express';

/** A signal that aborts when the client disconnects before the answer is complete. */
export function whenGone(response: Response): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}
