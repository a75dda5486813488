/**
 * Reads what trickles: windows that are thought to hold a few entries, those of many streams by one COPY.
 *
 * Nobody waits for another's entries for longer than `togetherMs`: whoever has no answer by then is read alone.
 */
import { Grouped } from '../database/grouped.ts';
import type { Database } from '../database/pool.ts';
import { type PageCall, type PageResult, readFirstPages, readPage } from '../database/readWindow.ts';
import { plainRowBytes, trickleRows } from './readPace.ts';
import type { ReadPlaces } from './readPlaces.ts';

const togetherMs = 5_000;
/** The place of a read for many; no organization has this name. */
const forMany = '';

interface Member extends PageCall {
  readonly id: string;
  readonly interrupt: AbortSignal;
}

export class TrickleReads {
  readonly #pages: Grouped<Member, PageResult | 'aborted'>;
  #calls = 0;

  constructor(places: ReadPlaces) {
    const limits = { rows: trickleRows, rowBytes: plainRowBytes };
    this.#pages = new Grouped(async (db, members, isAlone) => {
      const [first] = members;
      if (first && (isAlone || members.length === 1)) {
        const { stream, onEntry, interrupt } = first;
        const page = await places.run(stream.organization, interrupt, () =>
          readPage(db, stream, null, limits, onEntry),
        );
        return new Map([[first.id, page]]);
      }
      const wanted = members.filter(({ interrupt }) => !interrupt.aborted);
      if (wanted.length === 0) return new Map();
      const pages = await places.run(forMany, AbortSignal.timeout(togetherMs), () =>
        readFirstPages(db, wanted, { ...limits, timeoutMs: togetherMs }),
      );
      if (pages === 'aborted') return new Map();
      return new Map(wanted.flatMap(({ id }, n) => (pages[n] ? [[id, pages[n]]] : [])));
    });
  }

  /** The page of `call`; 'aborted' when `interrupt` came first. @throws as `readPage`. */
  async read(db: Database, call: PageCall, interrupt: AbortSignal): Promise<PageResult | 'aborted'> {
    const page = await this.#pages.call(db, { ...call, id: `${this.#calls++}`, interrupt });
    return page ?? 'aborted';
  }
}
