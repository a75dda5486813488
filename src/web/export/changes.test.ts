import { expect, it } from 'vitest';
import { toEditableSpec } from '../../configs/editor/editableSpec.ts';
import { Secret } from '../../model/secret.ts';
import { describeChanges, findChanges } from './changes.ts';

const headers = [
  { name: 'Authorization', valueFrom: { secretKeyRef: { name: 'siem-audit-export', key: 'a' } } },
];
const spec = toEditableSpec(
  { organization: 'acme', endpoint: 'https://otel.example.com/x?token=one', headers },
  'siem',
);

it('names what changed with old and new, and new values by the name of their header alone', () => {
  const after = { ...spec, maxBatchSize: 10, 'filter.projects': ['web'] };
  const draft = {
    headers: [{ name: 'Authorization', value: { set: new Secret('hush') } }],
    'tls.caSecretRef': 'kept',
    'tls.clientCertSecretRef': 'none',
  } as const;
  expect(describeChanges(spec, after, draft)).toEqual({
    changed: ['maxBatchSize', 'filter.projects', 'headers.Authorization (value)'],
    changes: { maxBatchSize: { from: 1000, to: 10 }, 'filter.projects': { from: [], to: ['web'] } },
  });
});

it('tells that a query changed, and never what it is', () => {
  const changes = findChanges(spec, { ...spec, endpoint: 'https://otel.example.com/x?token=two' });
  expect(changes.map(({ field }) => field)).toEqual(['endpoint']);
  expect(JSON.stringify(changes)).not.toMatch(/one|two/);
});

it('finds nothing between two that are the same', () => {
  expect(findChanges(spec, structuredClone(spec))).toEqual([]);
});
