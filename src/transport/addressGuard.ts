/**
 * Decides which IP addresses may be connected to. Organization admins choose the endpoint, so without this they could
 * make the collector read a cloud's metadata service (credentials) or anything else that only it can reach.
 *
 * Checks the address that is about to be connected to, never a name: a name that is checked
 * first and resolved again later can change its answer in between (DNS rebinding).
 */
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import type { Destination } from '../model/exportConfig.ts';
import { type Address, isInside, type Network, parseNetwork } from '../settings/networks.ts';
import { findWrappedAddresses } from './wrappedAddresses.ts';

export interface AddressGuard {
  /** null: may be connected to. Text that is not an IP address is refused. */
  check(address: string, target?: Target): AddressRefusal | null;
}

interface Target {
  readonly port: number;
  readonly policy: NonNullable<Destination['addresses']>;
}

export interface GuardOptions {
  /** Further CIDRs, or single addresses, that may not be connected to. */
  readonly refusedRanges: readonly string[];
  /**
   * CIDRs, or single addresses, that may be connected to although the rules refuse them. One opens a range that is always
   * refused only if it lies within that range: 10.0.0.0/8 or fd00::/8 do not open a metadata service.
   */
  readonly allowedRanges?: readonly string[];
  /** Ports that this process listens on, asked at each check: nothing is sent to them on an address of this machine. */
  readonly ownPorts?: () => readonly number[];
}

export interface AddressRefusal {
  readonly address: string;
  /** The range that refuses it, as a CIDR; the address itself if it is not an IP address. */
  readonly range: string;
  /** What the range is, for people: `link-local`, `refused by setting`. */
  readonly what: string;
}

interface RefusedRange {
  readonly cidr: string;
  readonly what: string;
}

interface ParsedRange extends RefusedRange {
  readonly network: Network;
}

/** Ranges that never contain a receiver. Loopback and private ranges are not listed: a Collector in the same cluster or pod has a private address. */
const alwaysRefused: readonly RefusedRange[] = [
  { cidr: '0.0.0.0/8', what: 'unspecified' },
  { cidr: '169.254.0.0/16', what: 'link-local, where clouds serve metadata' },
  { cidr: '224.0.0.0/4', what: 'multicast' },
  { cidr: '255.255.255.255/32', what: 'broadcast' },
  { cidr: '100.100.100.200/32', what: 'cloud metadata (Alibaba)' },
  { cidr: '192.0.0.192/32', what: 'cloud metadata (Oracle)' },
  { cidr: '168.63.129.16/32', what: 'cloud metadata (Azure)' },
  { cidr: '::/128', what: 'unspecified' },
  { cidr: 'fe80::/10', what: 'link-local' },
  { cidr: 'ff00::/8', what: 'multicast' },
  { cidr: 'fd00:ec2::/32', what: 'cloud metadata (AWS)' },
  { cidr: 'fd00:42::/32', what: 'cloud metadata (Scaleway)' },
  { cidr: 'fd20:ce::254/128', what: 'cloud metadata (Google)' },
  { cidr: 'fd00:c1::a9fe:a9fe/128', what: 'cloud metadata (Oracle)' },
];

/** Further ranges that are not on the internet. */
const neverPublic: readonly RefusedRange[] = [
  { cidr: '127.0.0.0/8', what: 'loopback' },
  { cidr: '10.0.0.0/8', what: 'private' },
  { cidr: '172.16.0.0/12', what: 'private' },
  { cidr: '192.168.0.0/16', what: 'private' },
  { cidr: '100.64.0.0/10', what: 'carrier-grade NAT' },
  { cidr: '192.0.0.0/24', what: 'reserved' },
  { cidr: '192.88.99.0/24', what: 'reserved' },
  { cidr: '198.18.0.0/15', what: 'reserved for benchmarks' },
  { cidr: '240.0.0.0/4', what: 'reserved' },
  { cidr: '::1/128', what: 'loopback' },
  { cidr: 'fc00::/7', what: 'unique local' },
  { cidr: 'fec0::/10', what: 'site-local' },
  { cidr: '64:ff9b:1::/48', what: 'local NAT64' },
  { cidr: '100::/64', what: 'discard-only' },
  { cidr: '5f00::/16', what: 'segment routing' },
];

/** @throws RangeError naming every malformed range: a setting is wrong, so do not start. */
export function makeAddressGuard(options: GuardOptions): AddressGuard {
  const { refusedRanges, allowedRanges = [] } = options;
  const malformed = [...refusedRanges, ...allowedRanges].filter((cidr) => parseNetwork(cidr) === null);
  if (malformed.length > 0) {
    const list = malformed.map((cidr) => JSON.stringify(cidr)).join(', ');
    throw new RangeError(`Not IP ranges: ${list}. Write them like 10.0.0.0/8 or fc00::/7.`);
  }
  const refused = parseRanges(refusedRanges.map((cidr) => ({ cidr, what: 'refused by setting' })));
  const always = parseRanges(alwaysRefused);
  const notPublic = parseRanges(neverPublic);
  const allowed = parseRanges(allowedRanges.map((cidr) => ({ cidr, what: 'allowed by setting' })));

  return {
    check(text, target = { port: 0, policy: 'any' }) {
      if (!ipaddr.isValid(text)) return { address: text, range: text, what: 'not an IP address' };
      const address = ipaddr.parse(text);
      const all = address instanceof ipaddr.IPv6 ? [address, ...findWrappedAddresses(address)] : [address];
      const refuse = ({ cidr, what }: RefusedRange) => ({ address: text, range: cidr, what });

      const own = isOwnAddress(all);
      if (own && options.ownPorts?.().includes(target.port)) {
        return { address: text, range: text, what: `port ${target.port} there is this collector's own` };
      }
      const bySettings = findRange(all, refused);
      if (bySettings) return refuse(bySettings);
      for (const one of all) {
        const range = findRange([one], always);
        if (range && !allowed.some((each) => isInside(one, each.network) && isWithin(each, range))) {
          return refuse(range);
        }
      }
      if (target.policy === 'any') return null;
      for (const one of all) {
        // The address itself is not on the internet, but the one it wraps may be.
        if (one !== address && findRange([address], allowed)) continue;
        const range = findRange([one], notPublic);
        if (range && !findRange([one], allowed)) return refuse(range);
      }
      if (own && !findRange(all, allowed)) return { address: text, range: text, what: 'this machine itself' };
      return null;
    },
  };
}

/** Loopback, and the current addresses of this machine's interfaces: containers gain and lose addresses while they run. */
function isOwnAddress(all: readonly Address[]): boolean {
  if (all.some((one) => one.range() === 'loopback')) return true;
  const own = new Set<string>();
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address } of addresses ?? []) own.add(normalize(address));
  }
  return all.some((one) => own.has(one.toNormalizedString()));
}

function normalize(address: string): string {
  const plain = address.replace(/%.*$/, '');
  return ipaddr.isValid(plain) ? ipaddr.parse(plain).toNormalizedString() : plain;
}

function findRange(all: readonly Address[], ranges: readonly ParsedRange[]): ParsedRange | undefined {
  return ranges.find(({ network }) => all.some((one) => isInside(one, network)));
}

function isWithin(inner: ParsedRange, outer: ParsedRange): boolean {
  return inner.network[1] >= outer.network[1] && isInside(inner.network[0], outer.network);
}

function parseRanges(ranges: readonly RefusedRange[]): ParsedRange[] {
  return ranges.flatMap((range) => {
    const network = parseNetwork(range.cidr);
    return network ? [{ ...range, network }] : [];
  });
}
