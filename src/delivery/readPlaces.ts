/**
 * Shares out the connections that entries are read by. An organization whose entries take seconds to read keeps no other
 * waiting, however many exports it has.
 *
 * All but one of the connections are places for reads: the last one is for pinning and settling, which take moments. One
 * organization has half of the places at most; one whose reads are slow has one, and the last place is never for those.
 */
import { FairTurns } from '../basics/fairTurns.ts';

/** A page takes milliseconds; a second is an entry that hardly fits, or a database that hardly answers. */
const slowMs = 1_000;
/** An organization counts as slow for so long after a slow read. */
const rememberedMs = 60_000;
/** Whose place a read for many takes; no organization has this name. */
const many = '';

export class ReadPlaces {
  readonly #turns: FairTurns;
  /** Organization → until when it counts as slow. */
  readonly #slow = new Map<string, number>();

  constructor(connections: number) {
    const places = Math.max(1, connections - 1);
    const mostEach = Math.ceil(places / 2);
    const placesOfSlow = Math.max(1, places - 1);
    this.#turns = new FairTurns((organization, own, all) =>
      this.isSlow(organization) ? own === 0 && all < placesOfSlow : own < mostEach && all < places,
    );
  }

  /** Does `work` when there is a place for the organization; 'aborted' when `signal` comes first. */
  run<T>(organization: string, signal: AbortSignal, work: () => Promise<T>): Promise<T | 'aborted'> {
    return this.#turns.run(organization, signal, async () => {
      const startedAt = performance.now();
      const markSlow = (): void => void this.#slow.set(organization, performance.now() + rememberedMs);
      // Known while it goes on: the next of its reads is not to wait in a group with others.
      const timer = setTimeout(markSlow, slowMs);
      try {
        return await work();
      } finally {
        clearTimeout(timer);
        if (performance.now() - startedAt > slowMs) markSlow();
      }
    });
  }

  /** The same for a read for many organizations: which of them was slow, it does not say, so it never counts as slow itself. */
  runForMany<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | 'aborted'> {
    return this.#turns.run(many, signal, work);
  }

  /** Whether the organization had a slow read within the last minute. */
  isSlow(organization: string): boolean {
    const until = this.#slow.get(organization);
    if (until === undefined) return false;
    if (performance.now() < until) return true;
    this.#slow.delete(organization);
    return false;
  }
}
