/** The command line of `verify`. */
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { errorCode } from '../basics/errorCode.ts';
import { isKeyName, type NoteVerifier, parseVerifierKey, verifierKey } from '../ledger/note.ts';
import type { CommandOption } from '../settings/command.ts';
import { isUrl } from './http.ts';
import type { OlderCheckpoint } from './openLedger.ts';
import type { VerifyOptions } from './verifyCopies.ts';

export const verifyOptions: Readonly<Record<string, CommandOption>> = {
  table: { doc: 'Verifies the table itself, in the database of DATABASE_URL, instead of files.' },
  organization: {
    valueName: 'NAME',
    doc: 'Whose entries, in the database of DATABASE_URL. With FILEs: the database tells which entries a filter left out, or were not sent yet, and its ledger is the default.',
  },
  ledger: {
    valueName: 'DIR|URL',
    doc: "Where the ledger is: a folder, or the address on the page under which checkpoint and tile/… are. With --organization it may be left out: the database's own.",
  },
  'public-key': {
    valueName: 'KEY',
    doc: 'Whom to trust: a file with the public key as PEM, or a verifier key (NAME+ID+KEY), or a file of these, one a line; from a source other than the ledger. May be repeated. With --organization the default is the public half of LEDGER_KEY.',
    isRepeatable: true,
  },
  unsigned: {
    doc: 'The ledger has no signature, since its collector has no LEDGER_KEY: shows what was changed behind its back, and the exit code is 3.',
  },
  origin: {
    valueName: 'NAME',
    doc: 'Which ledger it must be (the first line of its checkpoint), when the key is not named after it.',
  },
  older: {
    valueName: 'FILE',
    doc: 'A checkpoint that was kept earlier, as a signed note: the ledger must begin with it. May be repeated.',
    isRepeatable: true,
  },
  header: {
    valueName: "'NAME: VALUE'",
    doc: 'Sent with each request to the server of the ledger, such as Authorization. May be repeated.',
    isRepeatable: true,
  },
  'copy-header': {
    valueName: "'NAME: VALUE'",
    doc: 'The same for each FILE that is a URL.',
    isRepeatable: true,
  },
  'accept-partial': { doc: 'The exit code is 0 instead of 3: for a job that runs by a clock.' },
  filtered: {
    doc: 'A filter of the export leaves entries out: those are counted, not named, and the exit code is 3.',
  },
  json: { doc: 'Writes a line of JSON for each finding, and a summary as the last.' },
};

export type ReadOptions =
  | (VerifyOptions & {
      readonly kind: 'run';
      readonly files: readonly string[];
      /** The table instead of files. */
      readonly isTable: boolean;
      /** Whose entries in the database; null: it is not asked. */
      readonly organization: string | null;
      /** A folder, or the URL under which a server has `checkpoint` and `tile/…`; null: the database's own. */
      readonly ledger: string | null;
      /** Public keys, 32 bytes each, that are still to be named after the ledger's origin. */
      readonly unnamedKeys: readonly Uint8Array[];
      readonly headers: Readonly<Record<string, string>>;
      /** Sent with each request for a file. */
      readonly copyHeaders: Readonly<Record<string, string>>;
      readonly isJson: boolean;
    })
  /** The end of a sentence that begins with the command. */
  | { readonly kind: 'wrong'; readonly problem: string };

