/** Asks servers for files: of a ledger, or of a copy. */

export function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/** A redirect is an error: it would take the headers' secret to wherever it leads. */
export function ask(
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | null = null,
): Promise<Response> {
  return fetch(url, { headers, redirect: 'error', signal });
}

/** The first bytes of an answer: at most `most`, and one more if there are any. What comes behind is not read. */
export async function readStart(response: Response, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > most) break;
  }
  return Buffer.concat(chunks).subarray(0, most + 1);
}
