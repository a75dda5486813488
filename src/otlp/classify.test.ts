import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { processorMs } from '../../tools/processorTime.ts';
import type { Answer, NoAnswer, Response } from '../model/answer.ts';
import type { Outcome } from '../model/outcome.ts';
import type { FailureReason } from '../model/reasons.ts';
import { Secret } from '../model/secret.ts';
import { classify } from './classify.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const context = { now, url: new URL('https://otel.example.com:4318/v1/logs?key=q7'), secrets: [] };

const protobuf = 'application/x-protobuf';
const json = 'application/json';
const html = 'text/html; charset=utf-8';
const text = 'text/plain';

/** An answer with a body as text, as bytes in hexadecimal, or none. */
function answer(
  status: number,
  contentType = '',
  body: string | Uint8Array = '',
  more: Partial<Response> = {},
): Response {
  return {
    kind: 'response',
    status,
    headers: { ...(contentType !== '' && { 'content-type': contentType }), ...more.headers },
    body: typeof body === 'string' ? Buffer.from(body) : body,
    truncated: more.truncated ?? false,
  };
}

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

/** `outcome reason/rejected message`: what a row of the tables below expects. */
function show(outcome: Outcome): string {
  if (outcome.kind === 'settled') return `settled ${outcome.rejected} ${outcome.message}`.trimEnd();
  return `${outcome.kind} ${outcome.reason}`;
}

describe('classify: a status', () => {
  it.each<[status: number, contentType: string, body: string, expected: string]>([
    // 2xx
    [200, protobuf, '', 'settled 0'],
    [200, '', '', 'settled 0'],
    [200, html, '', 'settled 0'],
    [202, '', '', 'settled 0'],
    [204, '', '', 'settled 0'],
    [200, json, '{}', 'settled 0'],
    [202, json, '{"partialSuccess":{}}', 'settled 0'],
    [200, html, '<!doctype html><title>Log in</title>', 'hold NotOtlp'],
    [200, text, 'ok', 'hold NotOtlp'],
    [200, 'application/octet-stream', 'ok', 'hold NotOtlp'],
    [299, text, 'ok', 'hold NotOtlp'],
    // 3xx
    [300, '', '', 'hold Redirected'],
    [301, '', '', 'hold Redirected'],
    [302, html, '<title>Found</title>', 'hold Redirected'],
    [303, '', '', 'hold Redirected'],
    [304, '', '', 'hold Redirected'],
    [307, '', '', 'hold Redirected'],
    [308, '', '', 'hold Redirected'],
    // 4xx that pass by themselves
    [408, '', '', 'retry ReceiverUnavailable'],
    [425, '', '', 'retry ReceiverUnavailable'],
    [429, '', '', 'retry RateLimited'],
    // 4xx that need a person
    [401, '', '', 'hold Unauthorized'],
    [403, '', '', 'hold Forbidden'],
    [404, '', '', 'hold NotFound'],
    [405, '', '', 'hold MethodNotAllowed'],
    [407, '', '', 'hold ProxyAuthenticationRequired'],
    [415, '', '', 'hold UnsupportedMediaType'],
    // 4xx about size
    [413, '', '', 'too-large TooLarge'],
    [413, text, 'whatever', 'too-large TooLarge'],
    [400, text, 'request body too large', 'too-large TooLarge'],
    // 4xx about what was sent
    [400, '', '', 'refused EntryRefused'],
    [400, text, 'unknown attribute', 'refused EntryRefused'],
    [402, '', '', 'refused EntryRefused'],
    [406, '', '', 'refused EntryRefused'],
    [409, '', '', 'refused EntryRefused'],
    [410, '', '', 'refused EntryRefused'],
    [418, '', '', 'refused EntryRefused'],
    [422, '', '', 'refused EntryRefused'],
    [422, text, 'request body too large', 'refused EntryRefused'],
    [431, '', '', 'refused EntryRefused'],
    [451, '', '', 'refused EntryRefused'],
    [499, '', '', 'refused EntryRefused'],
    // 5xx
    [500, '', '', 'retry ReceiverUnavailable'],
    [500, text, 'request body too large', 'retry ReceiverUnavailable'],
    [501, '', '', 'retry ReceiverUnavailable'],
    [502, html, '<title>502 Bad Gateway</title>', 'retry ReceiverUnavailable'],
    [503, '', '', 'retry ReceiverUnavailable'],
    [504, '', '', 'retry ReceiverUnavailable'],
    [505, '', '', 'retry ReceiverUnavailable'],
    [520, '', '', 'retry ReceiverUnavailable'],
    [522, '', '', 'retry ReceiverUnavailable'],
    [530, '', '', 'retry ReceiverUnavailable'],
    [599, '', '', 'retry ReceiverUnavailable'],
    // none of HTTP
    [600, '', '', 'hold NotOtlp'],
    [999, '', '', 'hold NotOtlp'],
  ])('%i %s %j is %s', (status, contentType, body, expected) => {
    const outcome = classify(answer(status, contentType, body), context);
    expect(show(outcome)).toBe(expected);
    if (outcome.kind !== 'settled') expect(outcome.httpStatus).toBe(status);
  });
});