export interface CommandValues {
  readonly values: ReadonlyMap<string, string | true>;
  /** The values of repeatable options, in order. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
}

export function readVerifyOptions({ values, lists, operands }: CommandValues): ReadOptions {
  const ledger = values.get('ledger');
  const organization = values.get('organization');
  const origin = values.get('origin');
  const isTable = values.has('table');
  const isUnsigned = values.has('unsigned');
  const keyTexts = lists.get('public-key') ?? [];
  const isInDatabase = typeof organization === 'string';
  if (isTable && operands.length > 0) return wrong('takes FILEs or --table, not both');
  if (isTable && !isInDatabase) return wrong('needs --organization NAME beside --table');
  if (values.has('filtered') && isInDatabase)
    return wrong('takes --filtered only without --organization: the database tells what a filter left out');
  if (!isTable && operands.length === 0) return wrong('needs at least one FILE, or --table');
  if (!isInDatabase && typeof ledger !== 'string')
    return wrong('needs --ledger DIR|URL, or --organization NAME for the ledger in the database');
  if (!isInDatabase && keyTexts.length === 0 && !isUnsigned)
    return wrong('needs --public-key KEY: without it a ledger proves nothing');
  if (keyTexts.length > 0 && isUnsigned) return wrong('takes --public-key or --unsigned, not both');
  if (!isInDatabase && isUnsigned && typeof origin !== 'string')
    return wrong('needs --origin NAME beside --unsigned: no key says which ledger it must be');
  if (typeof origin === 'string' && !isKeyName(origin))
    return wrong(
      `cannot use the origin ${JSON.stringify(origin)}: it is the first line of a checkpoint, without spaces`,
    );
  const badUrl = [ledger, ...operands].find((text) => typeof text === 'string' && isBadUrl(text));
  // Not repeated: it may hold a password.
  if (badUrl !== undefined)
    return wrong(
      "needs whole URLs, without a user and a password; pass those as --header or --copy-header 'Authorization: Basic …'",
    );
  const keys: NoteVerifier[] = [];
  const unnamedKeys: Uint8Array[] = [];
  for (const text of keyTexts) {
    const parsed = readKeys(text);
    if (typeof parsed === 'string') return wrong(parsed);
    keys.push(...parsed.named);
    unnamedKeys.push(...parsed.unnamed);
  }
  if (unnamedKeys.length > 0 && typeof origin === 'string')
    keys.push(...unnamedKeys.splice(0).map((key) => nameKey(key, origin)));
  if (unnamedKeys.length > 0 && !isInDatabase)
    return wrong('needs --origin NAME beside a public key as PEM, which is not named after a ledger');
  const headers = readHeaders(lists.get('header'));
  const copyHeaders = readHeaders(lists.get('copy-header'));
  if (headers === null || copyHeaders === null) return wrong("needs a header as 'NAME: VALUE'"); // not repeated: it may be a secret
  const older: OlderCheckpoint[] = [];
  for (const name of lists.get('older') ?? []) {
    try {
      older.push({ name, note: readFileSync(name) });
    } catch (error) {
      return wrong(`cannot read the older checkpoint ${name} (${errorCode(error)})`);
    }
  }
  return {
    kind: 'run',
    files: operands,
    isTable,
    organization: isInDatabase ? organization : null,
    ledger: typeof ledger === 'string' ? ledger : null,
    headers,
    copyHeaders,
    keys,
    unnamedKeys,
    allowsUnsigned: isUnsigned,
    acceptsPartly: values.has('accept-partial'),
    older,
    origin: typeof origin === 'string' ? origin : null,
    isFiltered: values.has('filtered'),
    mayBeFiltered: true,
    isJson: values.has('json'),
  };
}

/** Whether a text begins as a URL does and none can be asked by it. */
function isBadUrl(text: string): boolean {
  if (!isUrl(text)) return false;
  const url = URL.parse(text);
  return url === null || url.username !== '' || url.password !== '';
}

/** null: one of them is none. */
function readHeaders(texts: readonly string[] = []): Record<string, string> | null {
  const headers: Record<string, string> = {};
  for (const text of texts) {
    const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\x20-\x7e\t]+)$/.exec(text) ?? [];
    if (name === '') return null;
    headers[name] = value;
  }
  return headers;
}

/** The key under the name of one ledger, as it signs. */
export function nameKey(publicKey: Uint8Array, origin: string): NoteVerifier {
  const named = parseVerifierKey(verifierKey(origin, publicKey));
  if (named === null) throw new Error(`${JSON.stringify(origin)} cannot name a key.`);
  return named;
}

interface ReadKeys {
  readonly named: readonly NoteVerifier[];
  readonly unnamed: readonly Uint8Array[];
}

/** The keys of a verifier key, or of a file of them, or of a PEM file; or what is wrong. */
function readKeys(text: string): ReadKeys | string {
  const own = parseVerifierKey(text);
  if (own !== null) return { named: [own], unnamed: [] };
  let file: string;
  try {
    file = readFileSync(text, 'utf8');
  } catch (error) {
    return `cannot use the public key ${JSON.stringify(text)}: it is no verifier key (NAME+ID+KEY), and no file (${errorCode(error)})`;
  }
  if (file.includes('-----BEGIN ')) return readPem(text, file);
  const lines = file
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const keys = lines.flatMap((line) => parseVerifierKey(line) ?? []);
  const bad = lines.findIndex((line) => parseVerifierKey(line) === null);
  if (bad >= 0)
    return `cannot use the public keys of ${text}: ${JSON.stringify(lines[bad])} is no verifier key`;
  return keys.length > 0
    ? { named: keys, unnamed: [] }
    : `cannot use the public keys of ${text}: it holds none`;
}

/** A private key is refused, although its public half is in it: it should not lie where people verify. */
function readPem(name: string, file: string): ReadKeys | string {
  const blocks = file.match(/-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----/g) ?? [];
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(file))
    return `needs the public key, and ${name} is the private one: make it with \`openssl pkey -in ${name} -pubout\``;
  const unnamed = blocks.flatMap((block) => {
    try {
      const key = createPublicKey(block);
      return key.asymmetricKeyType === 'ed25519'
        ? [Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')]
        : [];
    } catch {
      return [];
    }
  });
  return unnamed.length > 0 && unnamed.length === blocks.length
    ? { named: [], unnamed }
    : `cannot use the public keys of ${name}: each must be an Ed25519 key as PEM`;
}

function wrong(problem: string): ReadOptions {
  return { kind: 'wrong', problem };
}
