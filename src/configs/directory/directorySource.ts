/**
 * AuditExportConfigs from a directory of manifests: the cluster's resource without a cluster.
 *
 *   hint or timer → read everything → compare → onChange
 *
 * Promises:
 *  - Level-triggered: what is reported follows from the files as they stand, never from which event came.
 *  - A broken or half-written file keeps its last good configuration running, and its state says what is wrong.
 *  - A directory that cannot be read for a while changes nothing: only files known to be gone end their exports.
 *
 * Not here: what the states mean (directoryReader.ts), where status goes (statusFiles.ts).
 */
import { resolve } from 'node:path';
import { Bell, pause } from '../../basics/wait.ts';
import type { ExportStatus, LedgerStatus } from '../../model/streamStatus.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ConfigEditor } from '../configEditor.ts';
import type { ConfigSource } from '../configSource.ts';
import { type ConfigStates, isSameStates, logDeletion, logState } from '../configStates.ts';
import { ManifestEditor } from '../editor/manifestEditor.ts';
import { DirectoryReader, type DirectorySnapshot } from './directoryReader.ts';
import { codeOf } from './fileError.ts';
import { StatusFiles } from './statusFiles.ts';
import { FileStore } from './store/fileStore.ts';
import { makeWatches, type Watches } from './watches.ts';

export interface DirectorySourceOptions {
  readonly directory: string;
  readonly log: Logger;
  /** Everything is read again after this long, for changes that no watch has reported. Default: 2,000. */
  readonly rereadIntervalMs?: number;
  /** How long a burst of changes is collected before they are read. Default: 50. */
  readonly debounceMs?: number;
  /** false: changes are seen only when everything is read again. Default: true. */
  readonly isWatched?: boolean;
}

type OnChange = (configs: ConfigStates) => void;

/** Rereads of a folder with thousands of files take a twentieth of the time, as long as no watch says that one has changed. */
const restPerRead = 19;
/** A read that was slow once, on a disk that had stopped, does not put the next one off for minutes. */
const longestRestMs = 30_000;

export class DirectorySource implements ConfigSource {
  readonly scope: string;
  readonly editor: ConfigEditor;
  readonly #options: DirectorySourceOptions;
  readonly #reader: DirectoryReader;
  readonly #statusFiles: StatusFiles;
  readonly #watches: Watches;
  readonly #bell = new Bell();
  readonly #stopped = new AbortController();
  /** What `stop` waits for. */
  readonly #running = new Set<Promise<unknown>>();
  /** As reported last; null: not yet. */
  #states: ConfigStates | null = null;
  /** The failure of the last read; null: it worked. */
  #failure: string | null = null;

  constructor(options: DirectorySourceOptions) {
    const { directory, log } = options;
    const ring = () => this.#bell.ring();
    this.#options = options;
    this.#reader = new DirectoryReader(directory);
    this.#statusFiles = new StatusFiles({ directory, log });
    this.#watches = makeWatches({ log, onHint: ring });
    const statusOf = (key: string) => this.#statusFiles.latest(key);
    this.editor = new ManifestEditor(new FileStore({ directory, statusOf, onWritten: ring }));
    this.scope = `directory ${resolve(directory)}`;
  }

  async start(onChange: OnChange): Promise<void> {
    const { directory } = this.#options;
    let snapshot: DirectorySnapshot;
    try {
      snapshot = await this.#track(this.#reader.read());
    } catch (error) {
      throw new Error(`CONFIG_DIRECTORY is ${directory}: ${describeStartError(error)}.`, { cause: error });
    }
    if (this.#stopped.signal.aborted) return;
    await this.#track(this.#take(snapshot, onChange));
    void this.#track(this.#follow(onChange));
  }

  readLedger(key: string): Promise<LedgerStatus | null> {
    return this.#statusFiles.ledgerOf(key);
  }

  async writeStatus(key: string, status: ExportStatus): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    await this.#track(this.#statusFiles.write(key, status));
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#watches.close();
    await Promise.allSettled([...this.#running]);
  }

  async #follow(onChange: OnChange): Promise<void> {
    const { rereadIntervalMs = 2_000, debounceMs = 50 } = this.#options;
    const { signal } = this.#stopped;
    let tookMs = 0;
    while (!signal.aborted) {
      const restMs = Math.max(rereadIntervalMs, Math.min(restPerRead * tookMs, longestRestMs));
      const how = await this.#bell.wait(restMs, signal);
      if (how === 'rung') await pause(debounceMs, signal);
      if (signal.aborted) return;
      const startedAt = performance.now();
      await this.#reread(onChange);
      tookMs = performance.now() - startedAt;
    }
  }

  async #reread(onChange: OnChange): Promise<void> {
    const snapshot = await this.#readOrReport();
    if (snapshot === null || this.#stopped.signal.aborted) return;
    try {
      await this.#take(snapshot, onChange);
    } catch (error) {
      // The states stay as reported last, so the next read offers the change again.
      const { directory, log } = this.#options;
      log.error(
        { directory, err: error },
        'changed export configurations could not be applied; trying again',
      );
    }
  }

  async #take(snapshot: DirectorySnapshot, onChange: OnChange): Promise<void> {
    const { directory, log, isWatched = true } = this.#options;
    // First, so that a status written from within onChange finds its file.
    const updated = this.#statusFiles.update(snapshot.assigned, snapshot.statusFiles);
    const before = this.#states;
    if (before === null || !isSameStates(before, snapshot.states)) {
      onChange(snapshot.states);
      logChanges(log, before ?? new Map(), snapshot.states);
      this.#states = snapshot.states;
    }
    await updated;
    if (isWatched) await this.#watches.set([directory, ...snapshot.secretDirectories]);
  }

  /** Says when reading begins to fail, and when it works again. */
  async #readOrReport(): Promise<DirectorySnapshot | null> {
    const { directory, log } = this.#options;
    const before = this.#failure;
    try {
      const snapshot = await this.#reader.read();
      if (before !== null) log.info({ directory }, 'the configuration directory can be read again');
      this.#failure = null;
      return snapshot;
    } catch (error) {
      this.#failure = String(error);
      if (before !== this.#failure) {
        const message = 'the configuration directory cannot be read; exports keep running as they are';
        log.error({ directory, err: error }, message);
      }
      return null;
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    const done = () => this.#running.delete(work);
    work.then(done, done);
    return work;
  }
}

function logChanges(log: Logger, before: ConfigStates, now: ConfigStates): void {
  for (const [key, state] of now) if (before.get(key) !== state) logState(log, key, state);
  for (const [key, state] of before) if (!now.has(key)) logDeletion(log, key, state);
}

function describeStartError(error: unknown): string {
  const code = codeOf(error);
  switch (code) {
    case 'ENOENT':
      return 'it does not exist; create it or correct the setting';
    case 'ENOTDIR':
      return 'it is not a directory; correct the setting';
    case 'EACCES':
    case 'EPERM':
      return 'this user may not read it; correct its permissions';
    default:
      return `it cannot be read (${code})`;
  }
}
