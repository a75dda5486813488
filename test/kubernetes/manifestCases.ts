/** Manifests at each limit of AuditExportConfig: on the right side of it, and one step beyond with what a person is told. */

export type Spec = Readonly<Record<string, unknown>>;

/** Over a spec that is right; undefined takes a field away. */
export function withSpec(spec: Spec): Record<string, unknown> {
  return {
    apiVersion: 'auditexport.dev/v1',
    kind: 'AuditExportConfig',
    metadata: { name: 'acme-siem' },
    spec: { organization: 'acme', endpoint: 'https://otel.example.com:4318', ...spec },
  };
}

const oneHeader = (header: Spec): Spec => ({ headers: [header] });
const fromSecret = (ref: Spec): Spec => oneHeader({ name: 'a', valueFrom: { secretKeyRef: ref } });
const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);

export const accepted: ReadonlyArray<readonly [string, Spec]> = [
  ['nothing but what is required', {}],
  ['the longest organization', { organization: '🦉'.repeat(256) }],
  ['the longest endpoint', { endpoint: `https://otel/${'x'.repeat(2035)}` }],
  ['an endpoint with a path and a query', { endpoint: 'http://gateway:4318/otlp/v1/logs?tenant=a%20b' }],
  ['an endpoint with "@" and ":" behind the host', { endpoint: 'https://gateway/@acme:1?to=a@b' }],
  ['an endpoint in upper case', { endpoint: 'HTTPS://OTEL.EXAMPLE.COM' }],
  ['an endpoint with an IPv4 address', { endpoint: 'http://192.0.2.255:65535' }],
  ['an endpoint with an IPv6 address', { endpoint: 'http://[2001:db8::1]:4318/v1/logs' }],
  ['an endpoint in the cluster', { endpoint: 'http://otel_collector.observability.svc:4318' }],
  ['an international name in its xn-- form', { endpoint: 'https://xn--bcher-kva.example' }],
  ['32 headers', { headers: names(32).map((name) => ({ name, value: 'v' })) }],
  ['a header of every character', oneHeader({ name: "!#$%&'*+.^_`|~0-9A-Za-z-", value: '\t ~' })],
  ['the longest header', oneHeader({ name: 'x'.repeat(128), value: 'v'.repeat(4096) })],
  ['an empty header value', oneHeader({ name: 'x', value: '' })],
  ['a header from a Secret', fromSecret({ name: 'a.b-c', key: '.docker_config.json' })],
  ['the smallest numbers', { maxBatchSize: 1, timeoutSeconds: 1 }],
  ['the largest numbers', { maxBatchSize: 1000, timeoutSeconds: 300 }],
  ['startFrom Beginning', { startFrom: 'Beginning' }],
  ['startFrom a leap day', { startFrom: '2024-02-29T23:59:59.123456789+15:59' }],
  ['startFrom a leap day of a century', { startFrom: '2000-02-29T00:00:00Z' }],
  ['suspend and no compression', { suspend: true, compression: 'none' }],
  ['an empty filter', { filter: {} }],
  [
    'the largest filter',
    { filter: { eventTypes: names(100), excludeEventTypes: ['flow.*'], projects: ['ü'.repeat(256)] } },
  ],
  ['an empty tls', { tls: {} }],
  [
    'all of tls',
    {
      tls: {
        caSecretRef: { name: 'ca', key: 'bundle.pem' },
        clientCertSecretRef: { name: 'client' },
        serverName: 'OTEL.example.com',
        insecureSkipVerify: true,
      },
    },
  ],
];

