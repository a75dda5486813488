/**
 * Decodes an answer's body, up to a limit. The collector asks for no coding (`Accept-Encoding: identity`), but
 * some receivers and proxies use one anyway, and an answer that can be read counts.
 */
import { createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { maxAnswerBytes, maxCodings } from './answerLimits.ts';

export interface BoundedBytes {
  readonly bytes: Uint8Array;
  readonly truncated: boolean;
}

/**
 * Bytes that are not in the coding they claim are returned unchanged: the status code is still worth judging, and as an
 * OTLP answer they will not pass. gzip is also decoded if no header names it (a proxy that compresses twice names it
 * once): no OTLP answer begins with its first bytes.
 *
 * @param contentEncoding as in the header: codings in the order in which they were applied.
 */
export async function undoCodings(
  body: BoundedBytes,
  contentEncoding: string | undefined,
): Promise<BoundedBytes> {
  const named = (contentEncoding ?? '').split(',').map((coding) => coding.trim().toLowerCase());
  let current = body;
  for (let undone = 0; undone < maxCodings; undone += 1) {
    const coding = isGzip(current.bytes)
      ? 'gzip'
      : named.findLast((name) => name !== '' && name !== 'identity');
    if (coding === undefined) return current;
    const inflater = makeInflater(coding, current.bytes);
    const inflated = inflater && (await inflate(current, inflater));
    if (!inflated) return current;
    current = inflated;
    const at = named.findLastIndex((name) => name.replace(/^x-/, '') === coding.replace(/^x-/, ''));
    if (at >= 0) named.length = at;
  }
  return current;
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 0x08;
}

/** Absent: an unsupported coding, or bytes that are not in it. */
function makeInflater(coding: string, bytes: Uint8Array) {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return isGzip(bytes) ? createGunzip() : undefined;
    case 'deflate':
      // The zlib format is meant, but some servers send raw deflate (RFC 9110 section 8.4.1.2).
      return isZlib(bytes) ? createInflate() : createInflateRaw();
    default:
      return undefined;
  }
}

function isZlib(bytes: Uint8Array): boolean {
  const [first = 0, second = 0] = bytes;
  return (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0;
}

async function inflate(
  body: BoundedBytes,
  inflater: NonNullable<ReturnType<typeof makeInflater>>,
): Promise<BoundedBytes | null> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  inflater.end(body.bytes);
  try {
    for await (const piece of inflater) {
      pieces.push(piece);
      length += piece.byteLength;
      if (length > maxAnswerBytes) return { bytes: Buffer.concat(pieces, maxAnswerBytes), truncated: true };
    }
  } catch {
    return null;
  }
  return { bytes: Buffer.concat(pieces, length), truncated: body.truncated };
}
