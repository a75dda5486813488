/**
 * Reads an `otlphttp` exporter of an OpenTelemetry Collector's configuration: the whole file, the exporter, or only what stands
 * below its name. What the keys mean: the exporter's README, and confighttp, configtls and configcompression of the Collector.
 */
import { LineCounter, parseDocument } from 'yaml';
import { type Pasted, PastedDraft } from './pasted.ts';

type Block = Readonly<Record<string, unknown>>;
type ReadKey = (draft: PastedDraft, value: unknown, key: string) => void;

/** What a key does. */
const keys: Readonly<Record<string, ReadKey>> = {
  endpoint: (draft, value, key) => {
    // The more particular one wins, in whatever order they stand.
    if (draft.endpoint === undefined) draft.setEndpoint(String(value), 'all-signals', key);
  },
  logs_endpoint: (draft, value, key) => draft.setEndpoint(String(value), 'logs', key),
  headers: readHeaders,
  compression: (draft, value, key) => draft.setCompression(String(value ?? ''), key),
  timeout: (draft, value, key) => draft.setTimeoutMs(readDuration(value), key),
  tls: (draft, value) => readBlock(draft, value, tlsKeys, 'tls.'),
  encoding: (draft, value) => {
    if (value !== 'proto') draft.say('encoding is not taken: records are sent in protobuf.');
  },
  auth: (draft) =>
    draft.say('auth names an extension whose credentials are elsewhere: enter them as a header.'),
  ...leaveOut(
    ['sending_queue', 'retry_on_failure', 'batcher'],
    'is not needed: entries wait in the table, and are tried until they get through.',
  ),
  ...leaveOut(
    ['traces_endpoint', 'metrics_endpoint', 'profiles_endpoint'],
    'is about another signal than logs, and was left out.',
  ),
  ...leaveOut(['proxy_url'], 'was left out: records are sent without a proxy.'),
  ...leaveOut(
    [
      ...[
        'compression_params',
        'read_buffer_size',
        'write_buffer_size',
        'max_idle_conns',
        'max_conns_per_host',
      ],
      ...['max_idle_conns_per_host', 'idle_conn_timeout', 'disable_keep_alives', 'http2_read_idle_timeout'],
      ...['http2_ping_timeout', 'force_attempt_http2', 'cookies', 'middlewares'],
    ],
    'tunes the Collector, and was left out.',
  ),
};

const tlsKeys: Readonly<Record<string, ReadKey>> = {
  insecure: (draft, value) => {
    if (value === true)
      draft.say('tls.insecure was left out: http in the endpoint means no TLS, https means TLS.');
  },
  insecure_skip_verify: (draft, value) => {
    if (value === true) draft.values['tls.insecureSkipVerify'] = 'true';
  },
  server_name_override: (draft, value) => {
    draft.values['tls.serverName'] = String(value);
  },
  ca_pem: (draft, value) => {
    draft.values['tls.caSecretRef'] = `${String(value).trim()}\n`;
  },
  ...leaveOut(
    ['ca_file', 'cert_file', 'key_file'],
    'names a file that the page cannot read: paste what it holds (PEM) under Advanced, TLS.',
  ),
  ...leaveOut(['cert_pem', 'key_pem'], 'was not taken: paste it under Advanced, TLS.'),
};

function leaveOut(names: readonly string[], why: string): Record<string, ReadKey> {
  return Object.fromEntries(names.map((name) => [name, (draft, _value, key) => draft.say(`${key} ${why}`)]));
}

/** null: the text is no such block. A text that is meant as one and cannot be read gives a remark. */
export function readCollectorBlock(text: string): Pasted | null {
  const draft = new PastedDraft();
  const lines = new LineCounter();
  const document = parseDocument(outdent(text), {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
  });
  const [fault] = document.errors;
  if (fault !== undefined) {
    if (!/^\s*(?:exporters|otlp_?http(?:\/[\w-]+)?|(?:logs_)?endpoint)\s*:/m.test(text)) return null;
    draft.say(`Nothing was taken, because line ${lines.linePos(fault.pos[0]).line} is not valid YAML.`);
    return draft.finish();
  }
  const block = findBlock(toValue(document), draft);
  if (block === null) return null;
  readBlock(draft, block, keys, '');
  return draft.finish();
}

/** A block is often copied from the middle of its first line on. */
function outdent(text: string): string {
  return text.replaceAll('\t', '  ').replace(/^\s*\n/, '');
}

/** More aliases than a configuration has could make it huge. */
function toValue(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    return null;
  }
}

/** The keys of the exporter, wherever they stand. */
function findBlock(value: unknown, draft: PastedDraft): Block | null {
  if (!isBlock(value)) return null;
  const exporters = isBlock(value['exporters']) ? value['exporters'] : value;
  const found = Object.entries(exporters).filter(([name]) => /^otlp_?http(?:\/.*)?$/.test(name));
  const [first] = found;
  if (first !== undefined) {
    if (found.length > 1)
      draft.say(
        `There are ${found.length} such exporters: the first was taken. Add another destination for each of the others.`,
      );
    return isBlock(first[1]) ? first[1] : {};
  }
  if (Object.keys(exporters).some((name) => /^otlp(?:_grpc)?(?:\/.*)?$/.test(name))) {
    draft.say(
      'This exporter speaks gRPC: records go over HTTP, so paste an otlphttp exporter, or enter the address for OTLP/HTTP.',
    );
    return {};
  }
  return 'endpoint' in value || 'logs_endpoint' in value ? value : null;
}

function isBlock(value: unknown): value is Block {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readBlock(
  draft: PastedDraft,
  block: unknown,
  known: Readonly<Record<string, ReadKey>>,
  path: string,
): void {
  if (!isBlock(block)) return;
  // The particular endpoint comes first.
  const entries = Object.entries(block).sort(
    ([a], [b]) => Number(b === 'logs_endpoint') - Number(a === 'logs_endpoint'),
  );
  for (const [key, value] of entries) {
    const read = Object.hasOwn(known, key) ? known[key] : undefined;
    if (read !== undefined) read(draft, value, `${path}${key}`);
    else
      draft.say(
        `${isKey.test(key) ? `${path}${key}` : 'A key'} is not a setting that the page knows, and was left out.`,
      );
  }
}

/** Anything longer may be a secret that lost its name. */
const isKey = /^[a-z][a-z0-9_]{0,39}$/;

/** A map, or a list of name and value. */
function readHeaders(draft: PastedDraft, value: unknown): void {
  const pairs = Array.isArray(value)
    ? value.map((each) => (isBlock(each) ? [each['name'], each['value']] : []))
    : Object.entries(isBlock(value) ? value : {});
  for (const [name, text] of pairs) {
    if (typeof name === 'string' && isScalar(text)) draft.setHeader(name, String(text));
    else draft.say('A header that is no pair of name and value was left out.');
  }
}

function isScalar(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

const unitMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 0.001,
  '\u00b5s': 0.001,
  ns: 1e-6,
};

/** As Go writes a duration, `1m30s`; milliseconds. 0: it is none, or no limit. */
function readDuration(value: unknown): number {
  const text = String(value);
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+$/.test(text)) return 0;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g)];
  return parts.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (unitMs[unit] ?? 0), 0);
}
