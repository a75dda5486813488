import { expect, it } from 'vitest';
import type { EditableSpec } from '../../configs/configEditor.ts';
import { describeChanges, findChanges } from './changes.ts';

const spec: EditableSpec = {
  organization: 'acme',
  endpoint: 'https://otel.example.com/x?token=one',
  headers: [{ name: 'Authorization', source: 'page', reference: null }],
  maxBatchSize: 1000,
  startFrom: 'Now',
  suspend: false,
  compression: 'gzip',
  timeoutSeconds: 10,
  filter: { eventTypes: [], excludeEventTypes: [], projects: [] },
  tls: { hasCa: false, hasClientCert: false, serverName: '', insecureSkipVerify: false },
};

it('names what changed with old and new, and new values by the name of their header alone', () => {
  const after = { ...spec, maxBatchSize: 10, filter: { ...spec.filter, projects: ['web'] } };
  expect(describeChanges(findChanges(spec, after), ['headers.Authorization'])).toEqual({
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