describe('classify: the body of a 2xx', () => {
  it.each<[what: string, contentType: string, body: string | Uint8Array, expected: string]>([
    // protobuf
    ['partial success unset', protobuf, '', 'settled 0'],
    ['partial success empty', protobuf, bytes('0a 00'), 'settled 0'],
    ['rejected 0 with a warning', protobuf, bytes('0a 05 12 03 6f 6c 64'), 'settled 0 old'],
    ['rejected 3', protobuf, bytes('0a 02 08 03'), 'settled 3'],
    ['rejected 300 with words', protobuf, bytes('0a 08 08 ac 02 12 03 6f 6c 64'), 'settled 300 old'],
    ['unknown fields', protobuf, bytes('50 01 0a 04 18 07 08 03'), 'settled 3'],
    [
      'another spelling of the type',
      'Application/X-Protobuf; charset=utf-8',
      bytes('0a 02 08 03'),
      'settled 3',
    ],
    ['a third spelling of the type', 'application/protobuf', bytes('0a 02 08 03'), 'settled 3'],
    ['no type, protobuf', '', bytes('0a 02 08 03'), 'settled 3'],
    ['rejected -1', protobuf, bytes('0a 0b 08 ff ff ff ff ff ff ff ff ff 01'), 'hold NotOtlp'],
    ['cut off', protobuf, bytes('0a 05 12'), 'hold NotOtlp'],
    ['a Status', protobuf, bytes('08 03 12 03 6f 6c 64'), 'hold NotOtlp'],
    ['a Status without its code', protobuf, bytes('12 03 6f 6c 64'), 'hold NotOtlp'],
    ['unknown fields alone', protobuf, bytes('50 01'), 'hold NotOtlp'],
    ['unknown fields alone inside', protobuf, bytes('0a 02 18 07'), 'hold NotOtlp'],
    ['a message that is no UTF-8', protobuf, bytes('0a 03 12 01 ff'), 'hold NotOtlp'],
    ['zeros', protobuf, Buffer.alloc(8), 'hold NotOtlp'],
    ['HTML said to be protobuf', protobuf, '<!doctype html>', 'hold NotOtlp'],
    ['JSON said to be protobuf', protobuf, '{"partialSuccess":{}}', 'hold NotOtlp'],
    ['text said to be protobuf', protobuf, 'OK', 'hold NotOtlp'],
    ['groups nested without end', protobuf, Buffer.alloc(100_000, 0x0b), 'hold NotOtlp'],
    // JSON
    ['rejected as a string', json, '{"partialSuccess":{"rejectedLogRecords":"3"}}', 'settled 3'],
    [
      'rejected as a number',
      json,
      '{"partialSuccess":{"rejectedLogRecords":3,"errorMessage":"old"}}',
      'settled 3 old',
    ],
    ['rejected 0 with a warning', json, '{"partialSuccess":{"errorMessage":"old"}}', 'settled 0 old'],
    [
      'names with underscores',
      json,
      '{"partial_success":{"rejected_log_records":3,"error_message":"old"}}',
      'settled 3 old',
    ],
    ['null instead of an object', json, '{"partialSuccess":null}', 'settled 0'],
    ['unknown fields beside known ones', json, '{"status":"ok","partialSuccess":{}}', 'settled 0'],
    [
      'unknown fields inside, beside known ones',
      json,
      '{"partialSuccess":{"rejectedLogRecords":0,"later":1}}',
      'settled 0',
    ],
    ['an error beside an empty one', json, '{"partialSuccess":{},"error":"disk full"}', 'hold NotOtlp'],
    ['an error beside null', json, '{"partialSuccess":null,"errorMessage":"boom"}', 'hold NotOtlp'],
    [
      'both spellings of one field',
      json,
      '{"partialSuccess":{},"partial_success":{"rejected_log_records":"3"}}',
      'hold NotOtlp',
    ],
    ['unknown fields alone', json, '{"status":"ok"}', 'hold NotOtlp'],
    ['an error', json, '{"status":"error"}', 'hold NotOtlp'],
    ['a failed function', json, '{"errorMessage":"Task timed out after 3.00 seconds"}', 'hold NotOtlp'],
    ['an answer about spans', json, '{"partialSuccess":{"rejectedSpans":3}}', 'hold NotOtlp'],
    ['partial success as a word', json, '{"partialSuccess":"x"}', 'hold NotOtlp'],
    ['partial success as a list', json, '{"partialSuccess":[]}', 'hold NotOtlp'],
    ['a field of every object', json, '{"__proto__":{"partialSuccess":{}}}', 'hold NotOtlp'],
    ['an empty object as text', text, '{}', 'settled 0'],
    ['partial success as text', text, '{"partialSuccess":{"rejectedLogRecords":3}}', 'settled 3'],
    ['an error as text', text, '{"error":"no"}', 'hold NotOtlp'],
    ['an empty object as bytes', 'application/octet-stream', '{}', 'settled 0'],
    ['protobuf as bytes', 'application/octet-stream', bytes('0a 02 08 03'), 'settled 3'],
    ['other protobuf as bytes', 'application/octet-stream', bytes('12 03 6f 6c 64'), 'hold NotOtlp'],
    ['an empty object said to be HTML', html, '{}', 'hold NotOtlp'],
    ['a type with parameters', 'APPLICATION/JSON;charset=UTF-8', '{}', 'settled 0'],
    ['a type of the JSON family', 'application/vnd.example+json', '{}', 'settled 0'],
    ['no type, JSON', '', '{"partialSuccess":{"rejectedLogRecords":3}}', 'settled 3'],
    ['rejected as words', json, '{"partialSuccess":{"rejectedLogRecords":"all"}}', 'hold NotOtlp'],
    ['rejected -1', json, '{"partialSuccess":{"rejectedLogRecords":-1}}', 'hold NotOtlp'],
    ['rejected 1.5', json, '{"partialSuccess":{"rejectedLogRecords":1.5}}', 'hold NotOtlp'],
    ['a message that is none', json, '{"partialSuccess":{"errorMessage":7}}', 'hold NotOtlp'],
    ['a list', json, '[]', 'hold NotOtlp'],
    ['a word', json, '"ok"', 'hold NotOtlp'],
    ['null', json, 'null', 'hold NotOtlp'],
    ['cut off', json, '{"partialSuccess":', 'hold NotOtlp'],
    ['invalid UTF-8', json, bytes('7b 22 ff 22 3a 31 7d'), 'hold NotOtlp'],
    ['nested too deep to parse', json, `{"a":${'['.repeat(1_000_000)}`, 'hold NotOtlp'],
    ['HTML said to be JSON', json, '<html></html>', 'hold NotOtlp'],
    // neither
    ['white space', text, '\n', 'hold NotOtlp'],
    ['no type, HTML', '', '<!doctype html><title>Log in</title>', 'hold NotOtlp'],
    ['a type that is garbage', ';;;', 'ok', 'hold NotOtlp'],
  ])('%s (%s)', (_what, contentType, body, expected) => {
    expect(show(classify(answer(200, contentType, body), context))).toBe(expected);
  });

  it('over 64 KiB is held, whatever its beginning says', () => {
    const outcome = classify(answer(200, json, '{}', { truncated: true }), context);
    expect(show(outcome)).toBe('hold AnswerTooLarge');
  });

  it('over 64 KiB of a failure is judged by its status', () => {
    expect(show(classify(answer(503, text, 'a', { truncated: true }), context))).toBe(
      'retry ReceiverUnavailable',
    );
    expect(show(classify(answer(401, json, '{"message":', { truncated: true }), context))).toBe(
      'hold Unauthorized',
    );
  });
});

