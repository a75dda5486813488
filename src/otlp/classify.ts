/**
 * Decides what an answer means. The only place that looks at a status code; everything after it switches on the
 * outcome's kind.
 *
 *   one attempt → [classify] → settle, wait, hold, split or bisect
 *
 * Promises:
 *  - Settled only when the receiver said so in a form OTLP knows; whatever is unclear is not delivered.
 *  - No outcome drops anything: what OTLP calls not retryable becomes `hold` or `refused`, where a person or a bisection
 *    finds out why.
 *  - Messages say what happened. They quote the receiver, but never what we sent (redact.ts).
 *
 * Not here: what a reason leads to and what a person does about it (model/reasons.ts), how long to wait and how to split
 * (delivery).
 */
import { STATUS_CODES } from 'node:http';
import type { Answer, NoAnswer, Response } from '../model/answer.ts';
import type { Compression } from '../model/exportConfig.ts';
import type { Outcome } from '../model/outcome.ts';
import { type AttemptReason, attemptReasons } from '../model/reasons.ts';
import { decodeExportResponse } from './decode/exportResponse.ts';
import { isOtlpMediaType } from './decode/mediaType.ts';
import { findReceiverWords } from './decode/receiverWords.ts';
import { quote, type Sent } from './quote.ts';
import { readRetryAfterMs } from './retryAfter.ts';
import { isSizeComplaint } from './sizeComplaint.ts';

export interface ClassifyContext extends Sent {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** What was posted to. */
  readonly url: URL;
  /**
   * Whose words are quoted. `otlp`: only those of an answer in a media type of OTLP, so that nobody reads what else
   * answers there by naming it as a receiver. Default: `any`.
   */
  readonly words?: 'any' | 'otlp';
  /** How the request was compressed. Default: none. */
  readonly compression?: Compression;
}

/** Pure. Never throws, whatever the answer holds. */
export function classify(answer: Answer, context: ClassifyContext): Outcome {
  if (answer.kind === 'no-answer') return fail(noAnswerReasons[answer.cause], answer.message);
  const { status } = answer;
  if (status >= 200 && status < 300) return classifySuccess(answer, context);
  if (status >= 300 && status < 400) {
    const target = describeTarget(answer.headers['location'], context);
    return failed(answer, context, 'Redirected', ` and points to ${target}`);
  }
  if (status >= 400 && status < 500) return classifyClientError(answer, context);
  if (status >= 500 && status < 600) return failed(answer, context, 'ReceiverUnavailable');
  return failed(answer, context, 'NotOtlp', ', which is not an HTTP status');
}

const noAnswerReasons: Readonly<Record<NoAnswer['cause'], AttemptReason>> = {
  timeout: 'Timeout',
  dns: 'DnsFailed',
  refused: 'ConnectionRefused',
  connection: 'ConnectionFailed',
  aborted: 'ConnectionFailed',
  tls: 'TlsFailed',
  'address-refused': 'AddressRefused',
  'too-large': 'AnswerTooLarge',
};

function classifySuccess(answer: Response, context: ClassifyContext): Outcome {
  if (answer.truncated) {
    return failed(answer, context, 'AnswerTooLarge', ' with more than 64 KiB, which is not an OTLP answer');
  }
  // Some receivers send 204, or 200 with no body and any type.
  if (answer.body.byteLength === 0) return { kind: 'settled', rejected: 0, message: '' };

  const decoded = decodeExportResponse(answer);
  if (decoded.kind === 'decoded') {
    return { kind: 'settled', rejected: decoded.rejected, message: quote(decoded.message, context) };
  }
  const type = quote(answer.headers['content-type'] ?? 'no content type', context);
  const what =
    decoded.kind === 'other-object'
      ? ` but not with an OTLP answer (${type}): whether it has stored anything is unknown, so nothing counts as delivered`
      : ` but not as an OTLP receiver does (${type}): ${place(context)} may be a web page or a login page`;
  return failed(answer, context, 'NotOtlp', what);
}

/** Scheme, host and path: user info and query may hold something secret. */
function describeTarget(location: string | undefined, context: ClassifyContext): string {
  if (location === undefined) return 'nowhere';
  if (!URL.canParse(location, context.url.href)) return 'an address that cannot be read';
  const { protocol, host, pathname } = new URL(location, context.url);
  return quote(`${protocol}//${host}${pathname}`, context);
}

interface ClientError {
  readonly reason: AttemptReason;
  /** What the status means there; absent: its name says it. */
  readonly what?: (place: string) => string;
}

const clientErrors: Readonly<Record<number, ClientError>> = {
  401: { reason: 'Unauthorized' },
  403: { reason: 'Forbidden' },
  404: { reason: 'NotFound', what: (place) => `there is nothing at ${place}` },
  405: { reason: 'MethodNotAllowed', what: (place) => `${place} does not accept POST` },
  407: {
    reason: 'ProxyAuthenticationRequired',
    what: () => 'a proxy in front of the receiver asks for credentials',
  },
  408: { reason: 'ReceiverUnavailable' },
  413: { reason: 'TooLarge', what: () => 'the request is too large for it' },
  415: {
    reason: 'UnsupportedMediaType',
    what: (place) => `${place} does not accept OTLP as protobuf, or not in this compression`,
  },
  425: { reason: 'ReceiverUnavailable' },
  429: { reason: 'RateLimited' },
};

function classifyClientError(answer: Response, context: ClassifyContext): Outcome {
  const isTooLarge = answer.status === 400 && isSizeComplaint(findReceiverWords(answer));
  const known = clientErrors[isTooLarge ? 413 : answer.status];
  if (!known) return failed(answer, context, 'EntryRefused');
  const what = known.what ? `: ${known.what(place(context))}` : '';
  return failed(answer, context, known.reason, what);
}

/** `The receiver answered 404 Not Found: there is nothing at … It says: "…"` */
function failed(answer: Response, context: ClassifyContext, reason: AttemptReason, what = ''): Outcome {
  const { status, headers } = answer;
  const name = STATUS_CODES[status];
  const head = name === undefined ? `${status}` : `${status} ${name}`;
  const isQuoted = context.words !== 'otlp' || isOtlpMediaType(headers['content-type']);
  const words = isQuoted ? quote(findReceiverWords(answer), context) : '';
  const says = words === '' ? '' : ` It says: "${words}"`;
  const zstd = context.compression === 'zstd' && mayBeAboutCoding.has(status) ? maybeZstd : '';
  const outcome = fail(reason, `The receiver answered ${head}${what}.${says}${zstd}`, status);
  if (outcome.kind !== 'retry') return outcome;
  const retryAfterMs = readRetryAfterMs(headers['retry-after'], { now: context.now, date: headers['date'] });
  return { ...outcome, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** RFC 9110 section 15.5.16 has 415 for a coding that is not supported; many receivers answer 400. */
const mayBeAboutCoding: ReadonlySet<number> = new Set([400, 415]);
const maybeZstd = ' If it does not read zstd, set compression to gzip.';

/** What a reason leads to stands with it in the table. */
function fail(reason: AttemptReason, message: string, httpStatus?: number): Outcome {
  const { reaction: kind } = attemptReasons[reason];
  return { kind, reason, message, ...(httpStatus !== undefined && { httpStatus }) };
}

/** Where it was posted to, as a person finds it in the config; without the query, which may hold a key. */
function place({ url }: ClassifyContext): string {
  return `${url.origin}${url.pathname}`;
}
