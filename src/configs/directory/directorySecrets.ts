/**
 * Secrets as files: `secrets/NAME/KEY` in the directory, for every namespace alike; a mounted Secret has this shape. Those that
 * the page makes are readable by this user alone.
 */
import { mkdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '../../model/secret.ts';
import type { SecretReader } from '../destination/secretReader.ts';
import type { PageSecret, SecretKeyRef } from '../editor/pageSecrets.ts';
import type { FileCache } from './fileCache.ts';
import { createAtomically } from './writeAtomically.ts';

export interface DirectorySecrets extends SecretReader {
  /** Versions of the files that were found, by path: while these stay the same, so does what was made of them. */
  readonly found: ReadonlyMap<string, number>;
  /** The directories looked into, whether they exist or not. */
  readonly directories: ReadonlySet<string>;
}

/** One reader for each manifest. Names have passed the schema: none leads out of `secrets/`. */
export function makeDirectorySecrets(directory: string, cache: FileCache): DirectorySecrets {
  const found = new Map<string, number>();
  const directories = new Set<string>();
  return {
    found,
    directories,
    async read(_namespace, name, key) {
      const secretDirectory = join(secretsDirectory(directory), name);
      directories.add(secretDirectory);
      const path = join(secretDirectory, key);
      const content = await cache.read(path);
      switch (content.kind) {
        case 'text':
          found.set(path, content.version);
          return { kind: 'found', value: new Secret(content.text) };
        case 'unreadable':
          return content;
        case 'missing':
          return { kind: (await isDirectory(secretDirectory)) ? 'key-missing' : 'secret-missing' };
      }
    },
  };
}

/** Whether every file still says what it said. */
export async function isUnchanged(found: ReadonlyMap<string, number>, cache: FileCache): Promise<boolean> {
  for (const [path, version] of found) {
    const content = await cache.read(path);
    if (content.kind !== 'text' || content.version !== version) return false;
  }
  return true;
}

export function secretsDirectory(directory: string): string {
  return join(directory, 'secrets');
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** @throws a file system error; some may have been written then. */
export async function writeSecretFiles(directory: string, secrets: readonly PageSecret[]): Promise<void> {
  for (const { name, data } of secrets) {
    const folder = join(secretsDirectory(directory), name);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const [key, value] of data) await createAtomically(join(folder, key), value.reveal(), 0o600);
  }
}

/** Deletes those that exist, and folders that become empty. What cannot be deleted stays. */
export async function deleteSecretFiles(directory: string, refs: readonly SecretKeyRef[]): Promise<void> {
  for (const { name, key } of refs) {
    const folder = join(secretsDirectory(directory), name);
    await rm(join(folder, key), { force: true }).catch(() => {});
    await rmdir(folder).catch(() => {});
  }
}
