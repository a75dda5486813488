/** The command line of `verify`. */
import { readFileSync } from 'node:fs';
import { errorCode } from '../basics/errorCode.ts';
import { type NoteVerifier, parseVerifierKey } from '../ledger/note.ts';
import type { CommandOption } from '../settings/command.ts';
import type { OlderCheckpoint } from './openLedger.ts';
import type { VerifyOptions } from './verifyCopies.ts';

export const verifyOptions: Readonly<Record<string, CommandOption>> = {
  ledger: {
    valueName: 'DIR|URL',
    doc: 'Where the ledger is: a folder, or the address on the page under which checkpoint and tile/… are.',
  },
  'public-key': {
    valueName: 'KEY',
    doc: 'Whom to trust: a verifier key (NAME+ID+KEY) from a source other than the ledger, or a file of them, one a line. May be repeated.',
    isRepeatable: true,
  },
  origin: {
    valueName: 'NAME',
    doc: 'Which ledger it must be, when the key is not named after it.',
  },
  older: {
    valueName: 'FILE',
    doc: 'A checkpoint that was kept earlier, as a signed note: the ledger must begin with it. May be repeated.',
    isRepeatable: true,
  },
  header: {
    valueName: "'NAME: VALUE'",
    doc: 'Sent with each request to a server, such as Authorization. May be repeated.',
    isRepeatable: true,
  },
  filtered: {
    doc: 'A filter of the export leaves entries out: those are counted, not named, and the exit code is 3.',
  },
  json: { doc: 'Writes a line of JSON for each finding, and a summary as the last.' },
};

export type ReadOptions =
  | (VerifyOptions & {
      readonly kind: 'run';
      readonly files: readonly string[];
      /** A folder, or the URL under which a server has `checkpoint` and `tile/…`. */
      readonly ledger: string;
      readonly headers: Readonly<Record<string, string>>;
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
  const keyTexts = lists.get('public-key') ?? [];
  if (operands.length === 0) return wrong('needs at least one FILE');
  if (typeof ledger !== 'string') return wrong('needs --ledger DIR|URL');
  if (keyTexts.length === 0) return wrong('needs --public-key KEY: without it a ledger proves nothing');
  const keys: NoteVerifier[] = [];
  for (const text of keyTexts) {
    const parsed = readKeys(text);
    if (typeof parsed === 'string') return wrong(parsed);
    keys.push(...parsed);
  }
  const headers: Record<string, string> = {};
  for (const header of lists.get('header') ?? []) {
    const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\x20-\x7e\t]+)$/.exec(header) ?? [];
    if (name === '') return wrong("needs a header as 'NAME: VALUE'"); // not repeated: it may be a secret
    headers[name] = value;
  }
  const older: OlderCheckpoint[] = [];
  for (const name of lists.get('older') ?? []) {
    try {
      older.push({ name, note: readFileSync(name) });
    } catch (error) {
      return wrong(`cannot read the older checkpoint ${name} (${errorCode(error)})`);
    }
  }
  const origin = values.get('origin');
  return {
    kind: 'run',
    files: operands,
    ledger,
    headers,
    keys,
    older,
    origin: typeof origin === 'string' ? origin : null,
    isFiltered: values.has('filtered'),
    isJson: values.has('json'),
  };
}

/** The keys of a verifier key, or of a file of them; or what is wrong. */
function readKeys(text: string): NoteVerifier[] | string {
  const own = parseVerifierKey(text);
  if (own !== null) return [own];
  let file: string;
  try {
    file = readFileSync(text, 'utf8');
  } catch (error) {
    return `cannot use the public key ${JSON.stringify(text)}: it is no verifier key (NAME+ID+KEY), and no file (${errorCode(error)})`;
  }
  const lines = file
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const keys = lines.flatMap((line) => parseVerifierKey(line) ?? []);
  const bad = lines.findIndex((line) => parseVerifierKey(line) === null);
  if (bad >= 0)
    return `cannot use the public keys of ${text}: ${JSON.stringify(lines[bad])} is no verifier key`;
  return keys.length > 0 ? keys : `cannot use the public keys of ${text}: it holds none`;
}

function wrong(problem: string): ReadOptions {
  return { kind: 'wrong', problem };
}
