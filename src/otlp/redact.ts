/**
 * Masks in a text what a request's headers held.
 */
import type { Secret } from '../model/secret.ts';

/** Runs of this length that occur in a secret are masked, so that a part of it (cut, without its scheme) is too. */
const runLength = 8;
const mask = '[secret]';

/** Words before the credentials in an Authorization header; by themselves they are not secret. */
const scheme = /^(?:basic|bearer|digest|negotiate|token|splunk|api-?key|api-?token|genie-?key|key) +/i;

/**
 * Replaces every run of eight or more characters that also occurs in one of `secrets`, in any case of letters, plain or
 * in base64, percent or JSON encoding, and for `Basic` credentials also decoded. Shorter secrets are replaced where they
 * stand as a word of their own.
 */
export function redact(text: string, secrets: readonly Secret[]): string {
  const forms = new Set(secrets.flatMap((secret) => listForms(secret.reveal())).map(toLowerAscii));
  const lower = toLowerAscii(text);
  const masked = new Uint8Array(text.length);
  markRuns(lower, forms, masked);
  for (const form of forms) if (form.length < runLength) markWord(lower, form, masked);
  return applyMask(text, masked);
}

function listForms(value: string): string[] {
  const plain = value.trim();
  const credentials = plain.replace(scheme, '');
  const decoded = decodeBase64(credentials);
  const password = decoded?.slice(decoded.indexOf(':') + 1);
  const forms = [credentials, decoded, password].filter(
    (form) => form !== undefined && form !== '',
  ) as string[];
  const inBase64 = [plain, ...forms].flatMap((form) => [
    Buffer.from(form).toString('base64').replace(/=+$/, ''),
    Buffer.from(form).toString('base64url'),
  ]);
  const escaped = forms.flatMap((form) => [
    encodeURIComponent(form.toWellFormed()),
    JSON.stringify(form).slice(1, -1),
  ]);
  const encoded = [...inBase64, ...escaped].filter((form) => form.length >= runLength);
  return [...forms, ...encoded];
}

/** Text inside base64, as Basic credentials are; undefined when it is not that. */
function decodeBase64(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/_-]{4,}={0,2}$/.test(text)) return undefined;
  const decoded = Buffer.from(text, 'base64').toString('utf8');
  return /^[\x20-\x7e]+$/.test(decoded) ? decoded : undefined;
}

function markRuns(text: string, forms: ReadonlySet<string>, masked: Uint8Array): void {
  const runs = new Set<string>();
  for (const form of forms) {
    for (let at = 0; at + runLength <= form.length; at += 1) runs.add(form.slice(at, at + runLength));
  }
  for (let at = 0; at + runLength <= text.length; at += 1) {
    if (runs.has(text.slice(at, at + runLength))) masked.fill(1, at, at + runLength);
  }
}

function markWord(text: string, word: string, masked: Uint8Array): void {
  const isLetterOrDigit = (at: number) => /[a-z0-9]/.test(text.charAt(at));
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!isLetterOrDigit(at - 1) && !isLetterOrDigit(at + word.length)) masked.fill(1, at, at + word.length);
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
