/** Keeps the values of the page for a manifest in `secrets/NAME-audit-export/KEY`, readable by this user alone. */
import { mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PageSecret, SecretKeyRef } from '../../editor/pageSecrets.ts';
import { secretsDirectory } from '../directorySecrets.ts';
import { createAtomically } from '../writeAtomically.ts';

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
