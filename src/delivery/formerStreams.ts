/** Says what a former config of the same name has left undelivered, until somebody decides about it (database/formerStreams.ts). */
import { Bell } from '../basics/wait.ts';
import {
  countLeft,
  type FormerStream,
  findFormerStreams,
  type LeftEntries,
  mostCounted,
} from '../database/formerStreams.ts';
import type { Database } from '../database/pool.ts';
import type { Remark } from '../model/exportConfig.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Stream } from './stream.ts';

interface Found {
  readonly former: string;
  /** null: it has left nothing. */
  readonly remark: Remark | null;
}

export interface FormerStreamsOptions {
  readonly db: Database;
  readonly log: Logger;
  readonly intervalMs: number;
  readonly running: () => readonly Stream[];
  /** Something new is known of it. Must not throw. */
  readonly onChange: (stream: Stream) => void;
}

export class FormerStreams {
  readonly #options: FormerStreamsOptions;
  readonly #now = new Bell();
  /** By the id of the stream that came after. */
  #found = new Map<string, Found>();

  constructor(options: FormerStreamsOptions) {
    this.#options = options;
  }

  /** Resolves once it has stopped; never rejects. */
  async run(stop: AbortSignal): Promise<void> {
    const { log, intervalMs } = this.#options;
    while (!stop.aborted) {
      try {
        await this.#look();
      } catch (error) {
        log.debug({ err: error }, 'the streams of former configs could not be looked at; trying again');
      }
      await this.#now.wait(intervalMs, stop);
    }
  }

  lookNow(): void {
    this.#now.ring();
  }

  remarksOf({ id, config }: Stream): readonly Remark[] {
    const remark = config.takesOver === false ? null : this.#found.get(id)?.remark;
    return remark ? [remark] : [];
  }

  async #look(): Promise<void> {
    const { db, running, onChange } = this.#options;
    const byId = new Map(running().map((stream) => [stream.id, stream]));
    const before = this.#found;
    const found = new Map<string, Found>();
    for (const former of byId.size > 0 ? await findFormerStreams(db, [...byId.keys()]) : []) {
      const known = before.get(former.successor);
      found.set(former.successor, known?.former === former.id ? known : await this.#judge(former));
    }
    this.#found = found;
    for (const [id, stream] of byId) {
      const remark = found.get(id)?.remark;
      if (before.get(id)?.remark === remark) continue;
      if (remark) stream.log.warn({ former: found.get(id)?.former }, remark.message);
      onChange(stream);
    }
  }

  /** It changes no more, since nobody sends it: counted once. */
  async #judge(former: FormerStream): Promise<Found> {
    return { former: former.id, remark: describeLeft(await countLeft(this.#options.db, former)) };
  }
}

function describeLeft({ undelivered, parked }: LeftEntries): Remark | null {
  if (undelivered + parked === 0) return null;
  const most = undelivered >= mostCounted ? 'at least ' : '';
  const waiting = `${most}${undelivered} ${undelivered === 1 ? 'entry' : 'entries'} undelivered`;
  const left = parked === 0 ? waiting : `${waiting} and ${parked} parked`;
  return {
    reason: 'FormerEntriesLeft',
    message: `A former config of this namespace, name and organization left ${left}: set the annotation auditexport.dev/take-over to "true" to deliver them, or to "false" if nobody wants them.`,
  };
}
