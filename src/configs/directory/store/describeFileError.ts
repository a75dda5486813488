/** What a file system's refusal means to whoever saves on the page. */
import { type EditorResult, refused, unavailable } from '../../configEditor.ts';

/** @throws anything but a file system's error: a bug. */
export function describeFileError(error: unknown, directory: string): EditorResult<never> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : null;
  switch (code) {
    case null:
      throw error;
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return refused(
        `The collector may not read or write the configuration directory ${directory} (${code}): correct its permissions, or change the manifests where they come from.`,
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return unavailable(
        `There is no space left in the configuration directory ${directory}: free some, then save again.`,
      );
    default:
      return unavailable(
        `The configuration directory ${directory} cannot be used now (${code}): a change may not have been saved, so try again.`,
      );
  }
}
