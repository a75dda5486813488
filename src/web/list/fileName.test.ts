import { expect, it } from 'vitest';
import { attachment, fileName } from './fileName.ts';

const day = new Date('2026-02-03T23:59:59Z');

it.each([
  ['acme', 'audit-logs-acme-2026-02-03.csv', 'audit-logs-acme-2026-02-03.csv'],
  ['Zürich AG', 'audit-logs-Zurich-AG-2026-02-03.csv', 'audit-logs-Z%C3%BCrich-AG-2026-02-03.csv'],
  ['日本', 'audit-logs-2026-02-03.csv', 'audit-logs-%E6%97%A5%E6%9C%AC-2026-02-03.csv'],
  ['../etc/"x"\r\n: 1', 'audit-logs-..-etc-x-1-2026-02-03.csv', 'audit-logs-..-etc-x-1-2026-02-03.csv'],
  ["a'b(c)*!", 'audit-logs-a-b-c-2026-02-03.csv', 'audit-logs-a%27b%28c%29-%21-2026-02-03.csv'],
  ['\u202etxt.exe', 'audit-logs-txt.exe-2026-02-03.csv', 'audit-logs--txt.exe-2026-02-03.csv'],
])('the file of %s has a name that is safe everywhere', (organization, ascii, encoded) => {
  expect(attachment(fileName(organization, day, 'csv'))).toBe(
    `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`,
  );
});

it('the longest name still fits a file system', () => {
  expect(Buffer.byteLength(fileName('😀'.repeat(256), day, 'ndjson'))).toBeLessThan(255);
});
