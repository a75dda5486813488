/**
 * The one logger: JSON lines with ISO times on stdout.
 *
 * Secrets have a type of their own that prints as `[secret]`; the redaction here is a second safeguard, for a header or a URL
 * that slipped through as plain text. Entries are never logged, only ids, counts and sizes.
 */
import pino from 'pino';
import { safeMessage, serializeError } from './serializeError.ts';

export type Logger = pino.Logger;

export interface LoggerOptions {
  readonly level: pino.LevelWithSilent;
  /** The `service` of every line. Default: audit-export. */
  readonly service?: string;
  /** Receives whole lines. Default: stdout, written at once, so that a crash loses nothing. */
  readonly destination?: pino.DestinationStream;
}

/** Pass an error as `err` or `error`, or as the first argument: each way it is serialised without values of rows. */
export function makeLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service ?? 'audit-export' },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: serializeOtherErrors },
      serializers: { err: serializeError, error: serializeError },
      redact: { paths: redactedPaths(), censor: '[redacted]' },
      hooks: { logMethod: keepErrorMessageSafe, streamWrite: redactUrlCredentials },
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

/** `secret` is not among them: it is the name of a Kubernetes Secret, which readers of the log need. */
const secretKeys = [
  'authorization',
  'Authorization',
  'cookie',
  'headers',
  'password',
  'token',
  'apiKey',
  'api_key',
  'databaseUrl',
  'DATABASE_URL',
  'connectionString',
];

/** Each key at the top, and one and two levels down. */
function redactedPaths(): string[] {
  return secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
}

/** Under any other key pino would print the enumerable fields of an error, and those of node-postgres hold rows. */
function serializeOtherErrors(bindings: Record<string, unknown>): Record<string, unknown> {
  const hasOther = Object.entries(bindings).some(([key, value]) => isUnserialised(key, value));
  if (!hasOther) return bindings;
  return Object.fromEntries(
    Object.entries(bindings).map(([key, value]) => [
      key,
      isUnserialised(key, value) ? serializeError(value) : value,
    ]),
  );
}

function isUnserialised(key: string, value: unknown): boolean {
  return value instanceof Error && key !== 'err' && key !== 'error';
}

/** pino copies the message of an error into `msg` when a call has none: the raw one, whatever the serializer says. */
function keepErrorMessageSafe(
  this: pino.Logger,
  args: Parameters<pino.LogFn>,
  method: pino.LogFn,
  _level: number,
): void {
  const [first, message, ...rest] = args as unknown[];
  if (typeof first !== 'object' || first === null || message !== undefined) {
    method.apply(this, args);
    return;
  }
  const error = first instanceof Error ? first : 'err' in first ? first.err : undefined;
  if (error instanceof Error) {
    const bindings = first instanceof Error ? { err: first } : first;
    method.apply(this, [bindings, safeMessage(error), ...rest] as Parameters<pino.LogFn>);
  } else {
    method.apply(this, args);
  }
}

/** postgres://user:password@host in any text, a message of a library included. Bounded, to stay linear on any line. */
function redactUrlCredentials(line: string): string {
  return line.replaceAll(/:\/\/[^/\s"@\\]{1,1000}@/g, '://[redacted]@');
}
