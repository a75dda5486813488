/** What a test knows to be committed, and since when: the truth that statuses are held against. */
export class Commits {
  /** By organization: uid → time of the commit's acknowledgement, by `performance.now()`. */
  readonly #waiting = new Map<string, Map<string, number>>();
  #count = 0;
  /** Commits from here on may be lost by the failover under way, so nobody is blamed for them. */
  #doubtfulFrom = Number.POSITIVE_INFINITY;

  get count(): number {
    return this.#count;
  }

  add(organization: string, uids: readonly string[]): void {
    let waiting = this.#waiting.get(organization);
    if (waiting === undefined) {
      waiting = new Map();
      this.#waiting.set(organization, waiting);
    }
    for (const uid of uids) waiting.set(uid, performance.now());
    this.#count += uids.length;
  }

  /** A failover that loses commits begins; what was committed in the second before may be among them. */
  doubt(): void {
    this.#doubtfulFrom = performance.now() - 1_000;
  }

  /** It is over: `isThere` tells what is left. Returns how many were lost. */
  keepOnly(isThere: ReadonlySet<string>): number {
    this.#doubtfulFrom = Number.POSITIVE_INFINITY;
    let lost = 0;
    for (const waiting of this.#waiting.values()) {
      for (const uid of waiting.keys()) {
        if (isThere.has(uid)) continue;
        waiting.delete(uid);
        lost += 1;
      }
    }
    return lost;
  }

  /**
   * Entries committed more than `ageMs` ago for which `isDelivered` does not hold, and the age of the oldest. None as long as
   * `since`, by `performance.now()`, is not that long ago.
   */
  overdue(
    organization: string,
    ageMs: number,
    since: number,
    isDelivered: (uid: string) => boolean,
  ): { readonly uids: readonly string[]; readonly oldestMs: number } {
    const uids: string[] = [];
    let oldestMs = 0;
    const now = performance.now();
    if (now - since < ageMs) return { uids, oldestMs };
    for (const [uid, at] of this.#waiting.get(organization) ?? []) {
      // In order of commit: all that follow are younger.
      if (now - at < ageMs || at >= this.#doubtfulFrom) break;
      if (isDelivered(uid)) {
        this.#waiting.get(organization)?.delete(uid);
        continue;
      }
      uids.push(uid);
      oldestMs = Math.max(oldestMs, now - at);
    }
    return { uids, oldestMs };
  }
}
