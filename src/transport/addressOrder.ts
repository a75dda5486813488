/**
 * Remembers which addresses of a receiver's names failed, so that the next connection tries another one first: an
 * address that drops packets, or a server behind the name that answers 503.
 */
import type { LookupAddress } from 'node:dns';

/** After this time a failed address counts like any other: servers recover. */
const rememberedMs = 5 * 60_000;
const maxRemembered = 100;

export class AddressOrder {
  /** Address → when it failed, oldest failure first. */
  readonly #failed = new Map<string, number>();

  /** Sorts failed addresses to the end, oldest failure first. */
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
