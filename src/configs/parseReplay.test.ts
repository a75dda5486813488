import { expect, test } from 'vitest';
import { parseReplay } from './parseReplay.ts';

const parse = (value: string) => parseReplay({ 'auditexport.dev/replay': value });

test('takes two times, as they are written', () => {
  const request = '2026-11-01T00:00:00Z/2026-11-02T01:30:00.123456+01:00';
  expect(parse(request)).toEqual({
    kind: 'asked',
    replay: { since: '2026-11-01T00:00:00Z', until: '2026-11-02T01:30:00.123456+01:00', request },
  });
  // Less than JavaScript's clock tells apart.
  expect(parse('2026-11-01T00:00:00.0001Z/2026-11-01T00:00:00.0002Z').kind).toBe('asked');
  expect(parseReplay({})).toEqual({ kind: 'none' });
  expect(parseReplay(null)).toEqual({ kind: 'none' });
});

test.each([
  ['', 'write FROM/UNTIL, such as'],
  ['2026-11-01T00:00:00Z', 'write FROM/UNTIL, such as'],
  ['2026-11-01T00:00:00Z/', 'write FROM/UNTIL, such as'],
  ['2026-11-01T00:00:00Z/2026-11-02T00:00:00Z/x', 'write FROM/UNTIL, such as'],
  ['2026-11-01/2026-11-02', '"2026-11-01" is not a time; write FROM/UNTIL, such as'],
  ['2026-02-30T00:00:00Z/2026-11-02T00:00:00Z', '"2026-02-30T00:00:00Z" is not a time'],
  ['Beginning/2026-11-02T00:00:00Z', '"Beginning" is not a time'],
  ['2026-11-02T00:00:00Z/2026-11-01T00:00:00Z', 'FROM must be before UNTIL.'],
  ['2026-11-02T00:00:00Z/2026-11-02T01:00:00+01:00', 'FROM must be before UNTIL.'],
])('says of %j what is wrong', (value, problem) => {
  const parsed = parse(value);
  expect(parsed.kind === 'wrong' && parsed.remark.message).toContain(
    `The annotation auditexport.dev/replay is ${JSON.stringify(value)}, so nothing is sent again: `,
  );
  expect(parsed.kind === 'wrong' && parsed.remark.message).toContain(problem);
});
