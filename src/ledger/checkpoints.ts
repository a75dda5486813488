/** Makes the checkpoints that are due, tells of them in entries, and knows what statuses may say. */
import { pause } from '../basics/wait.ts';
import {
  type LedgerView,
  listDueCheckpoints,
  listUntold,
  readLedgerViews,
  stopLedger,
  tellSealed,
} from '../database/ledgerCheckpoints.ts';
import { ensureLedgers } from '../database/ledgers.ts';
import type { Database } from '../database/pool.ts';
import type { LedgerStatus } from '../model/streamStatus.ts';
import type { Logger } from '../telemetry/logger.ts';
import { ledgerIdOf, parseCheckpoint } from './checkpoint.ts';
import { type Claim, type Contradiction, checkpointLedgers, type Signing } from './checkpointLedgers.ts';
import { ledgerFaultOf } from './ledgerFault.ts';
import { splitNote } from './note.ts';

export interface CheckpointOptions {
  readonly db: Database;
  readonly log: Logger;
  readonly signing: Signing;
  /** Organizations with an export, and the checkpoints that their statuses keep. null: the manifests have not been read. */
  readonly readClaims: () => Promise<{ organizations: readonly string[]; claims: readonly Claim[] } | null>;
  /** Between two checkpoints of a ledger; default a minute. */
  readonly checkpointIntervalMs?: number;
  /** Between two entries `audit_log.sealed` of an organization; default an hour. */
  readonly tellIntervalMs?: number;
}

const defaultCheckpointIntervalMs = 60_000;
const defaultTellIntervalMs = 60 * 60_000;
/** So that one statement stays short, and their hashes keep the event loop for moments only. */
const mostTogether = 50;

export class Checkpoints {
  readonly #options: CheckpointOptions;
  /** What this process has compared: the claim of which keeper on which ledger, with which one in force. */
  readonly #compared = new Set<string>();
  /** What the database said at the last look, by the organization. */
  #found = new Map<string, LedgerView>();
  /** Organizations of which it was said that their ledger cannot be checked. */
  readonly #failing = new Set<string>();
  #views = new Map<string, LedgerView>();

  constructor(options: CheckpointOptions) {
    this.#options = options;
  }

  /** What a status may say of the organization's ledger; null: nothing is known, so what stands stays. */
  viewOf(organization: string): LedgerView | null {
    return this.#views.get(organization) ?? null;
  }

  /** The same in the words of a status; null: it stays as it is. */
  statusOf(organization: string | null): LedgerStatus | null {
    const view = organization === null ? null : this.viewOf(organization);
    if (view === null || view.checkpoint === null || view.stopped !== null) return null;
    return { origin: view.origin, ...view.checkpoint };
  }

