/**
 * Says why no answer came: an error's code becomes a cause and a sentence. Only codes count, because texts change
 * between versions, and none of an error's text is passed on, because it may quote what was sent.
 */
import { errors } from 'undici';
import type { NoAnswer } from '../model/answer.ts';
import type { AddressRefusal } from './addressGuard.ts';
import { AnswerLimitError } from './answerLimits.ts';
import { NameError } from './dns/nameResolver.ts';
import { isSettingsFrame } from './inspectPort.ts';
import { AddressRefusedError } from './receiverAddresses.ts';
import { describeTlsFailure } from './tlsFailure.ts';

export function noAnswer(cause: NoAnswer['cause'], message: string): NoAnswer {
  return { kind: 'no-answer', cause, message };
}

type Describe = (host: string) => NoAnswer;

const refused: Describe = (host) => noAnswer('refused', `Could not connect to ${host}: connection refused.`);
const dns =
  (why: string): Describe =>
  (host) =>
    noAnswer('dns', `Could not resolve the name of ${host}: ${why}.`);
const connection =
  (why: string): Describe =>
  (host) =>
    noAnswer('connection', `The connection to ${host} failed: ${why}.`);
const connectTimeout: Describe = (host) =>
  noAnswer('timeout', `Could not connect to ${host}: no response in time.`);

const byCode: Readonly<Record<string, Describe>> = {
  ENOTFOUND: dns('the name does not exist'),
  ENODATA: dns('it has no address'),
  EAI_AGAIN: dns('the DNS server does not answer'),
  EAI_FAIL: dns('the DNS server failed'),
  ERR_DNS_SHARE: dns('too many names of this organization wait for an answer from DNS'),
  ECONNREFUSED: refused,
  ETIMEDOUT: connectTimeout,
  UND_ERR_CONNECT_TIMEOUT: connectTimeout,
  ECONNRESET: connection('reset by the other side'),
  EPIPE: connection('closed by the other side while sending'),
  ECONNABORTED: connection('aborted'),
  ENETUNREACH: connection('network unreachable'),
  EHOSTUNREACH: connection('host unreachable'),
  ENETDOWN: connection('network down'),
  EHOSTDOWN: connection('host down'),
  EADDRNOTAVAIL: connection('no local port or address is free'),
  EACCES: connection('not allowed by this machine'),
  EPERM: connection('not allowed by this machine'),
  UND_ERR_SOCKET: connection('closed by the other side before the answer was complete'),
  UND_ERR_HEADERS_OVERFLOW: connection("the answer's headers are too large"),
  // From undici's parser, for a status such as 000.
  ERR_ASSERTION: connection('the answer is not HTTP'),
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: connection('the answer is shorter or longer than it said'),
};

/**
 * @param host name and port, as people know the receiver.
 * @throws the error itself if it has no code: then it is a bug, not a failure of the network.
 */
export function describeFailure(error: unknown, host: string): NoAnswer {
  if (error instanceof AddressRefusedError) return describeRefusal(error.refusal, host);
  if (error instanceof AnswerLimitError) {
    return noAnswer('too-large', `The answer of ${host} ${error.message}: it is not an OTLP receiver.`);
  }
  if (error instanceof NameError && error.code === 'ERR_DNS_UNANSWERED')
    return dns(`no answer from DNS within ${Math.round(error.afterMs / 100) / 10} s`)(host);
  // Its code is not always there.
  if (error instanceof errors.HTTPParserError) return connection(describeNoHttp(error))(host);
  const code = codeOf(error);
  if (code === null) throw error;
  const known = byCode[code];
  if (known) return known(host);
  const tls = describeTlsFailure(code, host);
  if (tls !== null) return noAnswer('tls', tls);
  if (code.startsWith('EAI_')) return dns(code)(host);
  return connection(code)(host);
}

/** The parser keeps what it could not read, as text; the first frame of HTTP/2 has no byte beyond ASCII. */
function describeNoHttp(error: Error): string {
  const data = 'data' in error ? String(error.data) : '';
  const isHttp2 = isSettingsFrame(Buffer.from(data, 'latin1'));
  return isHttp2 ? 'it speaks gRPC (HTTP/2) on this port, not OTLP over HTTP' : 'the answer is not HTTP';
}

/** The code of an error, or of the first of several (one for each address of a name that was tried). */
function codeOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error instanceof AggregateError ? codeOf(error.errors[0]) : null;
}

function describeRefusal({ address, range, what }: AddressRefusal, host: string): NoAnswer {
  const which = address === range ? address : `${address}, in ${range}`;
  return noAnswer('address-refused', `${host} may not be connected to: its address is ${which} (${what}).`);
}
