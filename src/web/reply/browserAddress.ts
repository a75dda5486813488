/** The address that the browser shows once htmx has put an answer in place. */
import type { Response } from 'express';

/** nginx takes 4 KiB in all headers of an answer, and the others have about half of it. */
const longest = 1_500;

/** An address that is too long for a header is the one that was requested: it leads to the same, and htmx knows it. */
export function setBrowserAddress(response: Response, how: 'push' | 'replace', url: string): void {
  response.set(how === 'push' ? 'HX-Push-Url' : 'HX-Replace-Url', url.length > longest ? 'true' : url);
}