  /** What is wrong with one organization's ledger stops no other. @throws the database's error when it cannot be asked at all. */
  async run(signal: AbortSignal, share: number): Promise<void> {
    const { db, signing, checkpointIntervalMs, tellIntervalMs } = this.#options;
    const read = await this.#options.readClaims();
    if (read === null) return;
    const { organizations, claims } = read;
    const unchecked = claims.filter((claim) => {
      const found = this.#found.get(claim.organization);
      return !found || (found.stopped === null && !this.#isCompared(claim, found.origin));
    });
    const named = new Set(unchecked.map(({ organization }) => organization));
    const claimsOf = Map.groupBy(claims, ({ organization }) => organization);
    const failed = new Set<string>();
    const pass = { failed, share, signal };
    // A database of before there was a ledger is one that was set back.
    await this.#together([...named], pass, async (organizations) => {
      if (!signal.aborted) await ensureLedgers(db, organizations, signing.name);
    });
    const due = await listDueCheckpoints(db, {
      intervalMs: checkpointIntervalMs ?? defaultCheckpointIntervalMs,
      signs: signing.keys.length > 0,
      unchecked: [...named],
    });
    const ledgerOf = new Map(due.map(({ id, organization }) => [organization, id]));
    await this.#together([...ledgerOf.keys()], pass, async (organizations) => {
      if (signal.aborted) return;
      const ids = organizations.flatMap((organization) => ledgerOf.get(organization) ?? []);
      const contradictions = await checkpointLedgers(db, ids, claimsOf, signing);
      for (const organization of organizations) {
        const id = ledgerOf.get(organization) ?? '';
        const contradiction = contradictions.get(id);
        if (contradiction) await this.#stop(id, contradiction);
        else if (contradiction === null)
          for (const claim of claimsOf.get(organization) ?? []) this.#compared.add(comparison(claim, id));
      }
    });
    if (signal.aborted) return;
    this.#failing.clear();
    for (const organization of failed) this.#failing.add(organization);
    await this.#tell(tellIntervalMs ?? defaultTellIntervalMs);
    const views = await readLedgerViews(db, organizations);
    this.#found = new Map(views.map((view) => [view.organization, view]));
    for (const view of views)
      if (this.#fits(view, claimsOf.get(view.organization) ?? [])) this.#views.set(view.organization, view);
    for (const organization of this.#views.keys())
      if (!this.#found.has(organization)) this.#views.delete(organization);
  }

  #isCompared(claim: Claim, inForce: string): boolean {
    return this.#compared.has(comparison(claim, ledgerIdOf(inForce)));
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
        this.#compared.delete(comparison(claim, id));
    return claims.every((claim) => ledgerIdOf(claim.origin) === null || this.#isCompared(claim, origin));
  }

  /**
   * Does something for many organizations at once; one by one where the database refuses that for one of them, which is then among the
   * `failed`, and said once. A doubtful fault ends the pass when it is met for the first time.
   */
  async #together(
    organizations: readonly string[],
    {
      failed,
      share,
      signal,
    }: { readonly failed: Set<string>; readonly share: number; readonly signal: AbortSignal },
    act: (organizations: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const well = organizations.filter((each) => !this.#failing.has(each));
    const isDone = async (some: readonly string[]): Promise<boolean> => {
      const startedAt = performance.now();
      try {
        await act(some);
        return true;
      } catch (error) {
        const fault = ledgerFaultOf(error);
        if (fault === 'database') throw error;
        const [only = ''] = some;
        if (some.length > 1) return false;
        const isNew = !this.#failing.has(only);
        this.#fail(only, error, failed);
        if (isNew && fault === 'doubtful') throw error;
        return false;
      } finally {
        await pause((performance.now() - startedAt) * (1 / share - 1), signal);
      }
    };
    // Those that failed before come last, so that what takes long with one of them keeps no other waiting.
    const ill = organizations.filter((each) => this.#failing.has(each));
    for (let at = 0; at < well.length; at += mostTogether) {
      const some = well.slice(at, at + mostTogether);
      if (!(await isDone(some)) && some.length > 1) for (const each of some) await isDone([each]);
    }
    for (const each of ill) await isDone([each]);
  }

  #fail(organization: string, error: unknown, failed: Set<string>): void {
    failed.add(organization);
    if (this.#failing.has(organization)) return;
    this.#failing.add(organization);
    this.#options.log.warn(
      { err: error, organization },
      'the ledger of an organization cannot be checked; trying again',
    );
  }

  async #stop(id: string, { message, isAltered }: Contradiction): Promise<void> {
    const { db, log } = this.#options;
    const reason = 'DatabaseSetBack';
    if (await stopLedger(db, id, { reason, message }, isAltered)) log.error({ ledger: id, reason }, message);
  }

  async #tell(intervalMs: number): Promise<void> {
    const { db } = this.#options;
    for (const { id, note, size } of await listUntold(db, intervalMs)) {
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
      await tellSealed(db, { id, size }, metadata, intervalMs);
    }
  }
}

function comparison({ keeper, origin }: Claim, inForce: string | null): string {
  return `${keeper} ${ledgerIdOf(origin)} ${inForce}`;
}
