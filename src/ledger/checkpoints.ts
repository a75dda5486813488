/** Makes the checkpoints that are due, tells of them in entries, and knows what statuses may say. */
import { restAfter } from '../basics/wait.ts';
import {
  type LedgerCounts,
  type LedgerView,
  listDueCheckpoints,
  listUntold,
  readLedgers,
  stopLedger,
  tellSealed,
} from '../database/ledgerCheckpoints.ts';
import { ensureLedgers } from '../database/ledgers.ts';
import type { Database } from '../database/pool.ts';
import type { LedgerStatus } from '../model/streamStatus.ts';
import type { Logger } from '../telemetry/logger.ts';
import { ledgerIdOf, parseCheckpoint } from './checkpoint.ts';
import { type Claim, type Contradiction, checkpointLedgers, type Signing } from './checkpointLedgers.ts';
import { Isolation } from './isolation.ts';
import { splitNote } from './note.ts';

export interface CheckpointOptions {
  readonly db: Database;
  readonly log: Logger;
  readonly signing: Signing;
  /**
   * Organizations with an export, and the checkpoints that their statuses keep. `keepers`: all that were asked, also those that keep none.
   * null: the manifests have not been read.
   */
  readonly readClaims: () => Promise<{
    readonly organizations: readonly string[];
    readonly keepers: readonly string[];
    readonly claims: readonly Claim[];
  } | null>;
  /** Called with what stands wrong, of all organizations. */
  readonly onCounts?: (counts: LedgerCounts) => void;
  /** Between two checkpoints of a ledger; default a minute. */
  readonly checkpointIntervalMs?: number;
  /** Between two entries `audit_log.sealed` of an organization; default an hour. */
  readonly tellIntervalMs?: number;
}

const defaultCheckpointIntervalMs = 60_000;
const defaultTellIntervalMs = 60 * 60_000;
/** Between two looks at what is to be told, which is told later by so much at most. */
const longestTellPassMs = 60_000;
/** So that one statement stays short, and their hashes keep the event loop for moments only. */
const mostTogether = 50;

/** Who may keep a checkpoint, and of which ledger; null: of none, as far as is known. */
export interface Witness {
  readonly keeper: string;
  readonly origin: string | null;
}

export class Checkpoints {
  readonly #options: CheckpointOptions;
  /** What this process has compared: the claim of which keeper on which ledger, with which one in force. */
  readonly #compared = new Map<string, string>();
  /** What the database said at the last look, by the organization. */
  #found = new Map<string, LedgerView>();
  /** All whose claims were read at the last look, and compared, if they had any. */
  #asked = new Set<string>();
  readonly #beginning = new Isolation();
  readonly #checking = new Isolation();
  readonly #telling = new Isolation();
  #views = new Map<string, LedgerView>();
  #lookedForUntoldAt = Number.NEGATIVE_INFINITY;

  constructor(options: CheckpointOptions) {
    this.#options = options;
  }

  /** What a status may say of the organization's ledger; null: nothing is known, so what stands stays. */
  viewOf(organization: string): LedgerView | null {
    return this.#views.get(organization) ?? null;
  }

