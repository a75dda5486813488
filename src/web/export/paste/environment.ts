/**
 * Reads `OTEL_EXPORTER_OTLP_*` settings in the forms in which people have them: lines of a shell, a `.env` file, systemd, Docker,
 * Compose, a pod. What they mean: the OpenTelemetry specification, "OTLP exporter configuration".
 */
import { readHeaderList } from './headerList.ts';
import { type Pasted, PastedDraft } from './pasted.ts';

/** One setting that was found. */
interface Found {
  readonly name: string;
  readonly value: string;
}

const prefix = 'OTEL_EXPORTER_OTLP_';

/** What a setting does, by its name after the prefix; `LOGS_…` wins over the one of all signals. */
const settings: Readonly<Record<string, (draft: PastedDraft, value: string, name: string) => void>> = {
  ENDPOINT: (draft, value, name) => draft.setEndpoint(value, 'all-signals', name),
  LOGS_ENDPOINT: (draft, value, name) => draft.setEndpoint(value, 'logs', name),
  HEADERS: readHeaders,
  LOGS_HEADERS: readHeaders,
  COMPRESSION: (draft, value, name) => draft.setCompression(value, name),
  LOGS_COMPRESSION: (draft, value, name) => draft.setCompression(value, name),
  TIMEOUT: readTimeout,
  LOGS_TIMEOUT: readTimeout,
  PROTOCOL: readProtocol,
  LOGS_PROTOCOL: readProtocol,
  CERTIFICATE: readFileName,
  LOGS_CERTIFICATE: readFileName,
  CLIENT_CERTIFICATE: readFileName,
  LOGS_CLIENT_CERTIFICATE: readFileName,
  CLIENT_KEY: readFileName,
  LOGS_CLIENT_KEY: readFileName,
};

/** null: the text has no such setting. */
export function readEnvironment(text: string): Pasted | null {
  if (!text.includes(prefix)) return null;
  const draft = new PastedDraft();
  const found = new Map<string, string>();
  for (const { name, value } of findSettings(text, draft)) found.set(name, value);
  for (const [name, value] of found) {
    const short = name.slice(prefix.length);
    if (found.has(`${prefix}LOGS_${short}`)) continue;
    const read = settings[short];
    if (read !== undefined) read(draft, value, name);
    else if (/^(?:TRACES|METRICS|PROFILES)_/.test(short))
      draft.say(`${name} is about another signal than logs, and was left out.`);
    else draft.say(`${name} is not a setting that the page knows, and was left out.`);
  }
  return draft.finish();
}

function readHeaders(draft: PastedDraft, value: string, name: string): void {
  const headers = readHeaderList(value);
  if (headers === null)
    draft.say(`${name} is not a list of NAME=VALUE with commas between: enter the headers by hand.`);
  for (const header of headers ?? []) draft.setHeader(header.name, header.value);
}

/** Milliseconds. */
function readTimeout(draft: PastedDraft, value: string, name: string): void {
  draft.setTimeoutMs(/^\d{1,9}$/.test(value) ? Number(value) : 0, name);
}

function readProtocol(draft: PastedDraft, value: string, name: string): void {
  if (value === 'grpc') {
    draft.say(
      `${name} asks for gRPC: records go over HTTP, so use the port of the receiver for OTLP/HTTP, usually 4318.`,
    );
  } else if (value !== 'http/protobuf')
    draft.say(`${name} asks for another encoding: records are sent in protobuf.`);
}

function readFileName(draft: PastedDraft, _value: string, name: string): void {
  draft.say(`${name} names a file that the page cannot read: paste what it holds (PEM) under Advanced, TLS.`);
}

/** Each line, unless it says nothing. What is not understood is said by its number, since it may hold anything. */
function findSettings(text: string, draft: PastedDraft): Found[] {
  const lines = listLines(text);
  const found: Found[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const number = at + 1;
    // A pod: the value is on the next line.
    const [, named] = /^-?\s*name:\s*["']?(OTEL_\w+)["']?\s*$/.exec(line) ?? [];
    if (named !== undefined) {
      const [, value] = /^value:\s*(.*)$/.exec(lines[at + 1] ?? '') ?? [];
      if (value === undefined) draft.say(`${named} has its value elsewhere: enter it by hand.`);
      else {
        found.push({ name: named, value: unquote(value) });
        at++;
      }
      continue;
    }
    const settingsOfLine = splitLine(line);
    if (settingsOfLine.length > 0)
      found.push(...settingsOfLine.filter(({ name }) => name.startsWith(prefix)));
    if (settingsOfLine.some(({ name }) => !name.startsWith(prefix)))
      draft.say(`Line ${number} sets something else than the OTLP exporter, and was left out.`);
    if (settingsOfLine.length === 0 && !saysNothing.test(line))
      draft.say(`Line ${number} was not understood, and was left out.`);
  }
  return found;
}

/** Empty lines, comments, and what stands around settings. */
const saysNothing =
  /^(?:#.*|-*|env:|environment:|data:|containers:|services:|\[Service\]|(?:docker|podman)\s+run\b.*|-\s*|[a-zA-Z][\w-]*:|valueFrom:.*|secretKeyRef:.*|(?:key|optional|name):.*)$/;

/** Without the backslash or the backtick that continues a line. */
function listLines(text: string): string[] {
  return text.split(/\r?\n/).map((line) =>
    line
      .trim()
      .replace(/(?:^|\s)[\\`]$/, '')
      .trim(),
  );
}

const lead = /^(?:(?:export|set|setx|ENV|-e|--env|-\s|Environment=|\$env:)\s*)+/;

/** `export A=b`, `A: b`, `ENV A b`, `-e A=b -e C=d`, `- A=b`, `Environment="A=b"`, `$env:A = "b"`. */
function splitLine(line: string): Found[] {
  // Patterns would try each blank of a long run again.
  if (/\s{100}/.test(line)) return [];
  const isDocker = /(?:^|\s)(?:-e|--env)[\s=]/.test(line);
  const parts = line.split(isDocker ? /\s+(?=(?:-e|--env)[\s=])/ : /\s+(?=(?:export\s+)?OTEL_[A-Z_]+=)/);
  return parts.flatMap((part) => {
    const text = part.trim();
    // A command goes on behind the word; elsewhere a value may have spaces.
    const word = dockerWord.exec(text)?.[1] ?? text.replace(lead, '');
    const bare = unquote(word.replace(/;$/, '').trim());
    const [, name, value] = /^["']?([A-Z][A-Z0-9_]*)["']?\s*(?:[=:]|\s(?=\S))\s*(.*)$/s.exec(bare) ?? [];
    return name === undefined || value === undefined
      ? []
      : [{ name, value: unquote(value.replace(/,$/, '')) }];
  });
}

const dockerWord = /^(?:-e|--env)[\s=]+((?:"[^"]*"|'[^']*'|[^\s"'])+)/;

function unquote(text: string): string {
  const [, , inner] = /^(["'])(.*)\1$/s.exec(text.trim()) ?? [];
  return inner ?? text.trim();
}
