/** Entries a second over the last ten seconds, by one-second slots. */
export class DeliveryRate {
  readonly #slots = new Map<number, number>();

  add(count: number, now: number): void {
    const slot = Math.floor(now / 1000);
    this.#slots.set(slot, (this.#slots.get(slot) ?? 0) + count);
    for (const old of this.#slots.keys()) if (old <= slot - windowSeconds) this.#slots.delete(old);
  }

  perSecond(now: number): number {
    const slot = Math.floor(now / 1000);
    let sum = 0;
    let first = slot;
    for (const [at, count] of this.#slots) {
      if (at <= slot - windowSeconds) continue;
      sum += count;
      first = Math.min(first, at);
    }
    return sum / Math.max(1, slot - first + 1);
  }
}

const windowSeconds = 10;
