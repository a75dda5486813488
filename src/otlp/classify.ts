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
 *  - Messages say what happened and what to do. They quote the receiver, but never what we sent (redact.ts).
 *
 * Not here: how long to wait and how to split (delivery).
 */
import { STATUS_CODES } from 'node:http';
import type { Answer, NoAnswer, Response } from '../model/answer.ts';
import type { FailureReason, Outcome } from '../model/outcome.ts';
import type { Secret } from '../model/secret.ts';
import { decodeExportResponse } from './decode/exportResponse.ts';
import { isOtlpMediaType } from './decode/mediaType.ts';
import { findReceiverWords } from './decode/receiverWords.ts';
import { quote } from './quote.ts';
import { readRetryAfterMs } from './retryAfter.ts';
import { isSizeComplaint } from './sizeComplaint.ts';

export interface ClassifyContext {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** What was posted to. */
  readonly url: URL;
  /** Every header value that was sent: masked where the receiver echoes it. */
  readonly secrets: readonly Secret[];
  /**
   * Whose words are quoted. `otlp`: only those of an answer in a media type of OTLP, so that nobody reads what else
   * answers there by naming it as a receiver. Default: `any`.
   */
  readonly words?: 'any' | 'otlp';
}

/** Pure. Never throws, whatever the answer holds. */
export function classify(answer: Answer, context: ClassifyContext): Outcome {
  if (answer.kind === 'no-answer') return classifyNoAnswer(answer);
  const { status } = answer;
  if (status >= 200 && status < 300) return classifySuccess(answer, context);
  if (status >= 300 && status < 400) return classifyRedirect(answer, context);
  if (status >= 400 && status < 500) return classifyClientError(answer, context);
  if (status >= 500 && status < 600) return retry(answer, context, 'ReceiverUnavailable');
  return hold(answer, context, 'NotOtlp', 'which is no status of HTTP: check the endpoint');
}

function classifyNoAnswer({ cause, message }: NoAnswer): Outcome {
  switch (cause) {
    case 'timeout':
      return { kind: 'retry', reason: 'Timeout', message };
    case 'dns':
      return { kind: 'retry', reason: 'DnsFailed', message };
    case 'refused':
      return { kind: 'retry', reason: 'ConnectionRefused', message };
    case 'connection':
    case 'aborted':
      return { kind: 'retry', reason: 'ConnectionFailed', message };
    case 'tls':
      return { kind: 'hold', reason: 'TlsFailed', message };
    case 'address-refused':
      return { kind: 'hold', reason: 'AddressRefused', message };
    case 'too-large':
      return { kind: 'hold', reason: 'AnswerTooLarge', message };
  }
}

function classifySuccess(answer: Response, context: ClassifyContext): Outcome {
  if (answer.truncated) {
    return hold(
      answer,
      context,
      'AnswerTooLarge',
      'with more than 64 KiB, which is no OTLP answer: check the endpoint',
    );
  }
  // Some receivers send 204, or 200 with no body and any type.
  if (answer.body.byteLength === 0) return { kind: 'settled', rejected: 0, message: '' };

  const decoded = decodeExportResponse(answer);
  if (decoded.kind === 'decoded') {
    return { kind: 'settled', rejected: decoded.rejected, message: quote(decoded.message, context.secrets) };
  }
  const type = quote(answer.headers['content-type'] ?? 'no content type', context.secrets);
  const what =
    decoded.kind === 'other-object'
      ? `but not with an answer of OTLP (${type}): whether it has stored anything is unknown, so nothing counts as delivered; check the path of the endpoint, and what stands before the receiver`
      : `but not as an OTLP receiver does (${type}): ${place(context)} may be a web page or a login page; check the path of the endpoint`;
  return hold(answer, context, 'NotOtlp', what);
}

function classifyRedirect(answer: Response, context: ClassifyContext): Outcome {
  const target = describeTarget(answer.headers['location'], context);
  return hold(
    answer,
    context,
    'Redirected',
    `and points to ${target}: redirects are not followed; set the endpoint to where the logs should go`,
  );
}

