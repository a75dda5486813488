/**
 * Looks, after a failed test, for what would have answered: at the same host only, with an empty request, in a few seconds.
 *
 * What proves who asks (header values, the query, the client certificate) goes to the origin that it was typed for, and to no other
 * port or scheme of it.
 */
import type { Destination } from '../../../model/exportConfig.ts';
import type { Outcome } from '../../../model/outcome.ts';
import type { PortReport } from '../../../model/portReport.ts';
import type { FailureReason } from '../../../model/reasons.ts';
import type { WebContext } from '../../visit.ts';
import { judgeCertificate } from './certificate.ts';
import { listPaths } from './paths.ts';
import { type Diagnosis, nothingFound, type Remedy, setEndpoint } from './remedy.ts';

export interface Looking {
  readonly target: Destination;
  readonly signal: AbortSignal;
  readonly organization: string;
  readonly context: Pick<WebContext, 'send' | 'inspect'>;
}

type Look = (looking: Looking) => Promise<Diagnosis>;

const looks: Partial<Record<FailureReason, Look>> = {
  NotFound: lookForPath,
  MethodNotAllowed: lookForPath,
  NotOtlp: lookForPath,
  AnswerTooLarge: lookForPath,
  UnsupportedMediaType: firstOf(lookAtCompression, lookForPath),
  Redirected: lookForPath,
  // A TLS port may answer 400 to HTTP without TLS, and so may what expects another format.
  EntryRefused: firstOf(lookAtPort, lookAtCompression, lookForOtherPath),
  ConnectionRefused: lookAtPort,
  ConnectionFailed: lookAtPort,
  Timeout: lookAtPort,
  TlsFailed: lookAtPort,
  AddressRefused: async ({ target }) => found(findLocalhost(target.url)),
};

export async function lookAround(reason: FailureReason, looking: Looking): Promise<Diagnosis> {
  return (await looks[reason]?.(looking)) ?? nothingFound;
}

function found(...remedies: ReadonlyArray<Remedy | null>): Diagnosis {
  return { remedies: remedies.filter((each) => each !== null), certificate: null };
}

/** One after the other, until one has found something. */
function firstOf(...all: readonly Look[]): Look {
  return async (looking) => {
    for (const look of all) {
      const diagnosis = await look(looking);
      if (diagnosis.remedies.length > 0 || looking.signal.aborted) return diagnosis;
    }
    return nothingFound;
  };
}

async function lookAtCompression(looking: Looking): Promise<Diagnosis> {
  const { target } = looking;
  if (target.compression === 'none') return nothingFound;
  const [packed, plain] = await Promise.all(
    [target, { ...target, compression: 'none' as const }].map((each) => findTaker(looking, [each])),
  );
  if (packed || !plain) return nothingFound;
  const says = 'The receiver does not take compressed requests, but does take others.';
  const fix = {
    label: 'Send without compression',
    field: 'compression',
    value: 'none',
    isPrefix: false,
  } as const;
  return found({ says, fix });
}

/** Unless OTLP is taken at the typed one: then its path is right. */
async function lookForOtherPath(looking: Looking): Promise<Diagnosis> {
  return (await findTaker(looking, [looking.target])) === null ? await lookForPath(looking) : nothingFound;
}

async function lookForPath(looking: Looking): Promise<Diagnosis> {
  const { url } = looking.target;
  const candidates = listPaths(url.pathname).map((pathname) => withUrl(looking.target, { pathname }));
  // A redirect from http often leads to https at the same place.
  if (url.protocol === 'http:') candidates.push(withUrl(looking.target, { protocol: 'https:' }));
  const best = await findTaker(looking, candidates);
  return best === null
    ? nothingFound
    : found({ says: `OTLP answers at ${best.origin}${best.pathname}.`, fix: setUrl(best, looking) });
}

