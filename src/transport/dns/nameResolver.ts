/**
 * Turns a host name into addresses as `getaddrinfo` does with `hosts: files dns` (the hosts file, the search domains and
 * ndots of resolv.conf), without its four threads: there, a few names whose DNS server does not answer block every other
 * lookup of the process.
 *
 *   hosts file → recent answers → [one shared question] → addresses
 *
 * Unlike getaddrinfo it does not use other sources of nsswitch.conf (mdns, ldap), nor sort by RFC 6724 beyond "IPv6
 * first if this machine has an IPv6 address": the connection tries the next address anyway.
 */
import type { LookupAddress } from 'node:dns';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { FairTurns } from '../../basics/fairTurns.ts';
import { askForAddresses, type Found, type FoundAddress } from './question.ts';
import { makeSystemFiles, type ResolverConfig, type SystemFiles, type SystemPaths } from './systemFiles.ts';

/**
 * All addresses of a name, best first; `owner` is whose share of lookups is used. Rejects with a `NameError`, and no
 * later than `signal`.
 */
export type ResolveName = (
  hostname: string,
  owner?: string,
  signal?: AbortSignal,
) => Promise<readonly LookupAddress[]>;

/** The codes are those of `dns.lookup`, and one for a question without an answer. */
export class NameError extends Error {
  readonly code: 'ENOTFOUND' | 'EAI_FAIL' | 'ERR_DNS_UNANSWERED' | 'ERR_DNS_SHARE';
  readonly afterMs: number;

  constructor(code: NameError['code'], afterMs: number) {
    super(`${code} after ${afterMs} ms`);
    this.code = code;
    this.afterMs = afterMs;
  }
}

export interface NameResolverOptions {
  readonly paths?: SystemPaths;
  /** Time for one name, with all its search domains and all servers. Default 10 s. */
  readonly deadlineMs?: number;
  /** Names that one owner may look up at the same time; further ones wait. Default 8. */
  readonly maxQuestionsPerOwner?: number;
}

/** The longest time for which an answer is kept; usually the DNS server's own time decides. Receivers move. */
const maxKeptMs = 10_000;
/** The shortest time, so that an attempt that could not wait for a slow server finds the answer on its next try. */
const minKeptMs = 2_000;
const maxKeptNames = 10_000;
/** A name that does not exist is looked up again soon; one that no server answers for, more and more rarely. */
const retryAfterMs = { absent: { first: 500, most: 2_000 }, unanswered: { first: 1_000, most: 20_000 } };

interface Known {
  readonly result: readonly FoundAddress[] | NameError;
  readonly until: number;
  /** How often in a row it failed. */
  readonly failures: number;
}

export function makeNameResolver(options: NameResolverOptions = {}): ResolveName {
  const {
    paths = { resolvConf: '/etc/resolv.conf', hosts: '/etc/hosts' },
    deadlineMs = 10_000,
    maxQuestionsPerOwner = 8,
  } = options;
  const readSystemFiles = makeSystemFiles(paths);
  const known = new Map<string, Known>();
  const underWay = new Map<string, Promise<readonly FoundAddress[]>>();
  const turns = new FairTurns((_owner, own) => own < maxQuestionsPerOwner);

  async function resolve(
    hostname: string,
    owner: string,
    signal: AbortSignal,
  ): Promise<readonly FoundAddress[]> {
    const name = hostname.toLowerCase();
    const files = readSystemFiles();
    const local = findLocal(name, files);
    if (local) return local;
    const before = known.get(name);
    if (before && before.until > performance.now()) {
      if (before.result instanceof NameError) throw before.result;
      return before.result;
    }
    const asked = underWay.get(name);
    if (asked) return asked;
    const answer = await turns.run(owner, signal, () => {
      // Somebody else may have asked while this one waited.
      const question = underWay.get(name) ?? ask(name, files);
      underWay.set(name, question);
      return question.finally(() => underWay.delete(name));
    });
    if (answer === 'aborted') throw new NameError('ERR_DNS_SHARE', 0);
    return answer;
  }

  async function ask(name: string, files: SystemFiles): Promise<readonly FoundAddress[]> {
    const startedAt = performance.now();
    const found = await askCandidates(name, files.config, deadlineMs);
    const result = toResult(found, performance.now() - startedAt);
    remember(name, found, result);
    if (result instanceof NameError) throw result;
    return result;
  }

  function remember(name: string, found: Found, result: Known['result']): void {
    const failures = found.kind === 'found' ? 0 : (known.get(name)?.failures ?? 0) + 1;
    const keptMs =
      found.kind === 'found'
        ? Math.min(Math.max(found.ttlSeconds * 1_000, minKeptMs), maxKeptMs)
        : backOff(found.kind, failures);
    // Deleted and set again: a Map keeps the order of insertion, and the oldest entry is removed first.
    known.delete(name);
    known.set(name, { result, until: performance.now() + keptMs, failures });
    const [oldest] = known.keys();
    if (known.size > maxKeptNames && oldest !== undefined) known.delete(oldest);
  }

  return (hostname, owner = '', signal = new AbortController().signal) =>
    endWith(resolve(hostname, owner, signal), signal);
}

