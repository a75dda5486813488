import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first program of that name on the PATH. */
export function findOnPath(name: string): string | undefined {
  return findExecutable(name, (process.env['PATH'] ?? '').split(delimiter).filter(Boolean));
}

/** The first of `folders` that holds the program, as a path. */
export function findExecutable(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
