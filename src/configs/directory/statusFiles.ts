/**
 * Status files beside the manifests: written when they differ, deleted with their manifest. The files themselves are
 * the memory, so it does not matter who changed them last, or that the collector was restarted.
 *
 * In a directory that cannot be written to (a mounted ConfigMap) exports run all the same; it is said once.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExportStatus } from '../../model/streamStatus.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Assigned } from './assignKeys.ts';
import { parseStatus, renderStatus, statusMark } from './renderStatus.ts';
import { assignStatusNames } from './statusNames.ts';
import { writeAtomically } from './writeAtomically.ts';

export interface StatusFiles {
  /** Takes over which manifests there are, and deletes the status files of those that are gone. Never throws. */
  update(assigned: readonly Assigned[], present: readonly string[]): Promise<void>;
  /** Does nothing for a key that is not there (any more). Never throws. */
  write(key: string, status: ExportStatus): Promise<void>;
  /** As last written, or as it would be in a directory that can be written to; of an earlier run, what its file says. */
  latest(key: string): Promise<ExportStatus | null>;
}

interface Target {
  readonly fileName: string;
  readonly namespace: string;
  readonly name: string;
  readonly file: string;
}

export function makeStatusFiles(options: { readonly directory: string; readonly log: Logger }): StatusFiles {
  const { directory, log } = options;
  let targets = new Map<string, Target>();
  /** Latest work by file name: writes of one file never overlap. */
  const queues = new Map<string, Promise<void>>();
  /** By key. */
  const statuses = new Map<string, ExportStatus>();
  let isReadOnly = false;
  const failing = new Set<string>();

  function enqueue(fileName: string, work: () => Promise<void>): Promise<void> {
    const run = (queues.get(fileName) ?? Promise.resolve()).then(async () => {
      try {
        await work();
        failing.delete(fileName);
      } catch (error) {
        report(fileName, error);
      }
    });
    queues.set(fileName, run);
    return run.finally(() => {
      if (queues.get(fileName) === run) queues.delete(fileName);
    });
  }

  function report(fileName: string, error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (['EROFS', 'EACCES', 'EPERM'].includes(code)) {
      if (isReadOnly) return;
      isReadOnly = true;
      log.warn(
        { directory, code },
        'status files cannot be written: the directory is read-only; exports run, and their status is on the page and in the metrics',
      );
      return;
    }
    if (failing.has(fileName)) return;
    failing.add(fileName);
    log.error(
      { directory, fileName, code },
      'a status file cannot be written; tried again with the next status',
    );
  }

  async function writeNow(key: string, fileName: string, status: ExportStatus): Promise<void> {
    // The manifest may be gone, or the name be another's, since this was asked for.
    const target = targets.get(key);
    if (target?.fileName !== fileName) return;
    const path = join(directory, fileName);
    const text = renderStatus(target, status);
    if ((await readIfThere(path)) === text) return;
    await writeAtomically(path, text);
    if (!isReadOnly) return;
    isReadOnly = false;
    log.info({ directory }, 'status files can be written again');
  }

  async function deleteOrphan(fileName: string): Promise<void> {
    if ([...targets.values()].some((target) => target.fileName === fileName)) return;
    const path = join(directory, fileName);
    if (!(await readIfThere(path))?.startsWith(statusMark)) return;
    await rm(path, { force: true });
  }

  return {
    async update(assigned, present) {
      const names = assignStatusNames(assigned);
      targets = new Map(
        assigned.flatMap(({ key, namespace, name, file }): Array<[string, Target]> => {
          const fileName = names.get(key);
          return fileName === undefined ? [] : [[key, { fileName, namespace, name, file: file.file }]];
        }),
      );
      for (const key of statuses.keys()) if (!targets.has(key)) statuses.delete(key);
      const used = new Set(names.values());
      const orphans = present.filter((fileName) => !used.has(fileName));
      await Promise.all(orphans.map((fileName) => enqueue(fileName, () => deleteOrphan(fileName))));
    },

    async write(key, status) {
      const fileName = targets.get(key)?.fileName;
      if (fileName === undefined) return;
      statuses.set(key, status);
      await enqueue(fileName, () => writeNow(key, fileName, status));
    },

    async latest(key) {
      const known = statuses.get(key);
      const fileName = targets.get(key)?.fileName;
      if (known !== undefined || fileName === undefined) return known ?? null;
      return parseStatus(await readIfThere(join(directory, fileName)).catch(() => null));
    },
  };
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
