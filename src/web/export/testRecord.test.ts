import { expect, it } from 'vitest';
import { decodeRequest } from '../../../tools/otlp/otlpProto.ts';
import { makeTestRequest } from './testRecord.ts';

const input = {
  serviceName: 'audit-export',
  version: '1.2.3',
  organization: 'acme',
  viewer: { id: 'u-17', name: 'Ada "the" Ünïcode' },
  now: 1_767_225_600_123,
};

it('makes one marked record, as every other record is made', () => {
  const { resource, scope, records } = decodeRequest(makeTestRequest(input));
  expect(records).toHaveLength(1);
  const [record] = records;
  expect(resource.get('audit.organization.id')).toBe('acme');
  expect(scope).toEqual({ name: 'audit-export', version: '1.2.3' });
  expect(record?.eventName).toBe('audit_export.test');
  expect(record?.attributes.get('audit.test')).toBe(true);
  expect(record?.attributes.get('audit.event.type')).toBe('audit_export.test');
  expect(record?.attributes.get('user.name')).toBe('Ada "the" Ünïcode');
  expect(record?.attributes.get('audit.stream.id')).toBe('test');
  expect(record?.sequence).toBe(0);
  expect(JSON.stringify([...((record?.body ?? new Map()) as Map<string, unknown>)])).toContain('sentBy');
});

it('gives every test a uid of its own, so that none is dropped as a repeat', () => {
  const uids = [makeTestRequest(input), makeTestRequest(input)].map(
    (body) => decodeRequest(body).records[0]?.uid,
  );
  expect(uids[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(uids[0]).not.toBe(uids[1]);
});
