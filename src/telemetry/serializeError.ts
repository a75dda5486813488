/**
 * Errors as they may be logged: enough to act on, nothing of an entry.
 *
 * An error of Postgres carries the row it stumbled over (`detail`: "Failing row contains (…)", `where`, `hint`, often the
 * message), and node-postgres hands all of it on. Of those only the allowed fields below are kept; the message only for
 * classes of errors that never quote a value (sqlState.ts).
 */
import { describeSqlState, isHarmlessMessage, isPostgresError } from './sqlState.ts';

export interface SerializedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  /** Of an error of Postgres, as are the two below: names of its own schema. */
  readonly severity?: string;
  readonly table?: string;
  readonly constraint?: string;
  readonly cause?: SerializedError;
  /** Of an AggregateError, such as a connection tried on several addresses; the first three. */
  readonly errors?: readonly SerializedError[];
}

const maxDepth = 4;
const maxErrors = 3;
const maxMessageLength = 2_000;

/** Takes anything, since anything can be thrown. Never throws. */
export function serializeError(error: unknown, depth = 0): SerializedError {
  if (!(error instanceof Error))
    return { type: typeof error, message: 'a thrown value that is not an Error' };
  const message = safeMessage(error);
  const code = stringField(error, 'code');
  const frames = stackFrames(error);
  return {
    type: error.constructor.name,
    message,
    ...(code !== undefined && { code }),
    ...(isPostgresError(error) && pick(error, ['severity', 'table', 'constraint'])),
    ...(frames !== undefined && { stack: frames }),
    ...(error.cause !== undefined && depth < maxDepth && { cause: serializeError(error.cause, depth + 1) }),
    ...(error instanceof AggregateError &&
      depth < maxDepth && {
        errors: error.errors.slice(0, maxErrors).map((inner) => serializeError(inner, depth + 1)),
      }),
  };
}

/** The message of an error where it may be shown, and what can be said instead where it may not. */
export function safeMessage(error: Error): string {
  const code = stringField(error, 'code');
  if (isPostgresError(error) && !isHarmlessMessage(error.code)) return describeSqlState(error.code);
  // JSON.parse quotes the text around the place: Unexpected token 'x', "…" is not valid JSON.
  if (error instanceof SyntaxError && error.message.endsWith('is not valid JSON'))
    return 'text is not valid JSON';
  // An AggregateError of a refused connection has no message of its own.
  const message = error.message || code || 'no message';
  return message.length > maxMessageLength ? `${message.slice(0, maxMessageLength)}…` : message;
}

/**
 * The code positions of the stack, which begins with the message as it was when the error was made. Looked for behind the
 * message, since a message of several lines can look like them.
 */
function stackFrames(error: Error): string | undefined {
  const stack = error.stack ?? '';
  const afterMessage = stack.slice(Math.max(0, stack.indexOf(error.message)) + error.message.length);
  const first = afterMessage.search(/\n\s+at /);
  return first === -1 ? undefined : afterMessage.slice(first).trim().replaceAll(/\n\s+/g, '\n');
}

function stringField(error: Error, name: string): string | undefined {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function pick(error: Error, names: readonly string[]): Record<string, string> {
  const fields = names.map((name) => [name, stringField(error, name)] as const);
  return Object.fromEntries(fields.filter((field): field is [string, string] => field[1] !== undefined));
}