  /**
   * The same in the words of a status; null: it stays as it is. `standing`: what the status says now, which may be all that shows that the
   * database was set back, so it stays until it was read and compared. null: there is no status.
   */
  statusOf(organization: string | null, standing: Witness | null): LedgerStatus | null {
    const view = organization === null ? null : this.viewOf(organization);
    if (view === null || view.checkpoint === null || view.stopped !== null) return null;
    if (standing !== null && !(this.#asked.has(standing.keeper) && this.#isCompared(standing, view.origin)))
      return null;
    return { origin: view.origin, ...view.checkpoint };
  }

  /**
   * What is wrong with one organization's ledger stops no other. Resolves with whether it shows that ledgers can be checked: false where none
   * was, but some that failed before.
   *
   * @throws the database's error when it may be about all of them. The organization that met it comes last the next time.
   */
  async run(signal: AbortSignal, share: number): Promise<boolean> {
    const { db, signing, onCounts, checkpointIntervalMs, tellIntervalMs } = this.#options;
    const read = await this.#options.readClaims();
    if (read === null) {
      onCounts?.((await readLedgers(db, [])).counts);
      return true;
    }
    const { organizations, claims } = read;
    this.#forgetAllBut(claims);
    const unchecked = claims.filter((claim) => {
      const found = this.#found.get(claim.organization);
      return !found || (found.stopped === null && !this.#isCompared(claim, found.origin));
    });
    const named = new Set(unchecked.map(({ organization }) => organization));
    const claimsOf = Map.groupBy(claims, ({ organization }) => organization);
    const pass = { share, signal };
    // A database of before there was a ledger is one that was set back.
    await this.#together([...named], { ...pass, isolation: this.#beginning }, async (organizations) => {
      if (!signal.aborted) await ensureLedgers(db, organizations, signing.name);
    });
    const due = await listDueCheckpoints(db, {
      intervalMs: checkpointIntervalMs ?? defaultCheckpointIntervalMs,
      signs: signing.keys.length > 0,
      unchecked: [...named],
    });
    const ledgerOf = new Map(due.map(({ id, organization }) => [organization, id]));
    await this.#together(
      [...ledgerOf.keys()],
      { ...pass, isolation: this.#checking },
      async (organizations) => {
        if (signal.aborted) return;
        const ids = organizations.flatMap((organization) => ledgerOf.get(organization) ?? []);
        const contradictions = await checkpointLedgers(db, ids, claimsOf, signing);
        for (const organization of organizations) {
          const id = ledgerOf.get(organization) ?? '';
          const contradiction = contradictions.get(id);
          if (contradiction) await this.#stop(id, contradiction);
          else if (contradiction === null)
            for (const claim of claimsOf.get(organization) ?? []) this.#compared.set(nameOf(claim), id);
        }
      },
    );
    if (signal.aborted) return false;
    const { views, counts } = await readLedgers(db, organizations);
    onCounts?.(counts);
    this.#found = new Map(views.map((view) => [view.organization, view]));
    for (const view of views)
      if (this.#fits(view, claimsOf.get(view.organization) ?? [])) this.#views.set(view.organization, view);
    for (const organization of this.#views.keys())
      if (!this.#found.has(organization)) this.#views.delete(organization);
    this.#asked = new Set(read.keepers);
    for (const claim of claims)
      if (!this.#isCompared(claim, this.#found.get(claim.organization)?.origin ?? ''))
        this.#asked.delete(claim.keeper);
    await this.#tell(tellIntervalMs ?? defaultTellIntervalMs, signal);
    return this.#checking.isAnswering || this.#checking.keys().length === 0;
  }

  /** A claim that was gone and comes back may say something else. */
  #forgetAllBut(claims: readonly Claim[]): void {
    const names = new Set(claims.map(nameOf));
    for (const name of this.#compared.keys()) if (!names.has(name)) this.#compared.delete(name);
  }

  #isCompared(witness: Witness, inForce: string): boolean {
    const id = witness.origin === null ? null : ledgerIdOf(witness.origin);
    return id === null || this.#compared.get(nameOf(witness)) === ledgerIdOf(inForce);
  }

  /**
   * Whether statuses may say what the database says now. Not while they name another ledger, or more than it has, that was not compared with
   * it: that may be all that shows that the database was set back, so it stays until the next look has compared it.
   */
  #fits({ origin, checkpoint, stopped }: LedgerView, claims: readonly Claim[]): boolean {
    if (stopped !== null) return true;
    const id = ledgerIdOf(origin);
    for (const claim of claims)
      if (ledgerIdOf(claim.origin) === id && claim.size > (checkpoint?.size ?? 0))
        this.#compared.delete(nameOf(claim));
    return claims.every((claim) => this.#isCompared(claim, origin));
  }

  /** Does something for many organizations at once; one by one where the database refuses that for one of them. */
  async #together(
    organizations: readonly string[],
    {
      isolation,
      share,
      signal,
    }: { readonly isolation: Isolation; readonly share: number; readonly signal: AbortSignal },
    act: (organizations: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const areDone = async (some: readonly string[]): Promise<boolean> => {
      const startedAt = performance.now();
      try {
        await act(some);
        isolation.succeeded(some);
        return true;
      } catch {
        // Alone, each says which of them it is.
        return false;
      } finally {
        await restAfter(startedAt, share, signal);
      }
    };
    const alone = async (organization: string): Promise<void> => {
      const startedAt = performance.now();
      const onFailure = (error: unknown): void =>
        this.#options.log.warn(
          { err: error, organization },
          'the ledger of an organization cannot be checked; trying again',
        );
      await isolation.attempt(organization, () => act([organization]), { signal, onFailure });
      await restAfter(startedAt, share, signal);
    };
    isolation.begin();
    const due = isolation.due(organizations);
    const well = due.filter((each) => !isolation.has(each));
    for (let at = 0; at < well.length; at += mostTogether) {
      const some = well.slice(at, at + mostTogether);
      if (!(await areDone(some))) for (const each of some) await alone(each);
    }
    try {
      for (const each of due.slice(well.length)) await alone(each);
    } catch (error) {
      // Whether it is everybody's, the statements after this show.
      if (signal.aborted) throw error;
    }
  }

  async #stop(id: string, { message, isAltered }: Contradiction): Promise<void> {
    const { db, log } = this.#options;
    const reason = 'DatabaseSetBack';
    if (await stopLedger(db, id, { reason, message }, isAltered)) log.error({ ledger: id, reason }, message);
  }

  async #tell(intervalMs: number, signal: AbortSignal): Promise<void> {
    const { db, log } = this.#options;
    const startedAt = performance.now();
    if (startedAt - this.#lookedForUntoldAt < Math.min(longestTellPassMs, intervalMs)) return;
    this.#lookedForUntoldAt = startedAt;
    const untold = new Map((await listUntold(db, intervalMs)).map((each) => [each.id, each]));
    this.#telling.begin();
    for (const id of this.#telling.due(untold.keys())) {
      if (signal.aborted) return;
      const { note, size } = untold.get(id) ?? { note: Buffer.alloc(0), size: 0 };
      const parts = splitNote(note);
      const text = parts?.text ?? note.toString();
      const checkpoint = parseCheckpoint(parts === null ? text.replace(/\n$/, '') : text);
      if (checkpoint === null) continue;
      const metadata = {
        origin: checkpoint.origin,
        size: checkpoint.size,
        root: Buffer.from(checkpoint.root).toString('base64'),
        signatures: parts?.signatures ?? [],
      };
      const onFailure = (error: unknown): void =>
        log.warn(
          { err: error, ledger: id },
          'the entry about what is sealed cannot be written; trying again',
        );
      await this.#telling.attempt(id, () => tellSealed(db, { id, size }, metadata, intervalMs), {
        signal,
        onFailure,
      });
    }
  }
}

/** A claim, by its keeper and its ledger. */
function nameOf({ keeper, origin }: Witness): string {
  return `${keeper} ${origin === null ? null : ledgerIdOf(origin)}`;
}
