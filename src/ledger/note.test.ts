import { createPrivateKey } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { formatCheckpoint, openCheckpoint, parseCheckpoint } from './checkpoint.ts';
import { LedgerKey, parseLedgerKeys } from './ledgerKey.ts';
import {
  isKeyName,
  joinNote,
  keyId,
  openNote,
  parseVerifierKey,
  signNote,
  splitNote,
  verifierKey,
} from './note.ts';

/** The example that golang.org/x/mod/sumdb/note opens with either key and with both. */
const text = `audit.example.com/organizations/acme/0f8fad5b
600
FMHp0+g7Tfrlt6TRMXG+yslP16YFasdB8W546rqWvME=
`;
const note = Buffer.from(`${text}
— audit.example.com T/6r5OO5MbeIde95YUckXnfGKAWAIW5ion2D3Dt/u5oViiBF1HpdX1jFXoOErSRN2OHkBh2VohgEOTB4iQTxknh8wA8=
— audit.example.com /9VlGQvv5pnxeUPzpIY2CnSQs6mbByuntzPX2ekKarxrj84eHQ2mFnHLNSAufglf8J3uF78DUkdHRiUDRgNEnvCMIQ0=
`);
const published = [
  'audit.example.com+4ffeabe4+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4',
  'audit.example.com+ffd56519+AQu8NGpXZnw4ASC9nH/X5R0sX9/qN80vW/QFssa/by14',
];
const name = 'audit.example.com';

