/** What a file system's refusal means to whoever saves on the page. */
import type { EditorResult } from '../../configEditor.ts';

/** @throws what is no file system error: a bug. */
export function describeFileError(error: unknown, directory: string): EditorResult<never> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : null;
  switch (code) {
    case null:
      throw error;
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return {
        kind: 'refused',
        reason: `The configuration directory ${directory} may not be read or written by the collector (${code}): correct its permissions, or change the manifests where they come from.`,
      };
    case 'ENOSPC':
    case 'EDQUOT':
      return {
        kind: 'unavailable',
        reason: `There is no space left for the configuration directory ${directory}: make some, and save again.`,
      };
    default:
      return {
        kind: 'unavailable',
        reason: `The configuration directory ${directory} cannot be used now (${code}): nothing is known to be saved, so try again.`,
      };
  }
}
