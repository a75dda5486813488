import { expect, it } from 'vitest';
import { toLocalPath } from './returnTo.ts';

it.each(['/', '/organizations/acme/audit-logs', '/organizations/a%2Fb/audit-logs?q=a%20b&type=x'])(
  'leaves %s as it is',
  (path) => {
    expect(toLocalPath(path)).toBe(path);
  },
);

it.each([
  'https://evil.example',
  '//evil.example',
  '//evil.example/x',
  '/\\evil.example/x',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/.//evil.example',
  '/x/..//evil.example',
  'javascript:alert(1)',
  ' /x',
  'x',
  '',
  '/login',
  '/login/callback?code=1',
  '/logout',
  '/signed-out',
  `/${'x'.repeat(2_000)}`,
  undefined,
  ['/a', '/b'],
])('leads home instead of to %j', (path) => {
  expect(toLocalPath(path)).toBe('/');
});

it('drops what a browser would not send', () => {
  expect(toLocalPath('/organizations/acme/audit-logs#top')).toBe('/organizations/acme/audit-logs');
});
