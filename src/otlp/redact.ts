/** Masks in a text what the headers of a request contained. */
import type { Secret } from '../model/secret.ts';

/** Runs of this length that occur in a secret are masked, so that a part of it (cut off, or without its scheme) is too. */
const runLength = 8;
const mask = '[secret]';

/** Words before the credentials in an Authorization header; alone they are not secret. */
const scheme = /^(?:(?:basic|bearer|digest|negotiate|token|splunk|api-?key|api-?token|genie-?key|key) +)+/i;

/** One or two characters are not a secret, and masking them would leave nothing to read. */
const shortestSecret = 3;

/**
 * Words that receivers use every day. A header value may contain one of them, or be one: masking it would make "missing
 * authorization header" unreadable, and showing it reveals nothing.
 */
const ordinaryWords: ReadonlySet<string> = new Set(
  (
    'about and any are but can cannot for from has have her his into not please should such than that the then they this ' +
    'was were what when which will with without you your ' +
    'access account allowed api apikey application auth authenticate authenticated authentication authorization authorized ' +
    'basic bearer client collector content credential credentials customer dataset default denied development endpoint ' +
    'environment exporter expired false forbidden header headers identifier incorrect ingest ingestion instance internal ' +
    'invalid json key logs malformed missing monitoring name namespace null opentelemetry organization otlp parameter ' +
    'password permission permissions production project protobuf provided quota received receiver rejected request ' +
    'required resource secret security service signature splunk staging stream subscription telemetry tenant test token ' +
    'tokens true type unauthenticated unauthorized unknown unsupported user username value version workspace'
  ).split(' '),
);

/**
 * Replaces every run of eight or more characters that also occurs in one of `secrets`, in any case of letters, plain or
 * in base64 (at any offset), hexadecimal, percent or JSON encoding, and for `Basic` credentials also decoded. Shorter
 * secrets are replaced where they are a word of their own. Ordinary words of receivers stay, unless the masked run
 * extends beyond them; so do `names`, those of the headers: everybody may know what a receiver asks for.
 */
export function redact(text: string, secrets: readonly Secret[], names: readonly string[] = []): string {
  if (text === '') return '';
  const known = names.map(toLowerAscii);
  const values = secrets.map((secret) => withoutOwnName(secret.reveal().trim(), known));
  const forms = new Set(values.flatMap(listForms).map(toLowerAscii));
  const lower = toLowerAscii(text);
  const masked = new Uint8Array(text.length);
  markRuns(lower, forms, masked);
  for (const form of forms) {
    if (form.length >= shortestSecret && form.length < runLength) markWord(lower, form, masked);
  }
  unmarkWords(lower, /[a-z]+/g, (word) => ordinaryWords.has(word), masked);
  unmarkWords(lower, /[a-z0-9_-]+/g, (word) => known.includes(word), masked);
  return applyMask(text, masked);
}

/** `Authorization: Bearer x` was pasted whole: the name before the colon is not secret. */
function withoutOwnName(value: string, names: readonly string[]): string {
  const [name = '', ...rest] = value.split(':');
  return rest.length > 0 && names.includes(toLowerAscii(name.trim())) ? rest.join(':').trim() : value;
}

function listForms(plain: string): string[] {
  const credentials = plain.replace(scheme, '');
  const decoded = decodeBase64(credentials);
  const password = decoded?.slice(decoded.indexOf(':') + 1);
  const forms = [credentials, decoded, password].filter(
    (form) => form !== undefined && form !== '',
  ) as string[];
  const inBytes = [plain, ...forms].map((form) => Buffer.from(form));
  const encoded = inBytes.flatMap((bytes) => [...listBase64(bytes), bytes.toString('hex')]);
  const escaped = forms.flatMap((form) => {
    const inUrl = encodeURIComponent(form.toWellFormed());
    const inHex = Buffer.from(form).toString('hex');
    // As in a URL, as in an HTML form, with every byte escaped, and in JSON.
    return [
      inUrl,
      inUrl.replaceAll('%20', '+'),
      inHex.replace(/../g, '%$&'),
      JSON.stringify(form).slice(1, -1),
    ];
  });
  return [...forms, ...[...encoded, ...escaped].filter((form) => form.length >= runLength)];
}

/** As it appears inside longer base64, whatever comes before it: characters that neighbouring bytes share are left out. */
function listBase64(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes]);
    const from = Math.ceil((offset * 8) / 6);
    // The last character is its own only at the very end; elsewhere it shares it with what follows.
    return [shifted.toString('base64').replace(/=+$/, ''), shifted.toString('base64url')].map((text) =>
      text.slice(from),
    );
  });
}

/** The text inside base64, as Basic credentials are encoded; undefined when it is not base64 of a text. */
function decodeBase64(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/_-]{4,}={0,2}$/.test(text)) return undefined;
  const decoded = Buffer.from(text, 'base64').toString('utf8');
  return /^[\x20-\x7e]+$/.test(decoded) ? decoded : undefined;
}

/** Looks up the runs of the text, which are few: secrets may be long, and each is written in twenty ways. */
function markRuns(text: string, forms: ReadonlySet<string>, masked: Uint8Array): void {
  const places = new Map<string, number[]>();
  for (let at = 0; at + runLength <= text.length; at += 1) {
    const run = text.slice(at, at + runLength);
    const found = places.get(run);
    if (found) found.push(at);
    else places.set(run, [at]);
  }
  for (const form of forms) {
    for (let from = 0; from + runLength <= form.length; from += 1) {
      const found = places.get(form.slice(from, from + runLength));
      for (const at of found ?? []) masked.fill(1, at, at + runLength);
    }
  }
}

function markWord(text: string, word: string, masked: Uint8Array): void {
  const isLetterOrDigit = (at: number) => /[a-z0-9]/.test(text.charAt(at));
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!isLetterOrDigit(at - 1) && !isLetterOrDigit(at + word.length)) masked.fill(1, at, at + word.length);
  }
}

function unmarkWords(
  text: string,
  words: RegExp,
  isShown: (word: string) => boolean,
  masked: Uint8Array,
): void {
  for (const { 0: word, index } of text.matchAll(words)) {
    const end = index + word.length;
    if (isShown(word) && !masked[index - 1] && !masked[end]) masked.fill(0, index, end);
  }
}

function applyMask(text: string, masked: Uint8Array): string {
  let shown = '';
  for (let at = 0; at < text.length; at += 1) {
    if (!masked[at]) shown += text.charAt(at);
    else if (!masked[at - 1]) shown += mask;
  }
  return shown;
}

/** Unlike toLowerCase it keeps every character at its place. */
function toLowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
