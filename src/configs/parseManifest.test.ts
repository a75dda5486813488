import { describe, expect, it } from 'vitest';
import { parseManifest } from './parseManifest.ts';
import { noSuchDay } from './schema/startFrom.ts';

const headerSecret = 'Bearer s3cr3t-t0ken';

function withSpec(spec: Record<string, unknown>): Record<string, unknown> {
  return {
    apiVersion: 'auditexport.dev/v1',
    kind: 'AuditExportConfig',
    metadata: { name: 'acme-siem' },
    spec: { organization: 'acme', endpoint: 'https://otel.example.com:4318', ...spec },
  };
}

function withHeader(header: unknown): Record<string, unknown> {
  return withSpec({ headers: [header] });
}

/** Sentences first: they are the names of the tests. */
function caseList<T>(cases: Array<[T, string]>): Array<[string, T]> {
  return cases.map(([value, sentence]) => [sentence, value]);
}

function problemsOf(value: unknown): readonly string[] {
  const parsed = parseManifest(value);
  return parsed.ok ? [] : parsed.problems;
}

describe('a manifest that is right', () => {
  it('gets every default', () => {
    const parsed = parseManifest(withSpec({}));
    expect(parsed).toEqual({
      ok: true,
      manifest: {
        apiVersion: 'auditexport.dev/v1',
        kind: 'AuditExportConfig',
        metadata: { name: 'acme-siem' },
        spec: {
          organization: 'acme',
          endpoint: 'https://otel.example.com:4318',
          headers: [],
          maxBatchSize: 1000,
          startFrom: 'Now',
          suspend: false,
          compression: 'gzip',
          timeoutSeconds: 10,
        },
      },
    });
  });

  it('gets the defaults of filter and tls where these are given in part', () => {
    const parsed = parseManifest(
      withSpec({ filter: { projects: ['web'] }, tls: { caSecretRef: { name: 'receiver-ca' } } }),
    );
    expect(parsed).toMatchObject({
      manifest: {
        spec: {
          filter: { eventTypes: [], excludeEventTypes: [], projects: ['web'] },
          tls: { caSecretRef: { name: 'receiver-ca', key: 'ca.crt' }, insecureSkipVerify: false },
        },
      },
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ['the smallest numbers', { maxBatchSize: 1, timeoutSeconds: 1 }],
    ['the largest numbers', { maxBatchSize: 1000, timeoutSeconds: 300 }],
    ['Beginning', { startFrom: 'Beginning' }],
    ['a time with fractions and an offset', { startFrom: '2024-02-29T23:59:59.123456+05:30' }],
    ['an endpoint with path and query', { endpoint: 'http://gateway/otlp/v1/logs?tenant=acme' }],
    ['an "@" after the host', { endpoint: 'https://gateway/@acme?to=a@b' }],
    ['an IPv6 address', { endpoint: 'http://[::1]:4318' }],
    ['an upper-case scheme', { endpoint: 'HTTPS://otel.example.com' }],
    ['an IPv4 address', { endpoint: 'http://192.0.2.10:4318' }],
    ['a host that begins with a digit', { endpoint: 'http://3scale:65535' }],
    ['an encoded path', { endpoint: 'http://otel/a%20b' }],
    ['an empty header value', { headers: [{ name: 'x-empty', value: '' }] }],
    [
      'headers up to the limit',
      { headers: Array.from({ length: 32 }, (_, i) => ({ name: `x-${i}`, value: 'v' })) },
    ],
    [
      'a Secret key that begins with a dot',
      {
        headers: [{ name: 'a', valueFrom: { secretKeyRef: { name: 'a.b', key: '.dockercfg' } } }],
      },
    ],
  ])('passes with %s', (_, spec) => {
    expect(problemsOf(withSpec(spec))).toEqual([]);
  });

  it('passes with the metadata and status that kubectl prints', () => {
    const manifest = {
      ...withSpec({}),
      metadata: {
        name: 'acme-siem',
        namespace: 'flows',
        labels: { team: 'platform' },
        annotations: { 'auditexport.dev/reconcile-at': '2026-01-01' },
        creationTimestamp: null,
        generation: 3,
        uid: '4c1a',
        resourceVersion: '12',
        managedFields: [{}],
      },
      status: { conditions: [] },
    };
    expect(problemsOf(manifest)).toEqual([]);
  });
});

it('knows the days of every year from 1 to 2400', () => {
  const start = Date.UTC(2000, 0, 1);
  const wrong: string[] = [];
  for (let year = 0; year <= 2400; year++) {
    for (let month = 1; month <= 12; month++) {
      for (let day = 28; day <= 31; day++) {
        const text = [String(year).padStart(4, '0'), pad(month), pad(day)].join('-');
        const date = new Date(start);
        date.setUTCFullYear(year, month - 1, day);
        const isThere = year > 0 && date.getUTCMonth() === month - 1;
        if (noSuchDay.test(`${text}T00:00:00Z`) === isThere) wrong.push(text);
      }
    }
  }
  expect(wrong).toEqual([]);
});

function pad(number: number): string {
  return String(number).padStart(2, '0');
}

describe('a manifest that is wrong', () => {
  it.each(
    caseList<unknown>([
      [null, 'The manifest is empty: it must be a map with apiVersion, kind, metadata and spec.'],
      [undefined, 'The manifest is missing: it must be a map with apiVersion, kind, metadata and spec.'],
      ['many', 'The manifest is text: it must be a map with apiVersion, kind, metadata and spec.'],
      [[], 'The manifest is a list: it must be a map with apiVersion, kind, metadata and spec.'],
      [
        { ...withSpec({}), apiVersion: 'auditexport.dev/v2' },
        'apiVersion is "auditexport.dev/v2": it must be auditexport.dev/v1.',
      ],
      [{ ...withSpec({}), apiVersion: undefined }, 'apiVersion is missing: it must be auditexport.dev/v1.'],
      [{ ...withSpec({}), kind: 'ConfigMap' }, 'kind is "ConfigMap": it must be AuditExportConfig.'],
      [{ ...withSpec({}), kind: 1 }, 'kind is 1: it must be AuditExportConfig.'],
      [
        { ...withSpec({}), spec: undefined },
        'spec is missing: it must be a map with at least organization and endpoint.',
      ],
      [
        { ...withSpec({}), spec: null },
        'spec is empty: it must be a map with at least organization and endpoint.',
      ],
      [{ ...withSpec({}), metadata: [] }, 'metadata is a list: it must be a map with at least a name.'],
      [
        { ...withSpec({}), metadata: {} },
        'metadata.name is missing: it must be a name of at most 253 lower-case letters, digits, "-" and ".".',
      ],
      [
        { ...withSpec({}), metadata: { name: 'Acme SIEM' } },
        'metadata.name is "Acme SIEM": it must be a name of at most 253 lower-case letters, digits, "-" and ".".',
      ],
      [
        { ...withSpec({}), metadata: { name: 'a', namespace: 'a.b' } },
        'metadata.namespace is "a.b": it must be a namespace of at most 63 lower-case letters, digits and "-".',
      ],
      [
        { ...withSpec({}), metadata: { name: 'a', labels: { 'app.kubernetes.io/part': 3 } } },
        'metadata.labels["app.kubernetes.io/part"] is 3: it must be text; put it in quotes.',
      ],
      [
        { ...withSpec({}), metadata: { name: 'a', nmaespace: 'flows' } },
        'metadata.nmaespace is not a field of AuditExportConfig: did you mean metadata.namespace?',
      ],
      [
        { ...withSpec({}), maxBatchSize: 3 },
        'maxBatchSize is not a field of AuditExportConfig: did you mean spec.maxBatchSize?',
      ],
      [{ ...withSpec({}), subject: {} }, 'subject is not a field of AuditExportConfig: remove it.'],
    ]),
  )('%s', (sentence, value) => {
    expect(problemsOf(value)).toEqual([sentence]);
  });

  const endpointRule =
    'it must be an http or https URL of at most 2048 characters, such as https://otel.example.com:4318.';
  const regular = 'text of 1 to 256 characters on one line';
  it.each(
    caseList<Record<string, unknown>>([
      [{ organization: undefined }, `spec.organization is missing: it must be ${regular}.`],
      [{ organization: '' }, `spec.organization is empty: it must be ${regular}.`],
      [{ organization: 42 }, `spec.organization is 42: it must be ${regular}; put it in quotes.`],
      [{ organization: 'a\nb' }, `spec.organization is "a\\nb": it must be ${regular}.`],
      [{ organization: 'x'.repeat(257) }, `spec.organization is 257 characters long: it must be ${regular}.`],
      [{ endpoint: undefined }, `spec.endpoint is missing: ${endpointRule}`],
      [{ endpoint: '' }, `spec.endpoint is empty: ${endpointRule}`],
      [{ endpoint: ['https://a'] }, `spec.endpoint is a list: ${endpointRule}`],
      [
        { endpoint: `https://a/${'x'.repeat(2048)}` },
        `spec.endpoint is 2058 characters long: ${endpointRule}`,
      ],
      [
        { endpoint: 'otel.example.com:4318?token=x' },
        'spec.endpoint is "otel.example.com:4318": it must begin with http:// or https://, such as https://otel.example.com:4318.',
      ],
      [
        { endpoint: 'grpc://otel' },
        'spec.endpoint is "grpc://otel": it must begin with http:// or https://, such as https://otel.example.com:4318.',
      ],
      [{ endpoint: 'https:///v1/logs' }, `spec.endpoint has no host: ${endpointRule}`],
      [{ endpoint: 'https://' }, `spec.endpoint has no host: ${endpointRule}`],
      [{ endpoint: 'https://:4318' }, `spec.endpoint has no host: ${endpointRule}`],
      [
        { endpoint: 'https://ada:pa55@otel.example.com' },
        'spec.endpoint has a user name or password in it: remove them, and send an Authorization header whose value comes from a Secret.',
      ],
      [
        { endpoint: 'ada:pa55@otel.example.com' },
        'spec.endpoint has a user name or password in it: remove them, and send an Authorization header whose value comes from a Secret.',
      ],
      [
        { endpoint: 'https://otel#logs' },
        'spec.endpoint has a fragment ("#" and what follows): remove it, a receiver never gets to see it.',
      ],
      [
        { endpoint: ' https://otel' },
        `spec.endpoint has a space, a control character or a backslash in it: ${endpointRule}`,
      ],
      [
        { endpoint: 'https://good.example\\@evil.example' },
        `spec.endpoint has a space, a control character or a backslash in it: ${endpointRule}`,
      ],
      ...['bücher.example', 'otel|x', 'o%74el', '{otel}'].map((host): [Record<string, unknown>, string] => [
        { endpoint: `https://${host}` },
        'spec.endpoint has a host with other characters than letters, digits, "-", "_" and ".": correct it, and write an international name in its xn-- form.',
      ]),
      ...[
        '127.1',
        '2130706433',
        '0x7f.1',
        '0177.0.0.1',
        '1.2.3.4.5',
        '256.0.0.1',
        '1.2.3.4.',
        'otel.1:80',
      ].map((host): [Record<string, unknown>, string] => [
        { endpoint: `https://${host}/v1/logs` },
        'spec.endpoint has a number for a host: write an IPv4 address as four numbers, such as 192.0.2.10.',
      ]),
      ...['https://otel/50%', 'https://otel/%2', 'https://otel/%zz', 'https://otel?a=%2x'].map(
        (endpoint): [Record<string, unknown>, string] => [
          { endpoint },
          'spec.endpoint has a "%" that is not followed by two hexadecimal digits: write %25 for a "%".',
        ],
      ),
      [
        { endpoint: 'https://[otel]' },
        `spec.endpoint has a host or port that cannot be read: ${endpointRule}`,
      ],
      [
        { endpoint: 'https://otel:x' },
        `spec.endpoint has a host or port that cannot be read: ${endpointRule}`,
      ],
      [
        { endpoint: 'https://otel:99999' },
        `spec.endpoint has a host or port that cannot be read: ${endpointRule}`,
      ],
      [
        { endpiont: 'https://otel', endpoint: undefined },
        'spec.endpiont is not a field of AuditExportConfig: did you mean spec.endpoint?',
      ],
      [{ maxBatchSize: 0 }, 'spec.maxBatchSize is 0: it must be a whole number from 1 to 1000.'],
      [{ maxBatchSize: 1001 }, 'spec.maxBatchSize is 1001: it must be a whole number from 1 to 1000.'],
      [{ maxBatchSize: 1.5 }, 'spec.maxBatchSize is 1.5: it must be a whole number from 1 to 1000.'],
      [{ maxBatchSize: 1e300 }, 'spec.maxBatchSize is 1e+300: it must be a whole number from 1 to 1000.'],
      [{ maxBatchSize: 'many' }, 'spec.maxBatchSize is "many": it must be a whole number from 1 to 1000.'],
      [{ maxBatchSize: null }, 'spec.maxBatchSize is empty: it must be a whole number from 1 to 1000.'],
      [{ timeoutSeconds: 301 }, 'spec.timeoutSeconds is 301: it must be a whole number from 1 to 300.'],
      [{ timeout: 5 }, 'spec.timeout is not a field of AuditExportConfig: did you mean spec.timeoutSeconds?'],
      [{ suspend: 'yes' }, 'spec.suspend is "yes": it must be true or false.'],
      [{ compression: 'br' }, 'spec.compression is "br": it must be gzip, zstd or none.'],
      [
        { startFrom: 'now' },
        'spec.startFrom is "now": it must be Now, Beginning or an RFC 3339 time such as 2026-01-31T08:00:00Z.',
      ],
      [
        { startFrom: '2026-01-31' },
        'spec.startFrom is "2026-01-31": it must be Now, Beginning or an RFC 3339 time such as 2026-01-31T08:00:00Z.',
      ],
      [
        { startFrom: '2026-02-30T00:00:00Z' },
        'spec.startFrom is "2026-02-30T00:00:00Z": there is no such day, correct the date.',
      ],
      [
        { startFrom: '0000-01-01T00:00:00Z' },
        'spec.startFrom is "0000-01-01T00:00:00Z": there is no such day, correct the date.',
      ],
      [{ filter: 'flow.*' }, 'spec.filter is "flow.*": it must be a map such as {eventTypes: ["flow.*"]}.'],
      [
        { filter: { eventTypes: 'flow.*' } },
        'spec.filter.eventTypes is "flow.*": it must be a list of at most 100 event types, such as ["flow.*"].',
      ],
      [
        { filter: { projects: ['web', 7] } },
        'spec.filter.projects[1] is 7: it must be text of 1 to 256 characters on one line; put it in quotes.',
      ],
      [
        { filter: { projects: Array(101).fill('p') } },
        'spec.filter.projects has 101 items: it must be a list of at most 100 projects, such as ["web"].',
      ],
      [
        { filter: { eventType: [] } },
        'spec.filter.eventType is not a field of AuditExportConfig: did you mean spec.filter.eventTypes?',
      ],
      [
        { tls: { caSecretRef: 'receiver-ca' } },
        'spec.tls.caSecretRef is "receiver-ca": it must be a map with the name of a Secret, and a key in it (default ca.crt).',
      ],
      [
        { tls: { caSecretRef: { name: 'a', key: '../../etc/passwd' } } },
        'spec.tls.caSecretRef.key is "../../etc/passwd": it must be a key of the Secret: at most 253 letters, digits, "-", "_" and ".".',
      ],
      [
        { tls: { clientCertSecretRef: { name: '..' } } },
        'spec.tls.clientCertSecretRef.name is "..": it must be the name of a Secret: at most 253 lower-case letters, digits, "-" and ".".',
      ],
      [
        { tls: { serverName: 'https://otel' } },
        'spec.tls.serverName is "https://otel": it must be a host name of at most 253 characters, such as otel.example.com.',
      ],
      [
        { tls: { insecureSkipVerify: 'no' } },
        'spec.tls.insecureSkipVerify is "no": it must be true or false.',
      ],
      [
        { caSecretRef: { name: 'receiver-ca' } },
        'spec.caSecretRef is not a field of AuditExportConfig: did you mean spec.tls.caSecretRef?',
      ],
      [{ protocol: 'grpc' }, 'spec.protocol is not a field of AuditExportConfig: remove it.'],
    ]),
  )('%s', (sentence, spec) => {
    expect(problemsOf(withSpec(spec))).toEqual([sentence]);
  });

  const headerRule = 'it must be a map with name, and value or valueFrom';
  it.each<[string, unknown, string[]]>([
    ['text', `Authorization: ${headerSecret}`, [`spec.headers[0] is text: ${headerRule}.`]],
    [
      'a number as value',
      { name: 'a', value: 12345 },
      [
        'spec.headers[0].value is a number: it must be text of at most 4096 characters on one line; put it in quotes.',
      ],
    ],
    [
      'a line break',
      { name: 'a', value: `${headerSecret}\n` },
      ['spec.headers[0].value has a line break: a header is one line, so remove it.'],
    ],
    [
      'a control character',
      { name: 'a', value: `${headerSecret}\u0000` },
      [
        'spec.headers[0].value has a character that cannot be sent: only printable ASCII characters can stand in a header.',
      ],
    ],
    [
      'a value that is too long',
      { name: 'a', value: 'x'.repeat(4097) },
      [
        'spec.headers[0].value is 4097 characters long: it must be text of at most 4096 characters on one line.',
      ],
    ],
    ['neither', { name: 'a' }, ['spec.headers[0] has neither value nor valueFrom: give it one of them.']],
    [
      'both',
      { name: 'a', value: headerSecret, valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } },
      ['spec.headers[0] has both value and valueFrom: keep one of them.'],
    ],
    [
      'a misspelt field',
      { name: 'a', vaule: headerSecret },
      ['spec.headers[0].vaule is not a field of AuditExportConfig: did you mean spec.headers[0].value?'],
    ],
    [
      'the credential as a name',
      { name: headerSecret, value: 'x' },
      ['spec.headers[0].name is not a header name: use letters, digits and "-", such as Authorization.'],
    ],
    [
      'the credential as a field',
      { name: 'a', value: 'x', [headerSecret]: null },
      ['spec.headers[0] has a field that does not belong there: it can have name, value, valueFrom.'],
    ],
    [
      'the credential as a Secret key',
      {
        name: 'a',
        valueFrom: { secretKeyRef: { name: 'a', key: headerSecret } },
      },
      [
        'spec.headers[0].valueFrom.secretKeyRef.key is not a key of a Secret: use letters, digits, "-", "_" and ".".',
      ],
    ],
    [
      'a Secret key that climbs',
      { name: 'a', valueFrom: { secretKeyRef: { name: 'a', key: '..' } } },
      [
        'spec.headers[0].valueFrom.secretKeyRef.key is not a key of a Secret: use letters, digits, "-", "_" and ".".',
      ],
    ],
    [
      'a name that is ours',
      { name: 'Content-Type', value: 'x' },
      ['spec.headers[0].name is "Content-Type", which is set by the collector itself: remove this header.'],
    ],
    [
      'a name of the connection',
      { name: 'TE', value: 'x' },
      ['spec.headers[0].name is "TE", which is set by the collector itself: remove this header.'],
    ],
    ...[
      'Cookie',
      'Origin',
      'Forwarded',
      'X-Real-IP',
      'Sec-Fetch-Site',
      'X-Forwarded-User',
      'x_forwarded_for',
    ].map((name): [string, object, string[]] => [
      'a name that says who asks',
      { name, value: 'x' },
      [
        `spec.headers[0].name is "${name}", which says who asks, and only browsers and proxies may say that: remove this header.`,
      ],
    ]),
    [
      'an empty name',
      { name: '', value: 'x' },
      [
        'spec.headers[0].name is empty: it must be a header name of at most 128 letters, digits and "-", such as Authorization.',
      ],
    ],
    [
      'valueFrom without a reference',
      { name: 'a', valueFrom: {} },
      [
        'spec.headers[0].valueFrom.secretKeyRef is missing: it must be a map with the name of a Secret and a key in it.',
      ],
    ],
  ])('a header with %s gets its sentence', (_, header, sentences) => {
    const problems = problemsOf(withHeader(header));
    expect(problems).toEqual(sentences);
    expect(problems.join()).not.toContain('s3cr3t');
  });

  it('says that headers are a list, without what is in the map', () => {
    expect(problemsOf(withSpec({ headers: { Authorization: headerSecret } }))).toEqual([
      'spec.headers is a map: it must be a list of at most 32 headers, each with name, and value or valueFrom.',
    ]);
  });

  it('refuses a header twice, whatever its case, also beside other problems', () => {
    const headers = [
      { name: 'X-Key', value: 'a' },
      { name: 'y', value: [] },
      { name: 'x-key', value: 'b' },
    ];
    expect(problemsOf(withSpec({ headers }))).toEqual([
      'spec.headers[1].value is a list: it must be text of at most 4096 characters on one line.',
      'spec.headers[2].name is "x-key", the name of an earlier header: keep one of them.',
    ]);
  });

  it('refuses a 33rd header', () => {
    const headers = Array.from({ length: 33 }, (_, i) => ({ name: `x-${i}`, value: 'v' }));
    expect(problemsOf(withSpec({ headers }))).toEqual([
      'spec.headers has 33 items: it must be a list of at most 32 headers, each with name, and value or valueFrom.',
    ]);
  });

  it('says every problem at once', () => {
    const value = withSpec({
      maxBatchSize: 0,
      timeoutSeconds: 'x',
      suspend: 1,
      endpoint: 'ftp://a',
      extra: 1,
    });
    expect(problemsOf(value)).toHaveLength(5);
  });

  it('does not judge the fields of another kind', () => {
    expect(problemsOf({ apiVersion: 'v1', kind: 'Secret', data: {} })).toEqual([
      'apiVersion is "v1": it must be auditexport.dev/v1.',
      'kind is "Secret": it must be AuditExportConfig.',
    ]);
  });

  it('takes a field named __proto__ for what it is', () => {
    const value = JSON.parse(
      JSON.stringify(withSpec({})).replace('"spec":{', '"spec":{"__proto__":{"a":1},'),
    );
    expect(problemsOf(value)).toEqual(['spec.__proto__ is not a field of AuditExportConfig: remove it.']);
  });
});