/** Stops waiting for the question, which continues for other callers. */
function endWith<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new NameError('ERR_DNS_UNANSWERED', 0));
    signal.addEventListener('abort', giveUp, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

/** Addresses that need no question: those of the hosts file, and of localhost if it is not in there (RFC 6761). */
function findLocal(name: string, { hosts }: SystemFiles): FoundAddress[] | null {
  const plain = name.replace(/\.$/, '');
  const listed = hosts.get(plain);
  const addresses = listed ?? (plain === 'localhost' ? ['127.0.0.1', '::1'] : null);
  return (
    addresses && sortAddresses(addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 })))
  );
}

/** Tries one name after the other, as glibc's resolver does: the next only if a name does not exist, or its server failed. */
async function askCandidates(name: string, config: ResolverConfig, deadlineMs: number): Promise<Found> {
  const signal = AbortSignal.timeout(deadlineMs);
  // Each server gets at most half of the time, so that a dead first server does not use all of it.
  const timeoutMs = Math.min(config.timeoutMs, Math.ceil(deadlineMs / 2 / config.servers.length));
  let failed: Found = { kind: 'absent' };
  for (const candidate of listCandidates(name, config)) {
    const found = await askForAddresses(candidate, { ...config, timeoutMs }, signal);
    if (found.kind === 'found' || found.kind === 'unanswered') return found;
    if (found.kind === 'failed') failed = found;
  }
  return failed;
}

/** Full names to ask for, in the order of resolv.conf(5). */
function listCandidates(name: string, { search, ndots }: ResolverConfig): string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const inDomains = search.map((domain) => `${name}.${domain}`);
  const dots = name.split('.').length - 1;
  return dots >= ndots ? [name, ...inDomains] : [...inDomains, name];
}

function toResult(found: Found, afterMs: number): readonly FoundAddress[] | NameError {
  return found.kind === 'found'
    ? sortAddresses(found.addresses)
    : new NameError(failureCodes[found.kind], afterMs);
}

const failureCodes = { absent: 'ENOTFOUND', failed: 'EAI_FAIL', unanswered: 'ERR_DNS_UNANSWERED' } as const;

function backOff(kind: 'absent' | 'failed' | 'unanswered', failures: number): number {
  const { first, most } = kind === 'absent' ? retryAfterMs.absent : retryAfterMs.unanswered;
  return Math.min(first * 2 ** Math.min(failures - 1, 10), most);
}

function sortAddresses(addresses: readonly FoundAddress[]): FoundAddress[] {
  const best = hasIPv6() ? 6 : 4;
  return addresses.toSorted((a, b) => Number(b.family === best) - Number(a.family === best));
}

/** Whether this machine can probably reach IPv6 addresses beyond its own link. */
function hasIPv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(
      ({ family, internal, address }) => family === 'IPv6' && !internal && !/^fe[89ab]/i.test(address),
    ),
  );
}