describe('classify: no answer', () => {
  it.each<[NoAnswer['cause'], 'retry' | 'hold', FailureReason]>([
    ['timeout', 'retry', 'Timeout'],
    ['dns', 'retry', 'DnsFailed'],
    ['refused', 'retry', 'ConnectionRefused'],
    ['connection', 'retry', 'ConnectionFailed'],
    ['aborted', 'retry', 'ConnectionFailed'],
    ['tls', 'hold', 'TlsFailed'],
    ['address-refused', 'hold', 'AddressRefused'],
    ['too-large', 'hold', 'AnswerTooLarge'],
  ])('%s is %s %s', (cause, kind, reason) => {
    const given: Answer = { kind: 'no-answer', cause, message: 'It broke.' };
    expect(classify(given, context)).toEqual({ kind, reason, message: 'It broke.' });
  });
});

describe('classify: a 400 that may be about size', () => {
  it.each<[words: string, 'too-large' | 'refused']>([
    ['request body too large', 'too-large'],
    ['http: request body too large', 'too-large'],
    ['Request Entity Too Large', 'too-large'],
    ['Payload too large', 'too-large'],
    ['Too large', 'too-large'],
    ['too large.', 'too-large'],
    ['the payload is too big', 'too-large'],
    ['message larger than max (5000000 vs. 4194304)', 'too-large'],
    ['received message larger than max', 'too-large'],
    ['grpc: received message after decompression larger than max 4194304', 'too-large'],
    ['request body exceeds maximum size', 'too-large'],
    ['Request body exceeded the limit of 1048576 bytes', 'too-large'],
    ['content length exceeds limit', 'too-large'],
    ['Exceeded maximum request size', 'too-large'],
    ['batch of logs exceeds the maximum allowed size', 'too-large'],
    ['The size of the payload exceeds 5MB limit', 'too-large'],
    ['', 'refused'],
    ['invalid request', 'refused'],
    ['timestamp too large', 'refused'],
    ['attribute value too large', 'refused'],
    ['number too large to fit in target type', 'refused'],
    ['label name too long', 'refused'],
    ["Max entry size '262144' bytes exceeded for stream", 'refused'],
    ['line too long: exceeds limit of 256kB', 'refused'],
    ['request rate exceeds limit', 'refused'],
    ['daily quota exceeds maximum', 'refused'],
    ['entry for stream is too old', 'refused'],
    ['request contains an attribute whose value exceeds the maximum length', 'refused'],
  ])('%j is %s', (words, kind) => {
    expect(classify(answer(400, text, words), context).kind).toBe(kind);
  });

  it('is found in a Status and in JSON', () => {
    const status = Buffer.concat([bytes('08 03 12 16'), Buffer.from('request body too large')]);
    expect(classify(answer(400, protobuf, status), context).kind).toBe('too-large');
    expect(classify(answer(400, json, '{"error":{"message":"request body too large"}}'), context).kind).toBe(
      'too-large',
    );
  });
});

