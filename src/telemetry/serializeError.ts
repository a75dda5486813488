/**
 * Errors as they may be logged: enough to act on, nothing of an entry.
 *
 * An error from Postgres contains the row that caused it (`detail`: "Failing row contains (…)", `where`, `hint`, often the
 * message), and node-postgres passes all of it on. Only the fields below are kept, and the message only for classes of errors
 * that never quote a value (sqlState.ts).
 */
import { describeSqlState, isHarmlessMessage, isPostgresError } from './sqlState.ts';

export interface SerializedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  /** The table of a Postgres error. Like the two fields below, it is a name in our own schema. */
  readonly severity?: string;
  readonly table?: string;
  readonly constraint?: string;
  readonly cause?: SerializedError;
  /** The first three errors of an AggregateError, such as a connection tried on several addresses. */
  readonly errors?: readonly SerializedError[];
}

const maxDepth = 4;
const maxErrors = 3;
const maxMessageLength = 2_000;

/** Accepts any value, because any value can be thrown. Never throws. */
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

/** The message of an error if it may be shown, or else what can be said instead. */
export function safeMessage(error: Error): string {
  const code = stringField(error, 'code');
  if (isPostgresError(error) && !isHarmlessMessage(error.code)) return describeSqlState(error.code);
  // JSON.parse quotes the text around the error: Unexpected token 'x', "…" is not valid JSON.
  if (error instanceof SyntaxError && error.message.endsWith('is not valid JSON'))
    return 'text is not valid JSON';
  // An AggregateError of a refused connection has no message of its own.
  const message = error.message || code || 'no message';
  return message.length > maxMessageLength ? `${message.slice(0, maxMessageLength)}…` : message;
}

/**
 * The code positions of the stack. The stack begins with the message as it was when the error was created; the search starts
 * after it, because lines of a message can look like positions.
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
