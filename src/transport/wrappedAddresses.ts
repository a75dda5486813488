/**
 * Finds the IPv4 addresses that an IPv6 address stands for. Translators and tunnels deliver to the address inside,
 * so writing the same target another way would bypass a rule about IPv4 that looks only at the outside.
 */
import ipaddr from 'ipaddr.js';

interface Wrapping {
  readonly prefix: string;
  /** Offset of the four bytes inside the sixteen. */
  readonly bytes: readonly [number, number, number, number];
  /** Teredo stores the client's address with every bit flipped (RFC 4380 section 4). */
  readonly flipped?: true;
  /** One of several interpretations of the same prefix; an address in 0.0.0.0/8 shows that it is the wrong one. */
  readonly ambiguous?: true;
}

const last4 = [12, 13, 14, 15] as const;

const wrappings: readonly Wrapping[] = [
  { prefix: '::ffff:0:0/96', bytes: last4 }, // IPv4-mapped, RFC 4291
  { prefix: '::/96', bytes: last4 }, // IPv4-compatible, RFC 4291
  { prefix: '::ffff:0:0:0/96', bytes: last4 }, // IPv4-translated, RFC 2765
  { prefix: '64:ff9b::/96', bytes: last4 }, // NAT64, RFC 6052
  { prefix: '64:ff9b:1::/48', bytes: last4, ambiguous: true }, // local NAT64, RFC 8215, used as a /96
  { prefix: '64:ff9b:1::/48', bytes: [6, 7, 9, 10], ambiguous: true }, // the same, used as a /48 (RFC 6052 section 2.2)
  { prefix: '2002::/16', bytes: [2, 3, 4, 5] }, // 6to4, RFC 3056
  { prefix: '2001::/32', bytes: [4, 5, 6, 7] }, // Teredo server
  { prefix: '2001::/32', bytes: last4, flipped: true }, // Teredo client
];

/** ISATAP (RFC 5214): the interface identifier is 0000:5efe or 0200:5efe, then the IPv4 address, under any prefix. */
const isatapMark = [0x00, 0x5e, 0xfe] as const;

/** Every IPv4 address wrapped in `address`; most addresses wrap none. `::` and `::1` wrap none. */
export function findWrappedAddresses(address: ipaddr.IPv6): ipaddr.IPv4[] {
  const outer = address.toByteArray();
  if (outer.slice(0, 15).every((byte) => byte === 0) && (outer[15] ?? 0) <= 1) return [];

  const found: ipaddr.IPv4[] = [];
  for (const { prefix, bytes, flipped, ambiguous } of wrappings) {
    if (!address.match(ipaddr.IPv6.parseCIDR(prefix))) continue;
    const inner = pick(outer, bytes, flipped === true);
    if (ambiguous && inner.octets[0] === 0) continue;
    found.push(inner);
  }
  const isIsatap = ((outer[8] ?? 0) & 0xfd) === 0 && isatapMark.every((byte, at) => outer[9 + at] === byte);
  if (isIsatap) found.push(pick(outer, last4, false));
  return found;
}

function pick(outer: readonly number[], bytes: readonly number[], flipped: boolean): ipaddr.IPv4 {
  return new ipaddr.IPv4(bytes.map((at) => (outer[at] ?? 0) ^ (flipped ? 0xff : 0)));
}