describe('classify: Retry-After', () => {
  const hour = 3_600_000;
  it.each<[header: string | undefined, expected: number | undefined]>([
    ['1', 1_000],
    ['120', 120_000],
    [' 7 ', 7_000],
    ['007', 7_000],
    ['3600', hour],
    ['3601', hour],
    ['99999999999999999999', hour],
    ['9'.repeat(400), hour],
    ['Sun, 01 Mar 2026 12:00:30 GMT', 30_000],
    ['Mon, 01 Mar 2027 12:00:00 GMT', hour],
    ['Sun, 01 Mar 2026 12:00:00 GMT', undefined],
    ['Sun, 01 Mar 2026 11:59:59 GMT', undefined],
    ['Wed, 32 Mar 2026 12:00:00 GMT', undefined],
    ['Sun, 01 Mar 2026 12:00:30', undefined],
    ['2026-03-01T12:00:30Z', undefined],
    ['0', undefined],
    ['00', undefined],
    ['', undefined],
    [undefined, undefined],
    ['-5', undefined],
    ['+5', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['0x10', undefined],
    ['Infinity', undefined],
    ['5s', undefined],
    ['5, 10', undefined],
    ['soon', undefined],
  ])('%j waits %j', (header, expected) => {
    const headers: Record<string, string> = header === undefined ? {} : { 'retry-after': header };
    const outcome = classify(answer(503, '', '', { headers }), context);
    expect(outcome.kind === 'retry' && outcome.retryAfterMs).toBe(expected);
  });

  it.each<[header: string, date: string, expected: number | undefined]>([
    ['Sun, 01 Mar 2026 12:00:30 GMT', 'Sun, 01 Mar 2026 12:00:25 GMT', 5_000],
    ['Sun, 01 Mar 2026 11:00:30 GMT', 'Sun, 01 Mar 2026 11:00:25 GMT', 5_000],
    ['Sun, 01 Mar 2026 13:00:25 GMT', 'Sun, 01 Mar 2026 13:00:30 GMT', undefined],
    ['Mon, 01 Mar 2027 12:00:00 GMT', 'Sun, 01 Mar 2026 12:00:00 GMT', hour],
    ['Sun, 01 Mar 2026 12:00:30 GMT', 'yesterday', 30_000],
    ['7', 'Sun, 01 Mar 2026 11:00:25 GMT', 7_000],
  ])('%j is taken by the clock of the answer, %j', (header, date, expected) => {
    const outcome = classify(answer(503, '', '', { headers: { 'retry-after': header, date } }), context);
    expect(outcome.kind === 'retry' && outcome.retryAfterMs).toBe(expected);
  });

  it.each([408, 425, 429, 500, 502, 503, 504, 530])('is followed on %i', (status) => {
    const outcome = classify(answer(status, '', '', { headers: { 'retry-after': '9' } }), context);
    expect(outcome).toMatchObject({ kind: 'retry', retryAfterMs: 9_000 });
  });
});

describe('classify: the message', () => {
  const messageOf = (given: Answer, secrets: readonly Secret[] = []) => {
    const outcome = classify(given, { ...context, secrets });
    return outcome.message;
  };

  it.each<[given: Response, message: string]>([
    [answer(401), 'The receiver answered 401 Unauthorized.'],
    [
      answer(401, json, '{"message":"invalid token"}'),
      'The receiver answered 401 Unauthorized. It says: "invalid token"',
    ],
    [
      answer(404, text, '404 page not found\n'),
      'The receiver answered 404 Not Found: there is nothing at https://otel.example.com:4318/v1/logs. It says: "404 page not found"',
    ],
    [
      answer(405),
      'The receiver answered 405 Method Not Allowed: https://otel.example.com:4318/v1/logs does not accept POST.',
    ],
    [answer(503), 'The receiver answered 503 Service Unavailable.'],
    [answer(530, html, '<title>Error 1016</title>'), 'The receiver answered 530. It says: "Error 1016"'],
    [answer(413), 'The receiver answered 413 Payload Too Large: the request is too large for it.'],
    [answer(400, text, 'bad'), 'The receiver answered 400 Bad Request. It says: "bad"'],
    [
      answer(200, html, '<title>Log in</title>'),
      'The receiver answered 200 OK but not as an OTLP receiver does (text/html; charset=utf-8): https://otel.example.com:4318/v1/logs may be a web page or a login page. It says: "Log in"',
    ],
    [
      answer(301, '', '', { headers: { location: 'https://user:pw@new.example/in?token=q7#top' } }),
      'The receiver answered 301 Moved Permanently and points to https://new.example/in.',
    ],
    [
      answer(302, '', '', { headers: { location: '/login?next=%2F' } }),
      'The receiver answered 302 Found and points to https://otel.example.com:4318/login.',
    ],
    [
      answer(307, '', '', { headers: { location: 'http://[' } }),
      'The receiver answered 307 Temporary Redirect and points to an address that cannot be read.',
    ],
    [answer(304), 'The receiver answered 304 Not Modified and points to nowhere.'],
  ])('says what happened (%#)', (given, message) => {
    expect(messageOf(given)).toBe(message);
  });

  it.each<[what: string, given: Response, words: string]>([
    ['a Status', answer(400, protobuf, bytes('08 03 12 03 6f 6c 64')), 'old'],
    ['a Status without its type', answer(400, text, bytes('08 03 12 03 6f 6c 64')), 'old'],
    ['a Status in JSON', answer(400, json, '{"code":3,"message":"old"}'), 'old'],
    ['OAuth', answer(400, json, '{"error":"invalid","error_description":"expired"}'), 'expired'],
    ['nested JSON', answer(400, json, '{"error":{"reason":"mapping"},"status":400}'), 'mapping'],
    ['a list of errors', answer(400, json, '{"errors":[{"detail":"no index"}]}'), 'no index'],
    ['Splunk', answer(400, json, '{"text":"No data","code":5}'), 'No data'],
    ['JSON of another kind', answer(400, json, '{"ok":false}'), '{"ok":false}'],
    ['JSON said to be text', answer(400, text, '{"message":"old"}'), 'old'],
    ['JSON that is broken', answer(400, json, '{"message"'), '{"message"'],
    ['HTML', answer(400, html, '<html><head><TITLE lang="en">\n 400 &amp; more </TITLE><p>x'), '400 & more'],
    ['HTML without a title', answer(400, html, '<body><h1>Bad</h1>'), 'Bad'],
    ['HTML said to be text', answer(400, text, '<!DOCTYPE html><title>Bad</title>'), 'Bad'],
    ['lines', answer(400, text, ' a\r\n\tb\u0000'.replace('\u0000', '')), 'a b'],
    [
      'control characters and direction marks',
      answer(400, text, 'a\u001b[31m\u202eb\u200b\u2066c'),
      'a[31mbc',
    ],
  ])('quotes %s', (_what, given, words) => {
    expect(messageOf(given)).toBe(`The receiver answered 400 Bad Request. It says: "${words}"`);
  });

  it.each<[what: string, given: Response]>([
    ['bytes that are no text', answer(400, text, bytes('00 01 02 ff'))],
    ['protobuf that cannot be decoded', answer(400, protobuf, 'nonsense')],
    ['HTML without words', answer(400, html, '<p>x')],
    ['white space', answer(400, text, ' \n ')],
  ])('quotes nothing of %s', (_what, given) => {
    expect(messageOf(given)).toBe('The receiver answered 400 Bad Request.');
  });

  it('shows the words of an object that is no answer of OTLP', () => {
    expect(messageOf(answer(200, json, '{"errorMessage":"Task timed out after 3.00 seconds"}'))).toBe(
      'The receiver answered 200 OK but not with an OTLP answer (application/json): whether it has stored anything is unknown, so nothing counts as delivered. It says: "Task timed out after 3.00 seconds"',
    );
  });

  it.each([
    [json, '{"message":"old"}', ' It says: "old"'],
    [protobuf, bytes('08 03 12 03 6f 6c 64'), ' It says: "old"'],
    [text, 'old', ''],
    [html, '<title>old</title>', ''],
    ['', 'old', ''],
    ['', '{"message":"old"}', ''],
  ])('of an export kept to the internet quotes media types of OTLP alone (%s)', (type, body, words) => {
    const outcome = classify(answer(400, type, body), { ...context, words: 'otlp' });
    expect(outcome.message).toBe(`The receiver answered 400 Bad Request.${words}`);
  });

  it('reads no more than 4 KiB of text, and parses no more than 64 KiB', () => {
    expect(messageOf(answer(400, text, `${' '.repeat(5_000)}late`))).not.toContain('late');
    const keys = Array.from({ length: 330_000 }, (_, at) => `"k${at}":0`).join(',');
    const given = answer(200, json, `{${keys}}`);
    const tookMs = processorMs(() => expect(show(classify(given, context))).toBe('hold NotOtlp'));
    expect(tookMs).toBeLessThan(300);
  });

  it('quotes no more than 300 characters, and no half of one', () => {
    const long = messageOf(answer(400, text, 'é'.repeat(5_000)));
    expect(long).toBe(`The receiver answered 400 Bad Request. It says: "${'é'.repeat(299)}…"`);
    const pairs = messageOf(answer(400, text, `a${'😀'.repeat(500)}`));
    expect(pairs.isWellFormed()).toBe(true);
    expect(pairs).not.toContain('\uFFFD');
    const rejected = messageOf(
      answer(200, json, JSON.stringify({ partialSuccess: { errorMessage: 'x'.repeat(999) } })),
    );
    expect(rejected).toHaveLength(300);
  });

  it('is quick to make of a hostile page', () => {
    const tookMs = processorMs(() => {
      messageOf(answer(400, html, '<title'.repeat(700_000)));
      messageOf(answer(400, text, 'request exceeds '.repeat(250_000)), [new Secret('x'.repeat(8_000))]);
    });
    expect(tookMs).toBeLessThan(1_000);
  });

  it('masks a header value wherever the receiver echoes it', () => {
    const token = 'sk-live-0123456789abcdef';
    const secrets = [new Secret(`Bearer ${token}`)];
    const echoes: Response[] = [
      answer(401, text, `unknown token ${token}`),
      answer(401, json, JSON.stringify({ message: `Authorization: Bearer ${token}` })),
      answer(401, html, `<title>${token}</title>`),
      answer(400, protobuf, Buffer.concat([bytes('12 18'), Buffer.from(token)])),
      answer(200, json, JSON.stringify({ partialSuccess: { errorMessage: `no ${token}` } })),
      answer(200, `text/${token}`, token),
      answer(302, '', '', { headers: { location: `https://login.example/${token}` } }),
      answer(503, text, `${'x'.repeat(290)}${token}`),
    ];
    for (const echo of echoes) {
      const message = messageOf(echo, secrets);
      expect(message).not.toContain(token.slice(0, 8));
      expect(message).not.toContain(token.slice(-8));
    }
  });
});

describe('classify: any answer', () => {
  const anyAnswer = fc.record({
    kind: fc.constant('response' as const),
    status: fc.integer({ min: 0, max: 1_000 }),
    headers: fc.dictionary(fc.constantFrom('content-type', 'retry-after', 'location'), fc.string()),
    body: fc.oneof(
      fc.uint8Array(),
      fc.string().map(Buffer.from),
      fc.json().map((value) => Buffer.from(value)),
    ),
    truncated: fc.boolean(),
  });

  it('gets an outcome, settled only on a whole 2xx, with a message of bounded length on one line', () => {
    fc.assert(
      fc.property(anyAnswer, (given) => {
        const outcome = classify(given, context);
        if (outcome.kind === 'settled') {
          expect(given.status >= 200 && given.status < 300 && !given.truncated).toBe(true);
          expect(outcome.rejected).toBeGreaterThanOrEqual(0);
        }
        expect(outcome.message.length).toBeLessThan(1_500);
        expect(outcome.message).not.toMatch(/[\p{Cc}\n]/u);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never shows a header value of eight or more characters that it echoes', () => {
    // Characters that none of our messages has, so that a match is an echo.
    const value = fc.string({
      unit: fc.constantFrom('~', '#', '%', '&', '+', '"'),
      minLength: 8,
      maxLength: 400,
    });
    fc.assert(
      fc.property(
        value,
        fc.string(),
        fc.string(),
        fc.constantFrom(200, 302, 400, 401, 503),
        (secret, before, after, status) => {
          const body = `${before}${secret}${after}`;
          const given = answer(status, text, body, {
            headers: { 'content-type': `text/${secret}`, location: `/${secret}` },
          });
          const { message } = classify(given, { ...context, secrets: [new Secret(`Bearer ${secret}`)] });
          expect(message).not.toContain(secret.slice(0, 8));
          expect(message).not.toContain(secret.slice(-8));
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('a request in zstd', () => {
  const zstd = { ...context, compression: 'zstd' } as const;
  it.each([400, 415])('may be the cause of a %i, which then says so', (status) => {
    expect(classify(answer(status), zstd)).toMatchObject({
      message: expect.stringMatching(/If it does not read zstd, set compression to gzip\.$/),
    });
    expect(classify(answer(status), context)).not.toMatchObject({
      message: expect.stringContaining('zstd'),
    });
  });
  it('is not suspected of anything else', () => {
    for (const status of [401, 404, 413, 429, 503]) {
      expect(classify(answer(status), zstd)).toEqual(classify(answer(status), context));
    }
  });
});
