/** The longest wait: a receiver that asks for a day, by mistake or not, gets the next request after an hour. */
const maxRetryAfterMs = 3_600_000;

/** The form RFC 9110 (section 5.6.7) has servers send: `Sun, 06 Nov 1994 08:49:37 GMT`. */
const httpDate =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * Reads a Retry-After header: whole seconds, or an HTTP date. A date is compared with the clock that made it, the answer's own
 * `Date`: the receiver's clock and ours may differ by more than the wait.
 *
 * @param clock `now` in milliseconds since the Unix epoch; `date` as in the answer, if it has one.
 * @returns 1..3,600,000 ms. undefined: nothing that can be honoured (zero, negative, decimal, past, anything else):
 *   use your own back-off.
 */
export function readRetryAfterMs(
  value: string | undefined,
  clock: { readonly now: number; readonly date: string | undefined },
): number | undefined {
  const text = value?.trim() ?? '';
  const waitMs = /^\d+$/.test(text)
    ? Number(text) * 1_000
    : (readDate(text) ?? 0) - (readDate(clock.date) ?? clock.now);
  return waitMs > 0 ? Math.min(waitMs, maxRetryAfterMs) : undefined;
}

function readDate(text: string | undefined): number | null {
  const time = text !== undefined && httpDate.test(text.trim()) ? Date.parse(text.trim()) : Number.NaN;
  return Number.isNaN(time) ? null : time;
}