function pem(head: string, body: Uint8Array): string {
  const base64 = Buffer.concat([Buffer.from(head, 'hex'), body]).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`;
}

/** PKCS#8 of the Ed25519 key whose seed is the 32 bytes from `first` on. */
function pemFrom(first: number): string {
  return pem(
    '302e020100300506032b657004220420',
    Uint8Array.from({ length: 32 }, (_, i) => first + i),
  );
}

const old = pemFrom(0x00);
const next = pemFrom(0x64);
const keys = [old, next].map((value) => new LedgerKey(createPrivateKey(value)));
const signers = keys.map((key) => key.signerFor(name));
const known = published.flatMap((key) => parseVerifierKey(key) ?? []);

describe('a signed note', () => {
  test('has the bytes and the verifier keys that Go gives it', () => {
    expect(signers.map((signer) => verifierKey(name, signer.publicKey))).toEqual(published);
    expect(signNote(text, signers).toString()).toBe(note.toString());
    expect(signers.map((signer) => keyId(name, signer.publicKey))).toEqual(['4ffeabe4', 'ffd56519']);
    const parts = splitNote(note);
    expect(joinNote(parts?.text ?? '', parts?.signatures ?? [])).toEqual(note);
  });

  test('opens for whoever knows one of its keys', () => {
    expect(openNote(note, known)).toEqual({ kind: 'opened', text, signers: known });
    for (const verifier of known)
      expect(openNote(note, [verifier])).toEqual({ kind: 'opened', text, signers: [verifier] });
  });

  test('opens for nobody who knows none of them', () => {
    const other = { ...known[0], name: 'other' } as (typeof known)[0];
    expect(openNote(note, [])).toMatchObject({ kind: 'refused' });
    expect(openNote(note, [other])).toEqual({
      kind: 'refused',
      problem:
        'It is signed by audit.example.com+4ffeabe4 and audit.example.com+ffd56519, not by other+4ffeabe4.',
    });
  });

  test('is refused when one known key did not sign its text, and when it is no note', () => {
    const changed = [
      note.toString().replace('\n600\n', '\n601\n'),
      note.toString().replace('EOTB4iQ', 'EOTB4iR'),
      note.toString().replaceAll('\n', '\r\n'),
      note.toString().trimEnd(),
      note.toString().replace('\n\n', '\n'),
      note.toString().replace('— audit', '- audit'),
      `${note}x\n`,
      text,
      '',
    ];
    for (const value of changed)
      expect(openNote(Buffer.from(value), known), value).toMatchObject({ kind: 'refused' });
    expect(openNote(Buffer.concat([Buffer.of(0xff), note]), known)).toMatchObject({ kind: 'refused' });
  });

  test('takes no verifier key whose id, name or algorithm is another', () => {
    const [key = ''] = published;
    for (const wrong of [
      key.replace('4ffeabe4', '4ffeabe5'),
      key.replace('audit.', 'audit '),
      key.replace('+AQ', '+BA'),
      key.slice(0, -1),
      '',
    ])
      expect(parseVerifierKey(wrong), wrong).toBeNull();
  });
});

test('a key has a name without white space and plus', () => {
  for (const good of ['a', 'audit.example.com/0f8fad5b', 'ä:8080']) expect(isKeyName(good), good).toBe(true);
  for (const bad of ['', 'a b', 'a+b', 'a\nb', 'a\u2003b', 'a\u0000', '\ud800'])
    expect(isKeyName(bad), JSON.stringify(bad)).toBe(false);
});

describe('a checkpoint', () => {
  test('is three lines, and nothing else is one', () => {
    const checkpoint = parseCheckpoint(text);
    expect(checkpoint).toMatchObject({ origin: 'audit.example.com/organizations/acme/0f8fad5b', size: 600 });
    expect(checkpoint && formatCheckpoint(checkpoint)).toBe(text);
    for (const wrong of [
      text.replace('600', '0600'),
      text.replace('600', '-1'),
      text.replace('600', '9007199254740992'),
      text.replace('ME=', 'MEA='),
      `${text}an extension\n`,
      text.replace(/^.*\n/, '\n'),
    ])
      expect(parseCheckpoint(wrong), wrong).toBeNull();
    expect(openCheckpoint(note, known)).toMatchObject({ kind: 'opened', checkpoint: { size: 600 } });
    expect(openCheckpoint(signNote('a\nb\n', signers), known)).toMatchObject({ kind: 'refused' });
  });
});

describe('the ledger key', () => {
  test('is one key, or two that both sign', () => {
    const one = parseLedgerKeys(old);
    const two = parseLedgerKeys(`${old}${next}`);
    if (one.kind !== 'keys' || two.kind !== 'keys') throw new Error('not keys');
    expect(one.keys.map((key) => key.publicKey)).toEqual([keys[0]?.publicKey]);
    expect(
      signNote(
        text,
        two.keys.map((key) => key.signerFor(name)),
      ),
    ).toEqual(note);
  });

  test('is never printed', () => {
    const [key] = keys;
    expect([`${key}`, JSON.stringify({ key }), inspect({ key })].join()).toBe(
      '[secret],{"key":"[secret]"},{ key: [secret] }',
    );
  });

  test.each([
    ['nothing', '', 'holds none'],
    ['no PEM', 'c2VjcmV0', 'holds none'],
    ['three keys', `${old}${next}${pemFrom(0x20)}`, '3 keys'],
    ['the same key twice', old + old, 'the same key twice'],
    ['half a key', old.slice(0, 60), 'cut off'],
    ['a broken key', old.replace('MC4C', 'MC5C'), 'no private key'],
    ['an X25519 key', pem('302e020100300506032b656e04220420', Buffer.alloc(32, 7)), 'x25519'],
    ['a public key', old.replaceAll('PRIVATE', 'PUBLIC'), '"PUBLIC KEY"'],
    ['a key under a passphrase', old.replaceAll('PRIVATE', 'ENCRYPTED PRIVATE'), 'passphrase'],
  ])('is not %s', (_what, value, problem) => {
    const parsed = parseLedgerKeys(value);
    expect(parsed).toMatchObject({ kind: 'wrong', problem: expect.stringContaining(problem) });
    expect(JSON.stringify(parsed)).not.toMatch(/MC4C|c2VjcmV0|AAEC/);
  });
});
