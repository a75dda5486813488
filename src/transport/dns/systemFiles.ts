/** What `/etc/resolv.conf` and `/etc/hosts` say of names, read as glibc reads them (resolv.conf(5), hosts(5)). */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

export interface ResolverConfig {
  /** As `dns.Resolver.setServers` takes them. */
  readonly servers: readonly string[];
  /** Domains that a name without a final dot is tried in, in order. */
  readonly search: readonly string[];
  /** A name with at least so many dots is tried as it is first. */
  readonly ndots: number;
  readonly timeoutMs: number;
  readonly attempts: number;
}

export interface SystemFiles {
  readonly config: ResolverConfig;
  /** Lower-case name → its addresses, in order. */
  readonly hosts: ReadonlyMap<string, readonly string[]>;
}

export interface SystemPaths {
  readonly resolvConf: string;
  readonly hosts: string;
}

/** A change is seen after this long. */
const keptMs = 5_000;

/** Reads both files again when they were read a while ago. A file that cannot be read counts as empty. */
export function makeSystemFiles(paths: SystemPaths): () => SystemFiles {
  let files: SystemFiles | null = null;
  let readAt = 0;
  return () => {
    const now = performance.now();
    if (files && now - readAt < keptMs) return files;
    // Two small files, at most every five seconds; without the threads that look-ups of others may hold.
    files = { config: parseResolvConf(readText(paths.resolvConf)), hosts: parseHosts(readText(paths.hosts)) };
    readAt = now;
    return files;
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function parseResolvConf(text: string): ResolverConfig {
  const servers: string[] = [];
  let search: string[] = [];
  const options = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    const [value] = values;
    if (keyword === 'nameserver' && value !== undefined && isServer(value)) servers.push(value);
    // The last of both kinds of lines counts.
    else if (keyword === 'search') search = values;
    else if (keyword === 'domain' && value !== undefined) search = [value];
    else if (keyword === 'options') {
      for (const option of values) {
        const [name = '', number = ''] = option.split(':');
        if (/^\d{1,4}$/.test(number)) options.set(name, Number(number));
      }
    }
  }
  return {
    // glibc asks no more than three, and this machine when there is none.
    servers: servers.length > 0 ? servers.slice(0, 3) : ['127.0.0.1'],
    search: search.map((domain) => domain.replace(/\.+$/, '')).filter((domain) => domain !== ''),
    ndots: Math.min(options.get('ndots') ?? 1, 15),
    timeoutMs: Math.min(options.get('timeout') ?? 5, 30) * 1_000,
    attempts: Math.min(options.get('attempts') ?? 2, 5),
  };
}

/** An address, or `ADDRESS:PORT`, which glibc does not know and c-ares does. */
function isServer(text: string): boolean {
  return isIP(text.replace(/%.*$/, '')) > 0 || /^(?:\d+\.){3}\d+:\d+$/.test(text);
}

export function parseHosts(text: string): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*$/, '').trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names.map((each) => each.toLowerCase())) {
      const known = hosts.get(name);
      if (known === undefined) hosts.set(name, [address]);
      else if (!known.includes(address)) known.push(address);
    }
  }
  return hosts;
}
