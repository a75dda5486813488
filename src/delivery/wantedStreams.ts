/**
 * Keeps the streams that the configs ask for, whichever replica sends them: finds or makes the row of each, makes a lost one
 * again, and notices those that no replica takes.
 *
 * Not here: which of them this replica sends (supervisor.ts).
 */
import { createHash } from 'node:crypto';
import { takeOverStream } from '../database/formerStreams.ts';
import { findUnclaimed } from '../database/leases.ts';
import type { Database } from '../database/pool.ts';
import { ensureStreams, type StreamRequest } from '../database/streams.ts';
import { type ExportConfig, nameDestination } from '../model/exportConfig.ts';
import { nothingKnown, type StreamHealth } from '../model/streamHealth.ts';
import type { LastError } from '../model/streamStatus.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { StoppedConfig } from './teller.ts';

interface Wanted {
  readonly config: ExportConfig;
  /** null: not known yet, or no longer. */
  streamId: string | null;
  /** The stream's row was there, and is gone. */
  isLost: boolean;
  /** The former stream of its name goes on for it, or there is none; false as long as it does not ask for that. */
  hasTakenOver: boolean;
  /** Since when it waits for another replica to let go of the former stream; null: it does not. */
  takeOverSince: number | null;
  /** Since when no replica has sent it though each may; null: one does, as far as is known. */
  unclaimedSince: number | null;
}

export class WantedStreams {
  readonly #log: Logger;
  #byKey = new Map<string, Wanted>();
  #reserved: readonly StreamRequest[] = [];
  #stopped: readonly StoppedConfig[] = [];

