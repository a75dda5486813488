import { expect, test } from 'vitest';
import { processorMs } from '../../tools/processorTime.ts';
import { Secret } from '../model/secret.ts';
import { type Logger, makeLogger } from './logger.ts';

/** A logger whose lines can be read back, parsed and as text. */
function makeTestLogger(): { logger: Logger; lines: () => Record<string, unknown>[]; text: () => string } {
  const written: string[] = [];
  const logger = makeLogger({ level: 'debug', destination: { write: (line) => void written.push(line) } });
  return { logger, lines: () => written.map((line) => JSON.parse(line)), text: () => written.join('') };
}

function makePostgresError(fields: Record<string, string>): Error {
  return Object.assign(new Error('invalid input syntax for type json: "leaked-value"'), {
    severity: 'ERROR',
    code: '22P02',
    detail: 'Failing row contains (7, leaked-value).',
    hint: 'leaked-value',
    where: 'JSON data, line 1: leaked-value',
    internalQuery: 'select leaked-value',
    query: 'select leaked-value',
    schema: 'audit',
    table: 'entries',
    ...fields,
  });
}

test('writes a level by name, an ISO time and the service', () => {
  const { logger, lines } = makeTestLogger();
  logger.info({ entries: 3 }, 'delivered');
  expect(lines()).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      service: 'audit-export',
      entries: 3,
      msg: 'delivered',
    },
  ]);
});

test('leaves out what is under its level', () => {
  const { logger, lines } = makeTestLogger();
  logger.trace('quiet');
  expect(lines()).toEqual([]);
});

test.each<[string, (logger: Logger, error: Error) => void]>([
  ['the only argument', (logger, error) => logger.error(error)],
  ['the first argument', (logger, error) => logger.error(error, 'a query failed')],
  ['err', (logger, error) => logger.error({ err: error })],
  ['error', (logger, error) => logger.error({ error }, 'a query failed')],
  ['another key', (logger, error) => logger.error({ reason: error }, 'a query failed')],
  ['a binding of a child', (logger, error) => logger.child({ err: error }).error('a query failed')],
  ['a cause', (logger, error) => logger.error({ err: new Error('no page', { cause: error }) })],
  [
    'one of several',
    (logger, error) => logger.error({ err: new AggregateError([error, error], 'no connection') }),
  ],
])('keeps the values of a row out when the error is %s', (_, log) => {
  const { logger, text } = makeTestLogger();
  log(logger, makePostgresError({}));
  expect(text()).toContain('22P02');
  expect(text()).toContain('"table":"entries"');
  expect(text()).not.toContain('leaked-value');
});

test('keeps what an operator needs of an error of Postgres', () => {
  const { logger, lines } = makeTestLogger();
  logger.error(makePostgresError({ code: '23505', constraint: 'streams_pkey', table: 'streams' }));
  expect(lines()[0]).toMatchObject({
    msg: 'SQLSTATE 23505 (unique_violation)',
    err: {
      type: 'Error',
      message: 'SQLSTATE 23505 (unique_violation)',
      code: '23505',
      severity: 'ERROR',
      table: 'streams',
      constraint: 'streams_pkey',
    },
  });
});

test.each([
  ['57P01', 'terminating connection due to administrator command'],
  ['42501', 'permission denied for table streams'],
  ['28P01', 'password authentication failed for user "collector"'],
])('keeps the message of SQLSTATE %s, which speaks of the server', (code, message) => {
  const { logger, lines } = makeTestLogger();
  logger.error(Object.assign(makePostgresError({ code }), { message }));
  expect(lines()[0]).toMatchObject({ msg: message, err: { message } });
});

test('keeps message, code and stack of other errors', () => {
  const { logger, lines } = makeTestLogger();
  logger.error(Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' }));
  logger.error(Object.assign(new Error('write EPIPE\nsecond line'), { code: 'EPIPE' }));
  expect(lines()).toMatchObject([
    {
      err: {
        message: 'connect ECONNREFUSED 127.0.0.1:5432',
        code: 'ECONNREFUSED',
        stack: expect.stringMatching(/^at .*logger\.test\.ts/),
      },
    },
    { err: { message: 'write EPIPE\nsecond line', stack: expect.stringMatching(/^at .*logger\.test\.ts/) } },
  ]);
});

test('leaves a stack out whose message was replaced', () => {
  const { logger, text } = makeTestLogger();
  const error = new Error('leaked-value');
  error.message = '';
  logger.error(error);
  logger.error(Object.assign(new Error('syntax error at leaked-value'), { message: 'syntax error' }));
  expect(text()).not.toContain('leaked-value');
});

test('does not quote text that is not JSON', () => {
  const { logger, text } = makeTestLogger();
  try {
    JSON.parse('leaked-value');
  } catch (error) {
    logger.error({ err: error }, 'unreadable');
  }
  expect(text()).toContain('text is not valid JSON');
  expect(text()).not.toContain('leaked-value');
});

test('says only the type of a thrown value that is not an error', () => {
  const { logger, lines } = makeTestLogger();
  logger.error({ err: 'leaked-value' }, 'odd');
  expect(lines()[0]?.['err']).toEqual({ type: 'string', message: 'a thrown value that is not an Error' });
});

test('shows the name of a Secret', () => {
  const { logger, text } = makeTestLogger();
  logger.warn({ namespace: 'flows', secret: 'acme-siem' }, 'the Secret cannot be followed');
  expect(text()).toContain('"secret":"acme-siem"');
});

test('redacts secrets that slipped through as plain text', () => {
  const { logger, text } = makeTestLogger();
  const secret = 'leaked-value';
  logger.info({ headers: { authorization: secret } });
  logger.info({ request: { headers: [secret] }, Authorization: secret });
  logger.info({ a: { b: { password: secret } }, env: { DATABASE_URL: secret } });
  logger.info({ url: new Secret(secret) }, `at postgres://collector:${secret}@db:5432/flows`);
  logger.error(new Error(`cannot reach https://u:${secret}@otel.example.com/v1/logs`));
  expect(text()).not.toContain(secret);
  expect(text()).toContain('postgres://[redacted]@db:5432/flows');
});

test('stays fast on a long line', () => {
  const { logger, text } = makeTestLogger();
  const tookMs = processorMs(() => {
    logger.info({ odd: '://'.repeat(30_000) });
    logger.info({ odd: `://${'a'.repeat(100_000)}` });
  });
  expect(text().length).toBeGreaterThan(190_000);
  expect(tookMs).toBeLessThan(1_000);
});