async function lookAtPort(looking: Looking): Promise<Diagnosis> {
  const { target, context, signal, organization } = looking;
  const { url } = target;
  const report = await context.inspect(target, signal, organization);
  if (report === null || isNobody(report)) {
    const says = 'Nothing answers at this port, but OTLP does at 4318.';
    return found(findLocalhost(url), await findStandardPort(looking, says));
  }
  const certificate = report.tls?.certificate ?? null;
  if (report.plain === 'http2' || report.tls?.isHttp2Only) return await explainGrpc(looking);
  if (url.protocol === 'http:' && report.tls !== null) {
    return found({ says: 'This port speaks TLS: use https.', fix: setScheme(looking, 'https:') });
  }
  if (url.protocol === 'https:' && report.tls === null && report.plain === 'http1') {
    const says =
      'This port speaks HTTP without TLS: use http, which is not encrypted, or the port for https.';
    return found({ says, fix: setScheme(looking, 'http:') });
  }
  if (url.protocol !== 'https:' || certificate === null) return nothingFound;
  return judgeCertificate(certificate, target, Date.now());
}

async function explainGrpc(looking: Looking): Promise<Diagnosis> {
  const { target } = looking;
  const says = 'This is OTLP over gRPC. Use the OTLP/HTTP port, usually 4318.';
  const standard = await findStandardPort(looking, says);
  const fix = target.url.port === '4318' ? null : setUrl(withUrl(target, { port: '4318' }).url, looking);
  return found(standard ?? { says, fix });
}

function isNobody({ plain, tls }: PortReport): boolean {
  return plain === 'closed' && tls === null;
}

async function findStandardPort(looking: Looking, says: string): Promise<Remedy | null> {
  const { url } = looking.target;
  if (url.port === '4318') return null;
  const schemes = url.protocol === 'https:' ? ['https:', 'http:'] : ['http:'];
  const candidates = schemes.map((protocol) => withUrl(looking.target, { protocol, port: '4318' }));
  const taker = await findTaker(looking, candidates);
  return taker === null ? null : { says, fix: setUrl(taker, looking) };
}

function findLocalhost({ hostname }: URL): Remedy | null {
  if (!/^(?:localhost|127\.[0-9.]+|\[::1\])$/.test(hostname)) return null;
  const says = `${hostname} is the machine or pod that the collector runs on, not yours. Use the name of the receiver’s host or service.`;
  return { says, fix: null };
}

/** The same receiver at another place. Another origin learns nothing secret, and has a public address, as if it were typed. */
function withUrl(
  target: Destination,
  changes: Partial<Pick<URL, 'protocol' | 'port' | 'pathname'>>,
): Destination {
  const url = new URL(target.url);
  // In this order: a default port is forgotten when the scheme changes.
  Object.assign(url, changes);
  if (url.origin === target.url.origin) return { ...target, url };
  url.search = '';
  const { clientCert: _, ...tls } = target.tls;
  return { ...target, url, tls, headers: [], addresses: 'public' };
}

/** The first, in the given order, that takes an empty request; else the first that asks for credentials. */
async function findTaker(looking: Looking, candidates: readonly Destination[]): Promise<URL | null> {
  const { context, signal, organization, target } = looking;
  const timeoutMs = Math.min(target.timeoutMs, 3_000);
  const outcomes = await Promise.all(
    candidates.map((each) => context.send({ ...each, timeoutMs }, emptyRequest, signal, organization)),
  );
  const first = (takes: (outcome: Outcome | 'aborted') => boolean) =>
    candidates[outcomes.findIndex(takes)]?.url;
  return first(isTaken) ?? first(isGuarded) ?? null;
}

/** An ExportLogsServiceRequest without a record is no byte. */
const emptyRequest = new Uint8Array(0);

function isTaken(outcome: Outcome | 'aborted'): boolean {
  return outcome !== 'aborted' && outcome.kind === 'settled';
}

function isGuarded(outcome: Outcome | 'aborted'): boolean {
  return outcome !== 'aborted' && outcome.kind === 'hold' && outcome.reason === 'Unauthorized';
}

function setScheme(looking: Looking, protocol: string): Remedy['fix'] {
  const { target } = looking;
  const port = target.url.port || (target.url.protocol === 'https:' ? '443' : '80');
  return setUrl(withUrl(target, { protocol, port }).url, looking);
}

/** With the typed query, which another origin was not asked with. */
function setUrl(place: URL, { target }: Looking): Remedy['fix'] {
  const url = new URL(place);
  url.search = target.url.search;
  return setEndpoint(url.href, { shown: showUrl(url), typed: target.url.href });
}

/** The query may hold a key. */
function showUrl({ origin, pathname, search }: URL): string {
  return `${origin}${pathname}${search === '' ? '' : '?…'}`;
}
