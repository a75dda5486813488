/** IP networks in CIDR notation. */
import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type Network = readonly [address: Address, prefixLength: number];

/** Reads `10.0.0.0/8` or `fc00::/7`; a single address is the network of itself. Null: it is neither. */
export function parseNetwork(text: string): Network | null {
  // The strict forms: ipaddr.js also takes `10/8`, octal and hexadecimal, which others may read differently.
  if (ipaddr.IPv4.isValidCIDRFourPartDecimal(text) || ipaddr.IPv6.isValidCIDR(text))
    return ipaddr.parseCIDR(text);
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return [ipaddr.IPv4.parse(text), 32];
  if (ipaddr.IPv6.isValid(text)) return [ipaddr.IPv6.parse(text), 128];
  return null;
}

export function isInside(address: Address, [network, prefixLength]: Network): boolean {
  return address.kind() === network.kind() && address.match(network, prefixLength);
}
