/** Decides which streams a replica gives up and how many it may take, from what it has and what the database says. Pure. */

export interface LeaseFacts {
  /** Streams that name this replica in the database, with the token that each has now. */
  readonly held: ReadonlyMap<string, string>;
  /** Streams that run here, with the token that each was taken with; those first in order are kept first. */
  readonly running: ReadonlyMap<string, string>;
  /** Streams on their way out: neither running nor free. */
  readonly ending: ReadonlySet<string>;
  /** Streams that the configs ask for, as far as their rows are known. */
  readonly wanted: ReadonlySet<string>;
  /** How many streams the configs ask for, those without a row included. */
  readonly wantedCount: number;
  /** Replicas that want the same streams, this one included. */
  readonly liveReplicas: number;
}

export interface LeasePlan {
  /** Running here, and taken by another replica: whatever they still do is fenced off, so nothing is waited for. */
  readonly lost: readonly string[];
  /** Running here, and no longer wanted or more than this replica's share: settled, then released. */
  readonly given: readonly string[];
  /** Held by name only, by a loop that has ended: to be released. */
  readonly orphans: readonly string[];
  /** Wanted and not here: to be claimed, if nobody holds them, up to `claim` of them. */
  readonly free: readonly string[];
  readonly claim: number;
}

export function planLeases(facts: LeaseFacts): LeasePlan {
  const { held, running, ending, wanted, wantedCount, liveReplicas } = facts;
  const share = Math.ceil(wantedCount / Math.max(1, liveReplicas));
  const ids = [...running.keys()];
  const lost = ids.filter((id) => held.get(id) !== running.get(id));
  const ours = ids.filter((id) => held.get(id) === running.get(id));
  const unwanted = ours.filter((id) => !wanted.has(id));
  const kept = ours.filter((id) => wanted.has(id));
  const isElsewhere = (id: string): boolean => !running.has(id) && !ending.has(id);
  return {
    lost,
    given: [...unwanted, ...kept.slice(share)],
    orphans: [...held.keys()].filter(isElsewhere),
    free: [...wanted].filter(isElsewhere),
    claim: Math.max(0, share - kept.length),
  };
}