/** The sentence begins with the field, as kubectl prints it. */
export const refused: ReadonlyArray<readonly [string, Spec, string]> = [
  ['no organization', { organization: undefined }, 'spec.organization: Required value'],
  [
    'an empty organization',
    { organization: '' },
    'spec.organization: Invalid value: "": spec.organization in body should be at least 1 chars long',
  ],
  [
    'an organization that is too long',
    { organization: 'a'.repeat(257) },
    'spec.organization: Too long: may not be more than 256 bytes',
  ],
  [
    'an organization on two lines',
    { organization: 'acme\nother' },
    'spec.organization: Invalid value: "acme\\nother": it must be text of 1 to 256 characters on one line',
  ],
  ['no endpoint', { endpoint: undefined }, 'spec.endpoint: Required value'],
  [
    'an empty endpoint',
    { endpoint: '' },
    'spec.endpoint: Invalid value: "": spec.endpoint in body should be at least 1 chars long',
  ],
  [
    'an endpoint that is too long',
    { endpoint: `https://otel/${'x'.repeat(2036)}` },
    'spec.endpoint: Too long: may not be more than 2048 bytes',
  ],
  ...['https://ot el', 'https://otel\u200b.example.com', 'https://good.example\\@evil.example'].map(
    (endpoint) =>
      [
        `the endpoint ${JSON.stringify(endpoint)}`,
        { endpoint },
        'spec.endpoint: Invalid value: has a space, a control character or a backslash in it: it must be an http or https URL of at most 2048 characters, such as https://otel.example.com:4318',
      ] as const,
  ),
  [
    'a password in the endpoint, which is not repeated',
    { endpoint: 'https://ada:pa55@otel.example.com' },
    'spec.endpoint: Invalid value: has a user name or password in it: remove them, and send an Authorization header whose value comes from a Secret',
  ],
  [
    'an endpoint without a scheme, whose query is not repeated',
    { endpoint: 'otel:4318?token=s3cr3t' },
    'spec.endpoint: Invalid value: is "otel:4318": it must begin with http:// or https://, such as https://otel.example.com:4318',
  ],
  [
    'an endpoint with another scheme',
    { endpoint: 'grpc://otel:4317' },
    'spec.endpoint: Invalid value: is "grpc://otel:4317": it must begin with http:// or https://, such as https://otel.example.com:4318',
  ],
  [
    'an endpoint without a host',
    { endpoint: 'https:///v1/logs' },
    'spec.endpoint: Invalid value: has no host: it must be an http or https URL of at most 2048 characters, such as https://otel.example.com:4318',
  ],
  [
    'a fragment in the endpoint',
    { endpoint: 'https://otel#logs' },
    'spec.endpoint: Invalid value: has a fragment ("#" and what follows): remove it, a receiver never gets to see it',
  ],
  [
    'an endpoint with an international name',
    { endpoint: 'https://bücher.example' },
    'spec.endpoint: Invalid value: has a host with other characters than letters, digits, "-", "_" and ".": correct it, and write an international name in its xn-- form',
  ],
  ...['https://otel:65536', 'https://otel:http', 'https://[otel]', 'https://[2001:db8::1::2]'].map(
    (endpoint) =>
      [
        `the endpoint ${endpoint}`,
        { endpoint },
        'spec.endpoint: Invalid value: has a host or port that cannot be read: it must be an http or https URL of at most 2048 characters, such as https://otel.example.com:4318',
      ] as const,
  ),
  [
    'an endpoint that hides an address in a number',
    { endpoint: 'http://2130706433/' },
    'spec.endpoint: Invalid value: has a number for a host: write an IPv4 address as four numbers, such as 192.0.2.10',
  ],
  [
    'a "%" that stands alone',
    { endpoint: 'https://otel/100%' },
    'spec.endpoint: Invalid value: has a "%" that is not followed by two hexadecimal digits: write %25 for a "%"',
  ],
  [
    '33 headers',
    { headers: names(33).map((name) => ({ name, value: 'v' })) },
    'spec.headers: Too many: 33: must have at most 32 items',
  ],
  [
    'a header twice',
    {
      headers: [
        { name: 'a', value: '1' },
        { name: 'a', value: '2' },
      ],
    },
    'spec.headers[1]: Duplicate value: {"name":"a"}',
  ],
  [
    'a header twice, in another case',
    {
      headers: [
        { name: 'a', value: '1' },
        { name: 'A', value: '2' },
      ],
    },
    'spec.headers: Invalid value: has a header twice, in upper and lower case: keep one of them',
  ],
  ['a header without a name', oneHeader({ value: 'v' }), 'spec.headers[0].name: Required value'],
  [
    'a header without a value',
    oneHeader({ name: 'a' }),
    'spec.headers[0]: Invalid value: has neither value nor valueFrom: give it one of them',
  ],
  [
    'a header with two values',
    oneHeader({ name: 'a', value: 'v', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }),
    'spec.headers[0]: Invalid value: has both value and valueFrom: keep one of them',
  ],
  [
    'a header whose name is none, which is not repeated',
    oneHeader({ name: 'Bearer s3cr3t', value: 'v' }),
    'spec.headers[0].name: Invalid value: is not a header name: use letters, digits and "-", such as Authorization',
  ],
  [
    'a header name that is too long',
    oneHeader({ name: 'x'.repeat(129), value: 'v' }),
    'spec.headers[0].name: Too long: may not be more than 128 bytes',
  ],
  [
    'a header of the collector',
    oneHeader({ name: 'Content-Type', value: 'text/plain' }),
    'spec.headers[0].name: Invalid value: is a header which is set by the collector itself: remove this header',
  ],
  [
    'a header that says who asks',
    oneHeader({ name: 'X_Forwarded-User', value: 'ada' }),
    'spec.headers[0].name: Invalid value: is a header which says who asks, and only browsers and proxies may say that: remove this header',
  ],
  [
    'a line break in a header, which is not repeated',
    oneHeader({ name: 'a', value: 's3cr3t\nx: y' }),
    'spec.headers[0].value: Invalid value: has a line break: a header is one line, so remove it',
  ],
  [
    'another character in a header, which is not repeated',
    oneHeader({ name: 'a', value: 'pässword' }),
    'spec.headers[0].value: Invalid value: has a character that cannot be sent: only printable ASCII characters can stand in a header',
  ],
  [
    'a header that is too long',
    oneHeader({ name: 'a', value: 'v'.repeat(4097) }),
    'spec.headers[0].value: Too long: may not be more than 4096 bytes',
  ],
  [
    'a reference to no Secret',
    oneHeader({ name: 'a', valueFrom: {} }),
    'spec.headers[0].valueFrom.secretKeyRef: Required value',
  ],
  [
    'a reference to no key',
    fromSecret({ name: 's' }),
    'spec.headers[0].valueFrom.secretKeyRef.key: Required value',
  ],
  [
    'a Secret that cannot be',
    fromSecret({ name: 'Acme', key: 'k' }),
    'spec.headers[0].valueFrom.secretKeyRef.name: Invalid value: is not the name of a Secret: use lower-case letters, digits, "-" and "."',
  ],
  [
    'a key that leads out of the Secret',
    fromSecret({ name: 's', key: '../k' }),
    'spec.headers[0].valueFrom.secretKeyRef.key: Invalid value: is not a key of a Secret: use letters, digits, "-", "_" and "."',
  ],
  [
    'a batch of nothing',
    { maxBatchSize: 0 },
    'spec.maxBatchSize: Invalid value: 0: spec.maxBatchSize in body should be greater than or equal to 1',
  ],
  [
    'a batch that is too large',
    { maxBatchSize: 1001 },
    'spec.maxBatchSize: Invalid value: 1001: spec.maxBatchSize in body should be less than or equal to 1000',
  ],
  [
    'no time to answer',
    { timeoutSeconds: 0 },
    'spec.timeoutSeconds: Invalid value: 0: spec.timeoutSeconds in body should be greater than or equal to 1',
  ],
  [
    'too much time to answer',
    { timeoutSeconds: 301 },
    'spec.timeoutSeconds: Invalid value: 301: spec.timeoutSeconds in body should be less than or equal to 300',
  ],
  ...['now', '2026-01-31', '2026-01-31T08:00:00', '2026-01-31 08:00:00Z', '2026-01-31T24:00:00Z'].map(
    (startFrom) =>
      [
        `startFrom ${startFrom}`,
        { startFrom },
        `spec.startFrom: Invalid value: "${startFrom}": it must be Now, Beginning or an RFC 3339 time such as 2026-01-31T08:00:00Z`,
      ] as const,
  ),
  ...['2026-02-29', '2100-02-29', '2026-02-30', '2026-04-31', '0000-01-01'].map((day) => {
    const startFrom = `${day}T00:00:00Z`;
    const sentence = `spec.startFrom: Invalid value: "${startFrom}": there is no such day, correct the date`;
    return [`startFrom ${startFrom}`, { startFrom }, sentence] as const;
  }),
  [
    'suspend as text',
    { suspend: 'yes' },
    'spec.suspend: Invalid value: "string": spec.suspend in body must be of type boolean: "string"',
  ],
  [
    'a compression nobody knows',
    { compression: 'br' },
    'spec.compression: Unsupported value: "br": supported values: "gzip", "zstd", "none"',
  ],
  [
    'more event types than can be',
    { filter: { eventTypes: names(101) } },
    'spec.filter.eventTypes: Too many: 101: must have at most 100 items',
  ],
  [
    'an empty event type',
    { filter: { excludeEventTypes: [''] } },
    'spec.filter.excludeEventTypes[0]: Invalid value: "": spec.filter.excludeEventTypes[0] in body should be at least 1 chars long',
  ],
  [
    'a project on two lines',
    { filter: { projects: ['a\nb'] } },
    'spec.filter.projects[0]: Invalid value: "a\\nb": it must be text of 1 to 256 characters on one line',
  ],
  [
    'an authority without a Secret',
    { tls: { caSecretRef: { key: 'ca.crt' } } },
    'spec.tls.caSecretRef.name: Required value',
  ],
  [
    'an authority in a key that cannot be',
    { tls: { caSecretRef: { name: 's', key: '..' } } },
    'spec.tls.caSecretRef.key: Invalid value: "..": it must be a key of the Secret: at most 253 letters, digits, "-", "_" and "."',
  ],
  [
    'a client certificate in a Secret that cannot be',
    { tls: { clientCertSecretRef: { name: 'a/b' } } },
    'spec.tls.clientCertSecretRef.name: Invalid value: "a/b": is not the name of a Secret: use lower-case letters, digits, "-" and "."',
  ],
  [
    'a server name that is a URL',
    { tls: { serverName: 'https://otel' } },
    'spec.tls.serverName: Invalid value: "https://otel": it must be a host name of at most 253 characters, such as otel.example.com',
  ],
];
