/**
 * Notes each change of a config in the audit log (database/configChanges.ts), a while after the change: what the page saves it
 * records itself, and that entry then comes first. A note that fails, or that waits for its stream, is tried again.
 */
import { pause } from '../basics/wait.ts';
import { listNotedKeys, noteConfig, noteDeletion } from '../database/configChanges.ts';
import type { Database } from '../database/pool.ts';
import { type ExportConfig, nameDestination } from '../model/exportConfig.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface NotedConfig extends Pick<ExportConfig, 'namespace' | 'name' | 'spec'> {
  /** null: the generation means nothing outside this process. */
  readonly generation: number | null;
}

export interface ConfigNotesOptions {
  readonly db: Database;
  readonly log: Logger;
  /** Names the source: `kubernetes …` or `directory …`. Configs of another scope are none of its own. */
  readonly scope: string;
  /** Default: 2 s. */
  readonly delayMs?: number;
}

const defaultDelayMs = 2_000;

export class ConfigNotes {
  readonly #options: ConfigNotesOptions;
  readonly #stopped = new AbortController();
  #known: ReadonlyMap<string, NotedConfig | null> | null = null;
  /** By key, what is still to be noted; null: the config is gone. */
  readonly #pending = new Map<string, NotedConfig | null>();
  #isFirst = true;
  #running: Promise<void> = Promise.resolve();
  #isFailing = false;

  constructor(options: ConfigNotesOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** All configs there are; null: one that is not in force. */
  set(configs: ReadonlyMap<string, NotedConfig | null>): void {
    for (const [key, config] of configs) {
      if (config !== null && config.spec !== this.#known?.get(key)?.spec) this.#pending.set(key, config);
    }
    for (const key of this.#known?.keys() ?? []) if (!configs.has(key)) this.#pending.set(key, null);
    this.#known = configs;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      await pause(this.#options.delayMs ?? defaultDelayMs, this.#stopped.signal);
      try {
        await this.#noteAll();
        this.#isFailing = false;
      } catch (error) {
        if (!this.#isFailing) {
          this.#options.log.warn(
            { err: error },
            'changed export configurations could not be recorded in the audit log; trying again',
          );
        }
        this.#isFailing = true;
      }
    }
  }

  async #noteAll(): Promise<void> {
    const { db, scope } = this.#options;
    const known = this.#known;
    if (known === null) return;
    if (this.#isFirst) {
      // These were deleted while no collector ran.
      for (const key of await listNotedKeys(db, scope)) if (!known.has(key)) this.#pending.set(key, null);
      this.#isFirst = false;
    }
    for (const [key, config] of [...this.#pending]) {
      if (this.#stopped.signal.aborted) return;
      const isNoted = await this.#note(key, config);
      if (isNoted && this.#pending.get(key) === config) this.#pending.delete(key);
    }
  }

  async #note(key: string, config: NotedConfig | null): Promise<boolean> {
    const { db, scope } = this.#options;
    if (config === null) {
      await noteDeletion(db, key);
      return true;
    }
    const { namespace, name, generation, spec } = config;
    const { organization, shown: fields } = spec;
    if (fields === undefined) return true;
    const destination = nameDestination({ namespace, name });
    return noteConfig(db, { configKey: key, organization, destination, scope, generation, fields });
  }
}
