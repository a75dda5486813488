import { describe, expect, it } from 'vitest';
import { readPaste } from './readPaste.ts';

interface Row {
  readonly when: string;
  readonly text: string;
  readonly endpoint?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly values?: Readonly<Record<string, string>>;
  /** One for each remark, in order. */
  readonly says?: readonly RegExp[];
}

const url = 'https://otel.example.com:4318';

const rows: readonly Row[] = [
  // Lines of settings
  { when: 'a line of a .env file', text: `OTEL_EXPORTER_OTLP_ENDPOINT=${url}`, endpoint: url },
  {
    when: 'a base with a path',
    text: `OTEL_EXPORTER_OTLP_ENDPOINT=${url}/otlp/`,
    endpoint: `${url}/otlp/v1/logs`,
  },
  {
    when: 'a base that ends in the path of logs',
    text: `OTEL_EXPORTER_OTLP_ENDPOINT=${url}/v1/logs`,
    endpoint: `${url}/v1/logs`,
    says: [/^OTEL_EXPORTER_OTLP_ENDPOINT ends in \/v1\/logs already/],
  },
  {
    when: 'the endpoint of logs beside the base',
    text: `export OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="${url}/my/logs"\nexport OTEL_EXPORTER_OTLP_ENDPOINT='${url}/other'`,
    endpoint: `${url}/my/logs`,
  },
  {
    when: 'an endpoint of logs without a path',
    text: `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=${url}`,
    endpoint: url,
    says: [/^OTEL_EXPORTER_OTLP_LOGS_ENDPOINT has no path, so \/v1\/logs is appended here/],
  },
  {
    when: 'headers in percent-encoding, with = in a value',
    text: 'export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Basic%20dTpw==, x-scope=a%2Cb"',
    headers: { Authorization: 'Basic dTpw==', 'x-scope': 'a,b' },
  },
  {
    when: 'headers of logs beside those of all signals',
    text: 'OTEL_EXPORTER_OTLP_HEADERS=api-key=of-all\nOTEL_EXPORTER_OTLP_LOGS_HEADERS=api-key=of-logs',
    headers: { 'api-key': 'of-logs' },
  },
  {
    when: 'docker run over several lines',
    text: `docker run --rm \\\n  -e OTEL_EXPORTER_OTLP_ENDPOINT=${url} \\\n  --env "OTEL_EXPORTER_OTLP_HEADERS=api-key=abc" \\\n  image`,
    endpoint: url,
    headers: { 'api-key': 'abc' },
    says: [/^Line 4 was not understood/],
  },
  {
    when: 'docker run on one line',
    text: `docker run -e OTEL_EXPORTER_OTLP_ENDPOINT=${url} -e 'OTEL_EXPORTER_OTLP_HEADERS=api-key=a b' image`,
    endpoint: url,
    headers: { 'api-key': 'a b' },
  },
  {
    when: 'a Dockerfile, systemd and PowerShell',
    text: `ENV OTEL_EXPORTER_OTLP_ENDPOINT ${url}\nEnvironment="OTEL_EXPORTER_OTLP_COMPRESSION=gzip"\n$env:OTEL_EXPORTER_OTLP_TIMEOUT = "2500"`,
    endpoint: url,
    values: { compression: 'gzip', timeoutSeconds: '3' },
  },
  {
    when: 'Compose, as a map and as a list',
    text: `environment:\n  OTEL_EXPORTER_OTLP_ENDPOINT: ${url}\n  - OTEL_EXPORTER_OTLP_HEADERS=api-key=abc`,
    endpoint: url,
    headers: { 'api-key': 'abc' },
  },
  {
    when: 'a pod',
    text: `env:\n- name: OTEL_EXPORTER_OTLP_ENDPOINT\n  value: "${url}"\n- name: OTEL_EXPORTER_OTLP_HEADERS\n  valueFrom:\n    secretKeyRef:\n      name: otlp\n      key: headers`,
    endpoint: url,
    says: [/^OTEL_EXPORTER_OTLP_HEADERS has its value elsewhere/],
  },
  {
    when: 'values that are only referred to',
    text: 'OTEL_EXPORTER_OTLP_ENDPOINT=$ENDPOINT\nOTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer $(TOKEN),dd-api-key=<key>',
    headers: { Authorization: '', 'dd-api-key': '' },
    says: [
      /^OTEL_EXPORTER_OTLP_ENDPOINT is only referred to/,
      /of header Authorization is only/,
      /dd-api-key/,
    ],
  },
  {
    when: 'what cannot be taken',
    text: 'OTEL_EXPORTER_OTLP_PROTOCOL=grpc\nOTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://x\nOTEL_EXPORTER_OTLP_CERTIFICATE=/etc/ca.pem\nOTEL_EXPORTER_OTLP_INSECURE=true\nOTEL_EXPORTER_OTLP_COMPRESSION=snappy\nOTEL_EXPORTER_OTLP_TIMEOUT=0\nOTEL_SERVICE_NAME=shop\nhush-hush-token',
    says: [
      /^Line 7 sets something else/,
      /^Line 8 was not understood/,
      /PROTOCOL asks for gRPC/,
      /TRACES_ENDPOINT is about another signal/,
      /CERTIFICATE names a file/,
      /INSECURE is not a setting that the page knows/,
      /compression in OTEL_EXPORTER_OTLP_COMPRESSION is not available/,
      /TIMEOUT is not between 1 and 300/,
    ],
  },
  {
    when: 'a password in the address',
    text: 'OTEL_EXPORTER_OTLP_ENDPOINT=https://ada:hush-hush-token@otel.example.com/otlp',
    endpoint: 'https://otel.example.com/otlp/v1/logs',
    says: [/^The user name and password in OTEL_EXPORTER_OTLP_ENDPOINT were left out/],
  },
  {
    when: 'headers that are no list',
    text: 'OTEL_EXPORTER_OTLP_HEADERS=hush-hush-token',
    says: [/^OTEL_EXPORTER_OTLP_HEADERS is not a list/],
  },

  // An exporter of the Collector
  {
    when: 'a whole configuration',
    text: `receivers:\n  otlp: {}\nexporters:\n  debug: {}\n  otlphttp/siem:\n    endpoint: ${url}/otlp\n    headers:\n      Authorization: Bearer abc\n      X-Number: 7\n    compression: zstd\n    timeout: 1m30s\n`,
    endpoint: `${url}/otlp/v1/logs`,
    headers: { Authorization: 'Bearer abc', 'X-Number': '7' },
    values: { compression: 'zstd', timeoutSeconds: '90' },
  },
  {
    when: 'an exporter alone, under its newer name, with an endpoint of logs',
    text: `otlp_http:\n  logs_endpoint: ${url}/my/logs\n  endpoint: ${url}\n  headers:\n  - name: api-key\n    value: abc\n`,
    endpoint: `${url}/my/logs`,
    headers: { 'api-key': 'abc' },
  },
  {
    when: 'what stands below the name, indented',
    text: `    endpoint: ${url}\n    compression: none\n    encoding: proto\n`,
    endpoint: url,
    values: { compression: 'none' },
  },
  {
    when: 'TLS',
    text: `otlphttp:\n  endpoint: ${url}\n  tls:\n    insecure: true\n    insecure_skip_verify: true\n    server_name_override: otel\n    ca_pem: |\n      -----BEGIN CERTIFICATE-----\n    ca_file: /etc/ca.pem\n    key_pem: hush-hush-token\n    min_version: "1.3"\n`,
    endpoint: url,
    values: {
      'tls.insecureSkipVerify': 'true',
      'tls.serverName': 'otel',
      'tls.caSecretRef': '-----BEGIN CERTIFICATE-----\n',
    },
    says: [
      /^tls.insecure was left out/,
      /^tls.ca_file names a file/,
      /^tls.key_pem was not taken/,
      /^tls.min_version is not/,
    ],
  },
  {
    when: 'what is not needed or not known',
    text: `otlphttp:\n  endpoint: ${url}\n  encoding: json\n  sending_queue: {enabled: true}\n  retry_on_failure: {enabled: true}\n  traces_endpoint: https://x\n  auth: {authenticator: oauth2client}\n  compression: snappy\n  timeout: 0s\n  max_idle_conns: 3\n  proxy_url: http://p\n  HUSH_hush-token: 1\n`,
    endpoint: url,
    says: [
      /^encoding is not taken: records are sent in protobuf/,
      /^sending_queue is not needed: entries wait in the table/,
      /^retry_on_failure is not needed/,
      /^traces_endpoint is about another signal/,
      /^auth names an extension/,
      /^The compression in compression is not available/,
      /^timeout is not between 1 and 300/,
      /^max_idle_conns tunes the Collector/,
      /^proxy_url was left out/,
      /^A key is not a setting/,
    ],
  },
  {
    when: 'references of the Collector',
    text: `otlphttp:\n  endpoint: $\{env:ENDPOINT}\n  headers: {Authorization: "Bearer $\{env:TOKEN}"}`,
    headers: { Authorization: '' },
    says: [/^endpoint is only referred to/, /^The value of header Authorization is only referred to/],
  },
  {
    when: 'two exporters',
    text: `exporters:\n  otlphttp/a: {endpoint: ${url}}\n  otlphttp/b: {endpoint: "https://b"}`,
    endpoint: url,
    says: [/^There are 2 such exporters/],
  },
  {
    when: 'an exporter over gRPC',
    text: 'exporters:\n  otlp:\n    endpoint: otel:4317',
    says: [/speaks gRPC/],
  },
  {
    when: 'YAML that is broken',
    text: 'exporters:\n  otlphttp:\n    headers: {Authorization: hush-hush-token\n    endpoint: x: y',
    says: [/^Nothing was taken, because line \d is not valid YAML\.$/],
  },
  {
    when: 'a header with a line break in its name',
    text: `otlphttp:\n  endpoint: ${url}\n  headers: {"a b": hush-hush-token}`,
    endpoint: url,
    says: [/^A header whose name has other characters/],
  },

  // Neither
  { when: 'a token', text: 'hush-hush-token', says: [/^Nothing was taken: this is neither/] },
  { when: 'nothing', text: ' \n', says: [/^Nothing was taken/] },
  { when: 'something huge', text: 'x'.repeat(40_000), says: [/too long/] },
  { when: 'a list', text: '- a\n- b', says: [/^Nothing was taken/] },
];

describe('readPaste', () => {
  it.each([
    ['blanks', `OTEL_EXPORTER_OTLP_ENDPOINT${' '.repeat(15_000)}x`],
    ['brackets', '['.repeat(16_000)],
    ['aliases', `otlphttp: {headers: &a [${'*a,'.repeat(200)}]}`],
  ])('takes nothing from a text of %s', (_what, text) => {
    const { endpoint, headers } = readPaste(text);
    expect({ endpoint, headers }).toEqual({ endpoint: undefined, headers: [] });
  });

  it.each(rows)('reads $when', ({ text, endpoint, headers = {}, values = {}, says = [] }) => {
    const pasted = readPaste(text);
    expect(pasted.endpoint).toBe(endpoint);
    expect(Object.fromEntries(pasted.headers.map(({ name, value }) => [name, value.reveal()]))).toEqual(
      headers,
    );
    expect(pasted.values).toEqual(values);
    expect(pasted.remarks).toEqual(says.map((pattern) => expect.stringMatching(pattern)));
    expect(JSON.stringify(pasted)).not.toContain('hush');
  });
});