/** Scheme, host and path: user info and query may hold something secret. */
function describeTarget(location: string | undefined, { url, secrets }: ClassifyContext): string {
  if (location === undefined) return 'nowhere';
  if (!URL.canParse(location, url.href)) return 'an address that cannot be read';
  const { protocol, host, pathname } = new URL(location, url);
  return quote(`${protocol}//${host}${pathname}`, secrets);
}

interface HeldStatus {
  readonly reason: FailureReason;
  readonly advice: (context: ClassifyContext) => string;
}

/** Answers that mean the configuration or the receiver's settings: the same entries pass once a person has changed them. */
const heldStatuses: Readonly<Record<number, HeldStatus>> = {
  401: {
    reason: 'Unauthorized',
    advice: () => 'check the Authorization header of this config or its Secret',
  },
  403: {
    reason: 'Forbidden',
    advice: () =>
      'the credentials of this config may not write logs there; check their permissions, or use others',
  },
  404: {
    reason: 'NotFound',
    advice: (context) =>
      `there is nothing at ${place(context)}; check the path of the endpoint (without a path /v1/logs is appended, a path is used as it is)`,
  },
  405: {
    reason: 'MethodNotAllowed',
    advice: (context) => `${place(context)} takes no POST; check the path of the endpoint`,
  },
  407: {
    reason: 'ProxyAuthenticationRequired',
    advice: () =>
      'a proxy before the receiver wants credentials; give a Proxy-Authorization header, or go around it',
  },
  415: {
    reason: 'UnsupportedMediaType',
    advice: (context) =>
      `${place(context)} does not take OTLP as protobuf, or not compressed; check the endpoint, or set compression to none`,
  },
};

function classifyClientError(answer: Response, context: ClassifyContext): Outcome {
  const { status } = answer;
  if (status === 429) return retry(answer, context, 'RateLimited');
  if (status === 408 || status === 425) return retry(answer, context, 'ReceiverUnavailable');
  const held = heldStatuses[status];
  if (held) return hold(answer, context, held.reason, `: ${held.advice(context)}`);
  if (status === 413 || (status === 400 && isSizeComplaint(findReceiverWords(answer)))) {
    return {
      kind: 'too-large',
      ...failure(answer, context, 'TooLarge', ': the request is too large for it'),
    };
  }
  return { kind: 'refused', ...failure(answer, context, 'EntryRefused', '') };
}

function retry(answer: Response, context: ClassifyContext, reason: FailureReason): Outcome {
  const { 'retry-after': retryAfter, date } = answer.headers;
  const retryAfterMs = readRetryAfterMs(retryAfter, { now: context.now, date });
  return {
    kind: 'retry',
    ...failure(answer, context, reason, ''),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

function hold(answer: Response, context: ClassifyContext, reason: FailureReason, advice: string): Outcome {
  return { kind: 'hold', ...failure(answer, context, reason, advice) };
}

/** `The receiver answered 401 Unauthorized: check … It says: "…"` */
function failure(answer: Response, context: ClassifyContext, reason: FailureReason, advice: string) {
  const { status } = answer;
  const name = STATUS_CODES[status];
  const head = name === undefined ? `${status}` : `${status} ${name}`;
  const isQuoted = context.words !== 'otlp' || isOtlpMediaType(answer.headers['content-type']);
  const words = isQuoted ? quote(findReceiverWords(answer), context.secrets) : '';
  const gap = advice === '' || advice.startsWith(':') ? '' : ' ';
  const says = words === '' ? '' : ` It says: "${words}"`;
  return { reason, message: `The receiver answered ${head}${gap}${advice}.${says}`, httpStatus: status };
}

/** Where it was posted to, as a person finds it in the config; without the query, which may hold a key. */
function place({ url }: ClassifyContext): string {
  return `${url.origin}${url.pathname}`;
}
