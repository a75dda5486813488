/**
 * Remembers which addresses of a receiver's names failed, so that the next connection begins with another one: an
 * address that swallows packets, or a server behind the name that answers 503.
 */
import type { LookupAddress } from 'node:dns';

/** After so long a failed address is like any other: servers come back. */
const rememberedMs = 5 * 60_000;
const maxRemembered = 100;

export class AddressOrder {
  /** Address → when it failed, the longest ago first. */
  readonly #failed = new Map<string, number>();

  /** Those that failed come last, the longest ago first among them. */
  sort(addresses: readonly LookupAddress[]): LookupAddress[] {
    const since = performance.now() - rememberedMs;
    const failedAt = (entry: LookupAddress) => {
      const at = this.#failed.get(entry.address) ?? 0;
      return at > since ? at : 0;
    };
    return addresses.toSorted((a, b) => failedAt(a) - failedAt(b));
  }

  failed(address: string): void {
    this.#failed.delete(address);
    this.#failed.set(address, performance.now());
    const [oldest] = this.#failed.keys();
    if (this.#failed.size > maxRemembered && oldest !== undefined) this.#failed.delete(oldest);
  }

  worked(address: string): void {
    this.#failed.delete(address);
  }
}
