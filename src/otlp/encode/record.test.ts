import { describe, expect, test } from 'vitest';
import { encodeAndDecode, makeEntry } from '../../../tools/otlp/testEntries.ts';

describe('RecordEncoder', () => {
  test('carries every column of an entry', () => {
    expect(encodeAndDecode(makeEntry({ id: 77n }))).toEqual({
      timeUnixNano: 1_784_000_000_123_456_000n,
      observedTimeUnixNano: 1_784_000_001_000_000_000n,
      severityNumber: 9,
      eventName: 'flow.created',
      body: new Map([['flowId', 42n]]),
      uid: '0f8fad5b-d9cb-469f-a165-70867728950e',
      sequence: 1,
      attributes: new Map<string, unknown>([
        ['log.record.uid', '0f8fad5b-d9cb-469f-a165-70867728950e'],
        ['audit.stream.id', 'directory/flows/acme-siem'],
        ['audit.entry.id', 77n],
        ['audit.sequence.number', 1n],
        ['audit.event.type', 'flow.created'],
        ['user.id', 'u-17'],
        ['user.name', 'Ada'],
        ['audit.session.type', 'api_key'],
        ['audit.project.id', 'web'],
      ]),
    });
  });

  test('leaves out what is null', () => {
    const { attributes } = encodeAndDecode(makeEntry({ actorId: null, actorName: null, project: null }));
    expect([...attributes.keys()]).toEqual([
      'log.record.uid',
      'audit.stream.id',
      'audit.entry.id',
      'audit.sequence.number',
      'audit.event.type',
      'audit.session.type',
    ]);
  });

  test('keeps an empty text, which is not null', () => {
    const empty = Buffer.alloc(0);
    const { attributes } = encodeAndDecode(makeEntry({ actorId: empty, actorName: empty, project: empty }));
    expect(['user.id', 'user.name', 'audit.project.id'].map((key) => attributes.get(key))).toEqual([
      '',
      '',
      '',
    ]);
  });

  test.each([0n, 127n, 128n, 2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -1n, -(2n ** 63n)])(
    'keeps the id %d',
    (id) => {
      expect(encodeAndDecode(makeEntry({ id })).attributes.get('audit.entry.id')).toBe(id);
    },
  );

  test.each([1, 63, 64, 100, 110, 120, 127, 128, 300, 16_384, 100_000])(
    'keeps texts of %d characters',
    (length) => {
      for (const character of ['x', 'é', '😀']) {
        const text = character.repeat(length);
        const bytes = Buffer.from(text);
        const columns = {
          eventType: bytes,
          actorId: bytes,
          actorName: bytes,
          sessionType: bytes,
          project: bytes,
        };
        const { attributes, eventName } = encodeAndDecode(makeEntry(columns));
        const keys = ['audit.event.type', 'user.id', 'user.name', 'audit.session.type', 'audit.project.id'];
        expect([eventName, ...keys.map((key) => attributes.get(key))].every((value) => value === text)).toBe(
          true,
        );
      }
    },
  );

  test.each([4, 200])(
    'passes text that is not UTF-8 on as bytes, and repairs it only where bytes cannot go (%d bytes)',
    (length) => {
      const bytes = Buffer.alloc(length, 'x');
      bytes[1] = 0xff;
      const { attributes, eventName } = encodeAndDecode(makeEntry({ eventType: bytes, actorName: bytes }));
      expect(Buffer.from(attributes.get('user.name') as Uint8Array)).toEqual(bytes);
      expect(Buffer.from(attributes.get('audit.event.type') as Uint8Array)).toEqual(bytes);
      expect(eventName).toBe(`x\ufffd${'x'.repeat(length - 2)}`);
    },
  );
});
