/**
 * Reads what trickles: windows that are thought to hold a few entries, those of many streams by one COPY.
 *
 * Nobody waits for another's entries for longer than `togetherMs`: whoever has no answer by then is read alone, as is an organization that
 * is known to be slow.
 */
import { Grouped } from '../database/grouped.ts';
import type { Database } from '../database/pool.ts';
import { type PageCall, type PageResult, readFirstPages, readPage } from '../database/readWindow.ts';
import { plainRowBytes, trickleRows } from './readPace.ts';
import type { ReadPlaces } from './readPlaces.ts';

const togetherMs = 2_000;
const limits = { rows: trickleRows, rowBytes: plainRowBytes };

interface Member extends PageCall {
  readonly id: string;
  readonly interrupt: AbortSignal;
}

export class TrickleReads {
  readonly #places: ReadPlaces;
  readonly #pages: Grouped<Member, PageResult | 'aborted'>;
  #calls = 0;

  constructor(places: ReadPlaces) {
    this.#places = places;
    this.#pages = new Grouped(async (db, members, isAlone) => {
      const [first] = members;
      if (isAlone && first) return new Map([[first.id, await this.#readAlone(db, first)]]);
      const wanted = members.filter(
        ({ interrupt, stream }) => !interrupt.aborted && !places.isSlow(stream.organization),
      );
      if (wanted.length === 0) return new Map();
      const pages = await places.runForMany(AbortSignal.timeout(togetherMs), () =>
        readFirstPages(db, wanted, { ...limits, timeoutMs: togetherMs }),
      );
      if (pages === 'aborted') return new Map();
      return new Map(wanted.flatMap(({ id }, n) => (pages[n] ? [[id, pages[n]]] : [])));
    });
  }

  /** The page of `call`; 'aborted' when `interrupt` came first. @throws as `readPage`. */
  async read(db: Database, call: PageCall, interrupt: AbortSignal): Promise<PageResult | 'aborted'> {
    const member = { ...call, id: `${this.#calls++}`, interrupt };
    // Its wait for the one place that it has is nobody else's.
    if (this.#places.isSlow(call.stream.organization)) return this.#readAlone(db, member);
    return (await this.#pages.call(db, member)) ?? 'aborted';
  }

  #readAlone(db: Database, { stream, onEntry, interrupt }: Member): Promise<PageResult | 'aborted'> {
    return this.#places.run(stream.organization, interrupt, () =>
      readPage(db, stream, null, limits, onEntry),
    );
  }
}
