/** The code of an error of Node, Postgres or a library, such as `ECONNREFUSED` or an SQLSTATE; empty when it has none. */
export function errorCode(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}
