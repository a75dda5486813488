/** Whether an address is that of a proxy which TRUSTED_PROXIES names. */
import ipaddr from 'ipaddr.js';
import { isInside, parseNetwork } from '../../settings/networks.ts';

/** @param networks in CIDR notation. An IPv4 client of an IPv6 socket counts as IPv4. */
export function makeIsTrusted(networks: readonly string[]): (address: string | undefined) => boolean {
  const parsed = networks.flatMap((network) => {
    const known = parseNetwork(network);
    return known ? [known] : [];
  });
  return (address) => {
    if (address === undefined || !ipaddr.isValid(address)) return false;
    const processed = ipaddr.process(address);
    return parsed.some((network) => isInside(processed, network));
  };
}
