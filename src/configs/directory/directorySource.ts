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
import type { Logger } from '../../telemetry/logger.ts';
import type { ConfigEditor } from '../configEditor.ts';
import type { ConfigSource, ConfigState } from '../configSource.ts';
import { ManifestEditor } from '../editor/manifestEditor.ts';
import { makeBell } from './bell.ts';
import { type DirectorySnapshot, makeDirectoryReader } from './directoryReader.ts';
import { makeStatusFiles } from './statusFiles.ts';
import { FileStore } from './store/fileStore.ts';
import { makeWatches } from './watches.ts';

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

type OnChange = (configs: ReadonlyMap<string, ConfigState>) => void;

export function makeDirectorySource(
  options: DirectorySourceOptions,
): ConfigSource & { readonly editor: ConfigEditor } {
  const { directory, log, rereadIntervalMs = 2_000, debounceMs = 50, isWatched = true } = options;
  const reader = makeDirectoryReader(directory);
  const statusFiles = makeStatusFiles({ directory, log });
  const bell = makeBell();
  const watches = makeWatches({ log, onHint: bell.ring });
  const stopped = new AbortController();
  const running = new Set<Promise<unknown>>();
  let states: ReadonlyMap<string, ConfigState> | null = null;
  let lastFailure: string | null = null;

  /** Lets `stop` wait for it. */
  function track<T>(work: Promise<T>): Promise<T> {
    running.add(work);
    const done = () => running.delete(work);
    work.then(done, done);
    return work;
  }

  async function take(snapshot: DirectorySnapshot, onChange: OnChange): Promise<void> {
    // First, so that a status written from within onChange finds its file.
    const updated = statusFiles.update(snapshot.assigned, snapshot.statusFiles);
    if (states === null || !isSame(states, snapshot.states)) {
      onChange(snapshot.states);
      logChanges(log, states ?? new Map(), snapshot.states);
      states = snapshot.states;
    }
    await updated;
    if (isWatched) await watches.set([directory, ...snapshot.secretDirectories]);
  }

  /** Says it when reading begins to fail, and when it works again. */
  async function readOrReport(): Promise<DirectorySnapshot | null> {
    try {
      const snapshot = await reader.read();
      if (lastFailure !== null) log.info({ directory }, 'the configuration directory can be read again');
      lastFailure = null;
      return snapshot;
    } catch (error) {
      if (lastFailure !== String(error)) {
        log.error(
          { directory, err: error },
          'the configuration directory cannot be read; exports run on as they are',
        );
      }
      lastFailure = String(error);
      return null;
    }
  }

  async function reread(onChange: OnChange): Promise<void> {
    const snapshot = await readOrReport();
    if (snapshot === null || stopped.signal.aborted) return;
    try {
      await take(snapshot, onChange);
    } catch (error) {
      // The states stay as reported last, so the next read offers the change again.
      log.error(
        { directory, err: error },
        'changed export configurations could not be taken over; tried again',
      );
    }
  }

  async function follow(onChange: OnChange): Promise<void> {
    const { signal } = stopped;
    while (!signal.aborted) {
      const how = await bell.wait(rereadIntervalMs, signal);
      if (how === 'rung') await pause(debounceMs, signal);
      if (!signal.aborted) await reread(onChange);
    }
  }

  const store = new FileStore({ directory, statusOf: statusFiles.latest, onWritten: bell.ring });

  return {
    editor: new ManifestEditor(store),
    scope: `directory ${resolve(directory)}`,

    async start(onChange) {
      let snapshot: DirectorySnapshot;
      try {
        snapshot = await track(reader.read());
      } catch (error) {
        throw new Error(`CONFIG_DIRECTORY is ${directory}: ${describeStartError(error)}.`, { cause: error });
      }
      if (stopped.signal.aborted) return;
      await track(take(snapshot, onChange));
      void track(follow(onChange));
    },

    async writeStatus(key, status) {
      if (stopped.signal.aborted) return;
      await track(statusFiles.write(key, status));
    },

    async stop() {
      stopped.abort();
      watches.close();
      await Promise.allSettled([...running]);
    },
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await makeBell().wait(ms, signal);
}

function isSame(a: ReadonlyMap<string, ConfigState>, b: ReadonlyMap<string, ConfigState>): boolean {
  return a.size === b.size && [...b].every(([key, state]) => a.get(key) === state);
}

function logChanges(
  log: Logger,
  before: ReadonlyMap<string, ConfigState>,
  now: ReadonlyMap<string, ConfigState>,
): void {
  for (const [key, state] of now) {
    if (before.get(key) === state) continue;
    if (state.kind === 'valid') {
      log.info({ key, generation: state.config.generation }, 'export configuration read');
    } else {
      const { reason, problems } = state;
      log.warn(
        { key, reason, problems, keepsRunning: state.lastGood !== null },
        'export configuration is wrong',
      );
    }
  }
  for (const key of before.keys()) if (!now.has(key)) log.info({ key }, 'export configuration deleted');
}

function describeStartError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  switch (code) {
    case 'ENOENT':
      return 'it does not exist, create it or correct the setting';
    case 'ENOTDIR':
      return 'it is not a directory, correct the setting';
    case 'EACCES':
    case 'EPERM':
      return 'this user may not read it, correct its permissions';
    default:
      return `it cannot be read (${code})`;
  }
}