  constructor(log: Logger) {
    this.#log = log;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Every config that asks for a stream has one: whoever looks at the rows sees all that somebody waits for. */
  get areMade(): boolean {
    return (
      this.#reserved.length === 0 && [...this.#byKey.values()].every(({ streamId }) => streamId !== null)
    );
  }

  /** Identifies the set of configs: replicas that want the same share them. */
  get hash(): string {
    return hashKeys(this.#byKey.keys());
  }

  /** Streams of `reserved` only have to exist; of `stopped` nothing is in force. */
  setConfigs(
    configs: ReadonlyMap<string, ExportConfig>,
    reserved: readonly StreamRequest[],
    stopped: readonly StoppedConfig[],
  ): void {
    this.#stopped = stopped;
    const byKey = new Map<string, Wanted>();
    for (const [key, config] of configs) {
      const before = this.#byKey.get(key);
      const isSame = before?.config.spec.organization === config.spec.organization;
      const known = isSame ? before : unknown;
      const isDecided = before?.config.takesOver === config.takesOver && known.hasTakenOver;
      byKey.set(key, { ...known, config, hasTakenOver: isDecided });
    }
    this.#byKey = byKey;
    this.#reserved = reserved;
  }

  configOf(key: string): ExportConfig | undefined {
    return this.#byKey.get(key)?.config;
  }

  streamIdOf(key: string): string | null {
    return this.#byKey.get(key)?.streamId ?? null;
  }

  /** Configs by their stream's id, as far as that is known. */
  byStreamId(): Map<string, ExportConfig> {
    const byId = new Map<string, ExportConfig>();
    for (const { streamId, config } of this.#byKey.values())
      if (streamId !== null) byId.set(streamId, config);
    return byId;
  }

  /** Makes the rows that are missing, or takes those of former configs. @throws the database's error. */
  async makeMissing(db: Database): Promise<void> {
    for (const wanted of this.#byKey.values())
      if (wanted.config.takesOver && !wanted.hasTakenOver) await this.#takeOver(db, wanted);
    const missing = [...this.#byKey.values()].filter(
      (wanted) => wanted.streamId === null && !isWaiting(wanted),
    );
    const ensured = missing.length > 0 ? await ensureStreams(db, missing.map(toRequest)) : [];
    for (const [i, wanted] of missing.entries()) {
      const stream = ensured[i];
      wanted.streamId = stream?.id ?? null;
      if (!wanted.isLost) continue;
      wanted.isLost = false;
      // Another config's stream may stand in its place: it was taken over.
      if (!stream?.isNew) continue;
      const { key: config, spec } = wanted.config;
      const { organization, startFrom } = spec;
      this.#log.error(
        { config, organization, startFrom, stream: stream.id },
        describeLoss(wanted.config).message,
      );
    }
    const reserved = this.#reserved;
    if (reserved.length > 0) {
      await ensureStreams(db, reserved);
      if (this.#reserved === reserved) this.#reserved = [];
    }
  }

  async #takeOver(db: Database, wanted: Wanted): Promise<void> {
    const { key: configKey, namespace, name, spec } = wanted.config;
    const destination = nameDestination({ namespace, name });
    const result = await takeOverStream(db, { configKey, organization: spec.organization, destination });
    wanted.hasTakenOver = result.kind !== 'busy';
    wanted.takeOverSince = result.kind === 'busy' ? (wanted.takeOverSince ?? performance.now()) : null;
    if (result.kind !== 'taken') return;
    wanted.streamId = result.id;
    wanted.isLost = false;
    this.#log.info(
      { config: configKey, from: result.from, stream: result.id },
      'the stream of the former config of this name goes on for this one',
    );
  }

  /**
   * Looks into streams that were free and that a claim did not bring (`left`, by id). Forgets the id of one whose row is gone, so
   * that the next `makeMissing` makes it again: true when there is one.
   */
  async lookIntoUnclaimed(db: Database, left: readonly string[]): Promise<boolean> {
    const found = left.length > 0 ? await findUnclaimed(db, left) : { gone: [], unheld: [] };
    const gone = new Set(found.gone);
    const unheld = new Set(found.unheld);
    for (const wanted of this.#byKey.values()) {
      const id = wanted.streamId ?? '';
      if (unheld.has(id)) wanted.unclaimedSince ??= performance.now();
      else wanted.unclaimedSince = null;
      if (gone.has(id)) {
        wanted.streamId = null;
        wanted.isLost = true;
      }
    }
    return gone.size > 0;
  }

  /** Keys of the configs that nobody has sent for a while. */
  unclaimedKeys(): string[] {
    return [...this.#byKey.keys()].filter((key) => this.unclaimedHealthOf(key) !== null);
  }

  /** The configs that nobody can send, those included that nobody has sent for a while. */
  stopped(): StoppedConfig[] {
    const unclaimed = [...this.#byKey].flatMap(([key, { config }]) => {
      const { reason, message } = this.unclaimedHealthOf(key)?.failure ?? {};
      if (reason === undefined || message === undefined) return [];
      const { namespace, name, spec } = config;
      return [{ key, namespace, name, reason, message, isSuspended: spec.suspend }];
    });
    return [...this.#stopped, ...unclaimed];
  }

  /** null: a replica sends it, or will in a moment. */
  unclaimedHealthOf(key: string): StreamHealth | null {
    const since = this.#byKey.get(key)?.unclaimedSince ?? null;
    return since !== null && performance.now() - since > unclaimedAfterMs ? unclaimedHealth(since) : null;
  }
}

/** Identifies the set of configs of these keys. */
export function hashKeys(keys: Iterable<string>): string {
  const text = [...keys].toSorted().join('\n');
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** A rolling update or a lost lease passes sooner. */
const unclaimedAfterMs = 15_000;

/** A former stream that somebody still sends after this long is none: the new one begins without it. */
const takeOverPatienceMs = 60_000;

const unknown = {
  streamId: null,
  isLost: false,
  unclaimedSince: null,
  hasTakenOver: false,
  takeOverSince: null,
};

function isWaiting({ takeOverSince }: Wanted): boolean {
  return takeOverSince !== null && performance.now() - takeOverSince < takeOverPatienceMs;
}

function toRequest({ config, isLost }: Wanted): StreamRequest {
  return {
    configKey: config.key,
    organization: config.spec.organization,
    destination: nameDestination(config),
    startFrom: config.spec.startFrom,
    ...(isLost && { lastError: describeLoss(config) }),
  };
}

/** What the status of a stream says whose row was lost and made again. */
function describeLoss({ spec }: ExportConfig): LastError {
  const time = new Date().toISOString();
  const start = {
    now: 'with what is written from now on, so older entries that were not delivered yet are not sent',
    beginning: 'from the beginning, so entries that were delivered before are sent again',
    time: 'from the time in startFrom, so entries that were delivered since are sent again',
  }[spec.startFrom.kind];
  return {
    time,
    reason: 'StreamRestarted',
    message: `The record of what this export had delivered is gone from the database (a restore, or a deleted row in audit.streams). It was made again by startFrom: ${start}.`,
    resolvedTime: time,
  };
}

function unclaimedHealth(since: number): StreamHealth {
  return {
    activity: 'unclaimed',
    failure: {
      reason: 'Unclaimed',
      message:
        'No replica of the collector sends this export: its row in audit.streams is locked, or the replica whose turn it is does not take it.',
      since: Date.now() - (performance.now() - since),
    },
    ...nothingKnown,
  };
}
