/**
 * Decides which IP addresses may be connected to. Organization admins choose the endpoint, so without this they could
 * make the collector read a cloud's metadata service (credentials) or whatever else only it can reach.
 *
 * Asked with the address that is about to be connected to (connector.ts), never with a name: a name that is checked
 * first and resolved again later can change its answer in between (DNS rebinding).
 */
import ipaddr from 'ipaddr.js';
import { findWrappedAddresses } from './wrappedAddresses.ts';

export interface AddressGuard {
  /** null: may be connected to. Text that is no IP address is refused. */
  check(address: string): AddressRefusal | null;
}

export interface AddressRefusal {
  readonly address: string;
  /** The range that refuses it, as a CIDR; the address itself when it is no IP address. */
  readonly range: string;
  /** What the range is, for people: `link-local`, `refused by setting`. */
  readonly what: string;
}

interface RefusedRange {
  readonly cidr: string;
  readonly what: string;
}

interface ParsedRange extends RefusedRange {
  readonly network: [ipaddr.IPv4 | ipaddr.IPv6, number];
}

/** No receiver lives here. Loopback and private ranges are not listed: a collector in the same cluster or pod is private. */
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
  { cidr: 'fd00:ec2::254/128', what: 'cloud metadata (AWS)' },
  { cidr: 'fd20:ce::254/128', what: 'cloud metadata (Google)' },
  { cidr: 'fd00:c1::a9fe:a9fe/128', what: 'cloud metadata (Oracle)' },
];

/**
 * @param options.refusedRanges further CIDRs, or single addresses, that may not be connected to.
 * @throws RangeError naming every malformed range: a setting is wrong, stop the start.
 */
export function makeAddressGuard(options: { readonly refusedRanges: readonly string[] }): AddressGuard {
  const malformed: string[] = [];
  const ranges: ParsedRange[] = [];
  for (const { cidr, what } of [
    ...alwaysRefused,
    ...options.refusedRanges.map((cidr) => ({ cidr, what: 'refused by setting' })),
  ]) {
    const network = parseRange(cidr);
    if (network) ranges.push({ cidr, what, network });
    else malformed.push(cidr);
  }
  if (malformed.length > 0) {
    const list = malformed.map((cidr) => JSON.stringify(cidr)).join(', ');
    throw new RangeError(`Not IP ranges: ${list}. Write them like 10.0.0.0/8 or fc00::/7.`);
  }
  return { check: (address) => checkAddress(address, ranges) };
}

function checkAddress(text: string, ranges: readonly ParsedRange[]): AddressRefusal | null {
  if (!ipaddr.isValid(text)) return { address: text, range: text, what: 'not an IP address' };
  const address = ipaddr.parse(text);
  const targets = address instanceof ipaddr.IPv6 ? [address, ...findWrappedAddresses(address)] : [address];
  for (const { cidr, what, network } of ranges) {
    if (targets.some((target) => isInside(target, network))) return { address: text, range: cidr, what };
  }
  return null;
}

function isInside(address: ipaddr.IPv4 | ipaddr.IPv6, network: ParsedRange['network']): boolean {
  return address.kind() === network[0].kind() && address.match(network);
}

function parseRange(text: string): ParsedRange['network'] | null {
  // The strict forms: ipaddr.js by itself also takes `10/8`, octal and hexadecimal.
  if (ipaddr.IPv4.isValidCIDRFourPartDecimal(text) || ipaddr.IPv6.isValidCIDR(text))
    return ipaddr.parseCIDR(text);
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return [ipaddr.IPv4.parse(text), 32];
  if (ipaddr.IPv6.isValid(text)) return [ipaddr.IPv6.parse(text), 128];
  return null;
}
