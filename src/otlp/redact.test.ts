import { describe, expect, it } from 'vitest';
import { processorMs } from '../../tools/processorTime.ts';
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
    ['in hexadecimal', bearer, `<${Buffer.from('abcdefgh12345678').toString('hex')}>`, '<[secret]>'],
    [
      'in upper-case hexadecimal',
      bearer,
      `<${Buffer.from('abcdefgh12345678').toString('hex').toUpperCase()}>`,
      '<[secret]>',
    ],
    ['with a plus for a space', 'a/b?c&d=e f+g', 'q=a%2Fb%3Fc%26d%3De+f%2Bg', 'q=[secret]'],
    ['with every character percent-encoded', 'hunter22', '%68%75%6e%74%65%72%32%32', '[secret]'],
    [
      'an ordinary word that a secret holds',
      'Bearer authorization-12345678',
      'missing authorization header',
      'missing authorization header',
    ],
    ['an ordinary word that is one', 'tenant', 'missing tenant header', 'missing tenant header'],
    [
      'an ordinary word as a part of more',
      'Bearer authorization-12345678',
      'no authorization-12345678',
      'no [secret]',
    ],
    ['a value of one character', '1', 'HTTP/1.1 needs 1 token', 'HTTP/1.1 needs 1 token'],
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

  it.each<[what: string, name: string, value: string, text: string, expected: string]>([
    ['its own name', 'X-Api-Key', 'x-api-key', 'missing x-api-key header', 'missing x-api-key header'],
    [
      'its name before the value',
      'X-Scope-OrgID',
      'X-Scope-OrgID: tenant-acme-17',
      'no X-Scope-OrgID: header',
      'no X-Scope-OrgID: header',
    ],
    ['the value behind it', 'X-Key', 'X-Key: abcdefgh1234', 'X-Key abcdefgh1234', 'X-Key [secret]'],
    [
      'a scheme said twice',
      'Authorization',
      `Bearer ${bearer}`,
      'bad Bearer Bearer abcdefgh12345678',
      'bad Bearer Bearer [secret]',
    ],
    ['a short common word', 'X-Tenant', 'not', 'this is not a tenant', 'this is not a tenant'],
    ['a name inside the value', 'X-Key', 'secret-x-key-123', 'no secret-x-key-123', 'no [secret]'],
  ])('shows names of headers, and no value: %s', (_what, name, value, text, expected) => {
    expect(redact(text, [new Secret(value)], [name])).toBe(expected);
  });

  it('masks each of several secrets', () => {
    const secrets = [new Secret(bearer), new Secret('tenant-acme')];
    expect(redact('tenant-acme with abcdefgh12345678', secrets)).toBe('[secret] with [secret]');
  });

  it.each([0, 1, 2, 3, 4, 5])('masks it in base64 at any offset, with %i bytes before it', (before) => {
    const token = 'abcdefgh12345678';
    for (const after of ['', 'x', 'xy', 'xyz']) {
      for (const encoding of ['base64', 'base64url'] as const) {
        const echoed = Buffer.from(`${'~'.repeat(before)}${token}${after}`).toString(encoding);
        const shown = redact(echoed, [new Secret(`Bearer ${token}`)]).replace('[secret]', '');
        // The first and the last character may hold bits of it.
        expect(shown.length, echoed).toBeLessThan(echoed.length - 16);
      }
    }
  });

  it('is quick with long secrets and texts', () => {
    const secret = new Secret(`Bearer ${'abcdefgh12345678'.repeat(256)}`);
    const secrets = Array.from({ length: 8 }, () => secret);
    expect(processorMs(() => redact('authorization '.repeat(300), secrets))).toBeLessThan(500);
  });
});
