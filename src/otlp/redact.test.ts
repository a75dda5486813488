import { describe, expect, it } from 'vitest';
import { Secret } from '../model/secret.ts';
import { redact } from './redact.ts';

const bearer = 'Bearer abcdefgh12345678';
const basic = `Basic ${Buffer.from('ada:correct-horse').toString('base64')}`;
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('redact', () => {
  it.each<[what: string, secret: string, text: string, expected: string]>([
    ['the whole value', bearer, `got Bearer abcdefgh12345678.`, 'got Bearer [secret].'],
    ['without its scheme', bearer, 'bad token abcdefgh12345678', 'bad token [secret]'],
    ['in other case', bearer, 'ABCDEFGH12345678', '[secret]'],
    ['cut at its end', bearer, 'token "abcdefgh12..." unknown', 'token "[secret]..." unknown'],
    ['cut at its beginning', bearer, '…gh12345678', '…[secret]'],
    ['twice', bearer, 'abcdefgh12345678,abcdefgh12345678', '[secret],[secret]'],
    ['in base64', bearer, `<${base64('abcdefgh12345678')}>`, '<[secret]==>'],
    ['with its scheme in base64', bearer, `<${base64(bearer).replace(/=+$/, '')}>`, '<[secret]>'],
    ['percent-encoded', 'a/b?c&d=e f+g', 'q=a%2Fb%3Fc%26d%3De%20f%2Bg', 'q=[secret]'],
    ['in JSON', 'say "hello" twice', '{"h":"say \\"hello\\" twice"}', '{"h":"[secret]"}'],
    ['Basic credentials', basic, `no ${basic.slice(6)}`, 'no [secret]'],
    ['Basic credentials decoded', basic, 'user ada:correct-horse unknown', 'user [secret] unknown'],
    ['the password alone', basic, 'wrong password correct-horse', 'wrong password [secret]'],
    ['Api-Token', 'Api-Token dt0c01.ABCDEFGH', 'dt0c01.ABCDEFGH', '[secret]'],
    ['a short one as a word', 'acme', 'no tenant acme, or "ACME"', 'no tenant [secret], or "[secret]"'],
    ['a short one inside words', 'acme', 'acmeology', 'acmeology'],
    ['a short one with signs', 'a.b*', 'is a.b* here', 'is [secret] here'],
    ['an empty one', '', 'nothing', 'nothing'],
    ['none of it', bearer, 'the token is unknown', 'the token is unknown'],
    ['fewer than eight characters of it', bearer, 'abcdefg 2345678', 'abcdefg 2345678'],
    ['beside letters that grow in lower case', bearer, 'İİİ abcdefgh12345678 İ', 'İİİ [secret] İ'],
  ])('%s', (_what, secret, text, expected) => {
    expect(redact(text, [new Secret(secret)])).toBe(expected);
  });

  it('masks each of several secrets', () => {
    const secrets = [new Secret(bearer), new Secret('tenant-acme')];
    expect(redact('tenant-acme with abcdefgh12345678', secrets)).toBe('[secret] with [secret]');
  });
});
