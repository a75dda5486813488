import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { makeCurlCommand } from './curlCommand.ts';

const plain = { isUnverified: false, hasCa: false, hasClientCert: false };

/** The words that a shell makes of it, with a function in the place of curl. */
function wordsOf(command: string, env: Record<string, string>): string[] {
  const script = `curl() { printf '%s\\0' "$@"; }\n${command}`;
  return execFileSync('sh', ['-c', script], { env, encoding: 'utf8' }).split('\0').slice(0, -1);
}

it('is the words that were meant in a shell, whatever the record and the names hold', () => {
  const body = { text: `'; touch x #'!!"$HOME" \`id\` \\ \u009b31m \u202e é\n` };
  const headers = ["X-$'`!", 'Path', 'X-A', 'X_A'];
  const command = makeCurlCommand({
    url: new URL('https://otel.example.com/v1/logs?token=hush'),
    headers,
    tls: { isUnverified: true, hasCa: true, hasClientCert: true },
    body,
  });
  expect(command).not.toMatch(/hush|\u009b|\u202e/);
  const env = { HEADER_X_____: '1', HEADER_PATH: '2', HEADER_X_A: '3', HEADER_X_A_2: '4', QUERY: 'a=$b' };
  const words = wordsOf(command, env);
  expect(words.slice(0, 3)).toEqual(['-sS', '-i', 'https://otel.example.com/v1/logs?a=$b']);
  expect(words.filter((word) => /^(?:X|Path)/.test(word))).toEqual([
    "X-$'`!: 1",
    'Path: 2',
    'X-A: 3',
    'X_A: 4',
  ]);
  expect(words).toContain('--insecure');
  expect(JSON.parse(words.at(-1) ?? '')).toEqual(body);
});

it('leaves the address to a variable while there is none', () => {
  const command = makeCurlCommand({ url: null, headers: [], tls: plain, body: {} });
  expect(wordsOf(command, { ENDPOINT: 'https://x' })).toEqual([
    ...['-sS', '-i', 'https://x', '-H', 'Content-Type: application/json', '--data-raw', '{}'],
  ]);
});
