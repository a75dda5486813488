/**
 * Group commit for statements: what many streams ask of the database at the same time goes into one statement. A call that comes
 * alone is sent at once; those that come while one is under way go together with the next.
 *
 *  - No member waits for another's row: a statement passes over rows that somebody else has locked, and whoever was passed over asks
 *    again alone.
 *  - No member suffers from another's value: what Postgres refuses as a whole is asked again one by one.
 */
import { isPostgresError } from '../telemetry/sqlState.ts';
import type { Database } from './pool.ts';

/** Asked for each in `members`; the answers by the member's id. `isAlone` false: rows that are locked, or do not fit, have none. */
export type AskMany<M, A> = (
  db: Database,
  members: readonly M[],
  isAlone: boolean,
) => Promise<ReadonlyMap<string, A>>;

interface Call<M, A> {
  readonly member: M;
  readonly resolve: (answer: A | null) => void;
  readonly reject: (error: unknown) => void;
}

interface Lane<M, A> {
  waiting: Call<M, A>[];
  isBusy: boolean;
}

/** So that one statement stays short. */
const mostMembers = 100;

/** @param ask sends one statement. No two of its members at the same time may have the same id. */
export class Grouped<M extends { readonly id: string }, A> {
  readonly #ask: AskMany<M, A>;
  readonly #lanes = new WeakMap<Database, Lane<M, A>>();

  constructor(ask: AskMany<M, A>) {
    this.#ask = ask;
  }

  /** The member's answer; null: its row does not fit, also when it is asked alone. @throws the database's error. */
  call(db: Database, member: M): Promise<A | null> {
    const lane = this.#lanes.get(db) ?? { waiting: [], isBusy: false };
    this.#lanes.set(db, lane);
    return new Promise((resolve, reject) => {
      lane.waiting.push({ member, resolve, reject });
      if (!lane.isBusy) void this.#run(db, lane);
    });
  }

  async #run(db: Database, lane: Lane<M, A>): Promise<void> {
    lane.isBusy = true;
    while (lane.waiting.length > 0) await this.#askTogether(db, lane.waiting.splice(0, mostMembers));
    lane.isBusy = false;
  }

  async #askTogether(db: Database, calls: readonly Call<M, A>[]): Promise<void> {
    // In one order, so that two statements never wait for each other in a circle.
    const members = calls.map(({ member }) => member).sort((a, b) => (a.id < b.id ? -1 : 1));
    let answers: ReadonlyMap<string, A>;
    try {
      answers = await this.#ask(db, members, false);
    } catch (error) {
      // Without an answer of Postgres it may have been done.
      const isUndone = error instanceof Error && isPostgresError(error);
      for (const call of calls) isUndone ? void this.#askAlone(db, call) : call.reject(error);
      return;
    }
    for (const call of calls) {
      const answer = answers.get(call.member.id);
      if (answer === undefined) void this.#askAlone(db, call);
      else call.resolve(answer);
    }
  }

  /** Waits for nobody's lock but its own. */
  async #askAlone(db: Database, { member, resolve, reject }: Call<M, A>): Promise<void> {
    try {
      resolve((await this.#ask(db, [member], true)).get(member.id) ?? null);
    } catch (error) {
      reject(error);
    }
  }
}
