/** The code of a file system's error, such as `ENOENT`; `unknown` for anything else. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
