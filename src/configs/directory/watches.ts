/**
 * fs.watch on a changing set of directories, as a hint that something has happened. It may miss changes or not work at
 * all (network file systems, used-up inotify limits): the source reads everything again every few seconds anyway.
 */
import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Logger } from '../../telemetry/logger.ts';
import { codeOf } from './fileError.ts';

export interface Watches {
  /**
   * Watches exactly these directories, those that do not exist excepted; one that was replaced by another of its name
   * is watched anew. Whatever is newly watched is reported once, since changes before went unseen.
   */
  set(directories: Iterable<string>): Promise<void>;
  close(): void;
}

export function makeWatches(options: { readonly log: Logger; readonly onHint: () => void }): Watches {
  const { log, onHint } = options;
  const watchers = new Map<string, { watcher: FSWatcher; inode: string }>();
  let isClosed = false;
  let hasWarned = false;

  function drop(directory: string): void {
    watchers.get(directory)?.watcher.close();
    watchers.delete(directory);
  }

  function add(directory: string, inode: string): void {
    try {
      const watcher = watch(directory, (_event, fileName) => {
        // Our own writes.
        if (fileName === null || !fileName.includes('.status.yaml')) onHint();
      });
      watcher.on('error', (error) => {
        drop(directory);
        warn(directory, error);
      });
      watchers.set(directory, { watcher, inode });
      onHint();
    } catch (error) {
      warn(directory, error);
    }
  }

  function warn(directory: string, error: unknown): void {
    if (hasWarned || isClosed) return;
    hasWarned = true;
    log.warn(
      { directory, code: codeOf(error) },
      'a directory cannot be watched; its changes are seen when it is read again',
    );
  }

  return {
    async set(directories) {
      const wanted = new Set(directories);
      for (const directory of watchers.keys()) if (!wanted.has(directory)) drop(directory);
      for (const directory of wanted) {
        const inode = await inodeOf(directory);
        if (isClosed) return;
        if (watchers.get(directory)?.inode === inode) continue;
        drop(directory);
        if (inode !== undefined) add(directory, inode);
      }
    },
    close() {
      isClosed = true;
      for (const directory of [...watchers.keys()]) drop(directory);
    },
  };
}

async function inodeOf(directory: string): Promise<string | undefined> {
  try {
    const info = await stat(directory);
    return info.isDirectory() ? `${info.dev}:${info.ino}` : undefined;
  } catch {
    return undefined;
  }
}
