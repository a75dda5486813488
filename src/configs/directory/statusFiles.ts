/**
 * Status files beside the manifests: written when they differ, deleted with their manifest. The files themselves are
 * the memory, so it does not matter who changed them last, or that the collector was restarted.
 *
 * In a directory that cannot be written to (a mounted ConfigMap) exports run all the same; it is said once.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExportStatus, LedgerStatus } from '../../model/streamStatus.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { readLedgerStatus } from '../readLedgerStatus.ts';
import { type Assigned, baseName, isOwner } from './assignKeys.ts';
import { codeOf } from './fileError.ts';
import { LedgerFiles } from './ledgerFiles.ts';
import { statusSuffix } from './listDirectory.ts';
import { parseStatus, renderStatus, statusMark } from './renderStatus.ts';
import { writeAtomically } from './writeAtomically.ts';

interface Target {
  readonly fileName: string;
  readonly namespace: string;
  readonly name: string;
  readonly file: string;
}

export class StatusFiles {
  readonly #directory: string;
  readonly #log: Logger;
  #targets = new Map<string, Target>();
  /** Latest work by file name: writes of one file never overlap. */
  readonly #queues = new Map<string, Promise<void>>();
  /** By key. */
  readonly #statuses = new Map<string, ExportStatus>();
  readonly #ledgers = new LedgerFiles(readIfThere);
  #isReadOnly = false;
  readonly #failing = new Set<string>();

  constructor({ directory, log }: { readonly directory: string; readonly log: Logger }) {
    this.#directory = directory;
    this.#log = log;
  }

  /** Takes over which manifests there are, and deletes the status files of those that are gone. Never throws. */
  async update(assigned: readonly Assigned[], present: readonly string[]): Promise<void> {
    const names = assignStatusNames(assigned);
    this.#targets = new Map(
      assigned.flatMap(({ key, namespace, name, file }): Array<[string, Target]> => {
        const fileName = names.get(key);
        return fileName === undefined ? [] : [[key, { fileName, namespace, name, file: file.file }]];
      }),
    );
    for (const key of this.#statuses.keys()) if (!this.#targets.has(key)) this.#statuses.delete(key);
    const used = new Set(names.values());
    this.#ledgers.keepOnly(new Set([...used].map((fileName) => join(this.#directory, fileName))));
    const orphans = present.filter((fileName) => !used.has(fileName));
    await Promise.all(orphans.map((orphan) => this.#enqueue(orphan, () => this.#deleteOrphan(orphan))));
  }

  /** Does nothing for a key that is not there (any more). Never throws. */
  async write(key: string, status: ExportStatus): Promise<void> {
    const fileName = this.#targets.get(key)?.fileName;
    if (fileName === undefined) return;
    this.#statuses.set(key, status);
    await this.#enqueue(fileName, () => this.#writeNow(key, fileName, status));
  }

  /** As last written, or as it would be in a directory that can be written to; after a restart, what the file says. */
  async latest(key: string): Promise<ExportStatus | null> {
    const known = this.#statuses.get(key);
    const fileName = this.#targets.get(key)?.fileName;
    if (known !== undefined || fileName === undefined) return known ?? null;
    return parseStatus(await readIfThere(join(this.#directory, fileName)).catch(() => null));
  }

  /** As the file says, whoever wrote it; where no file can be written, as was last said. */
  async ledgerOf(key: string): Promise<LedgerStatus | null> {
    const fileName = this.#targets.get(key)?.fileName;
    if (fileName === undefined) return null;
    const inFile = await this.#ledgers.read(join(this.#directory, fileName));
    return readLedgerStatus(inFile ?? this.#statuses.get(key)?.ledger);
  }

  #enqueue(fileName: string, work: () => Promise<void>): Promise<void> {
    const run = (this.#queues.get(fileName) ?? Promise.resolve()).then(async () => {
      try {
        await work();
        this.#failing.delete(fileName);
      } catch (error) {
        this.#report(fileName, error);
      }
    });
    this.#queues.set(fileName, run);
    return run.finally(() => {
      if (this.#queues.get(fileName) === run) this.#queues.delete(fileName);
    });
  }

  #report(fileName: string, error: unknown): void {
    const fields = { directory: this.#directory, code: codeOf(error) };
    if (['EROFS', 'EACCES', 'EPERM'].includes(fields.code)) {
      if (this.#isReadOnly) return;
      this.#isReadOnly = true;
      this.#log.warn(
        fields,
        'status files cannot be written: the directory is read-only; exports run, and their status is on the page and in the metrics',
      );
      return;
    }
    if (this.#failing.has(fileName)) return;
    this.#failing.add(fileName);
    this.#log.error(
      { ...fields, fileName },
      'a status file cannot be written; it is tried again with the next status',
    );
  }

  async #writeNow(key: string, fileName: string, status: ExportStatus): Promise<void> {
    // Since this was asked for, the manifest may have gone, or another may have got the name.
    const target = this.#targets.get(key);
    if (target?.fileName !== fileName) return;
    const path = join(this.#directory, fileName);
    const before = await readIfThere(path);
    // What a ledger was at is proof against the database, so it stays until there is another.
    const ledger = status.ledger ?? readLedgerStatus(parseStatus(before)?.ledger);
    const text = renderStatus(target, ledger ? { ...status, ledger } : status);
    if (before === text) return;
    await writeAtomically(path, text);
    if (!this.#isReadOnly) return;
    this.#isReadOnly = false;
    this.#log.info({ directory: this.#directory }, 'status files can be written again');
  }

  async #deleteOrphan(fileName: string): Promise<void> {
    if ([...this.#targets.values()].some((target) => target.fileName === fileName)) return;
    const path = join(this.#directory, fileName);
    if (!(await readIfThere(path))?.startsWith(statusMark)) return;
    await rm(path, { force: true });
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/**
 * File name by key. It is `NAME.status.yaml` after metadata.name; a file without a metadata.name has its own file name's
 * instead, and so has one whose NAME is taken by a file that sorts first (equal names in two namespaces).
 */
export function assignStatusNames(assigned: readonly Assigned[]): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  // Those with a right to their NAME first: a broken `b.yaml` must not take the place of metadata.name `b`.
  const ordered = [...assigned].sort((a, b) => Number(!isOwner(a)) - Number(!isOwner(b)));
  for (const each of ordered) {
    const candidates = [...(isOwner(each) ? [each.name] : []), baseName(each.file.file), each.file.file];
    const free = candidates.map((name) => `${name}${statusSuffix}`).find((name) => !taken.has(name));
    // All three are taken only when three manifests are named after each other's files; the last goes without.
    if (free === undefined) continue;
    taken.add(free);
    names.set(each.key, free);
  }
  return names;
}
