/** Lists the files of the directory that are manifests, and those that are status files. */
import { readdir } from 'node:fs/promises';

export const statusSuffix = '.status.yaml';

export interface Listing {
  /** Sorted: where two files claim one name, the first has it. */
  readonly manifests: readonly string[];
  readonly statusFiles: readonly string[];
}

/** @throws a file system error when the directory cannot be read. */
export async function listDirectory(directory: string): Promise<Listing> {
  const names = (await readdir(directory)).filter((name) => !isTemporary(name)).sort();
  const statusFiles = names.filter(isStatusFile);
  return {
    manifests: names.filter((name) => /\.ya?ml$/.test(name) && !isStatusFile(name)),
    statusFiles: statusFiles.filter((name) => name.endsWith(statusSuffix)),
  };
}

/** `.x.yaml.swp`, `.#x.yaml`, `..data` of a mounted ConfigMap; `#x.yaml#`, `~$x.yaml`. */
function isTemporary(name: string): boolean {
  return /^[.#~]/.test(name);
}

function isStatusFile(name: string): boolean {
  return /\.status\.ya?ml$/.test(name);
}
