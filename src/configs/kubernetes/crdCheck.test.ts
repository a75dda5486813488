import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ExportStatus } from '../../model/streamStatus.ts';
import { dropMissingFields, findMissingFields } from './crdCheck.ts';

const crd = new URL('../../../crds/auditexportconfigs.auditexport.dev.yaml', import.meta.url);

/** As the API server publishes it, changed before. */
function publish(change: (schema: Record<string, unknown>) => void = () => {}): unknown {
  const schema = parse(readFileSync(crd, 'utf8')).spec.versions[0].schema.openAPIV3Schema;
  change(schema);
  const kind = { group: 'auditexport.dev', version: 'v1', kind: 'AuditExportConfig' };
  return {
    components: {
      schemas: {
        'dev.auditexport.v1.AuditExportConfigList': {
          'x-kubernetes-group-version-kind': [{ ...kind, kind: 'AuditExportConfigList' }],
        },
        'dev.auditexport.v1.AuditExportConfig': { ...schema, 'x-kubernetes-group-version-kind': [kind] },
      },
    },
  };
}

/** Properties below `path`, through the items of lists. */
function propertiesAt(schema: unknown, ...path: string[]): Record<string, unknown> {
  let node = schema as { properties: Record<string, unknown>; items?: unknown };
  for (const name of path) {
    node = node.properties[name] as typeof node;
    if (node.items !== undefined) node = node.items as typeof node;
  }
  return node.properties;
}

describe('the fields that a definition lacks', () => {
  it('are none in the one that is shipped', () => {
    expect(findMissingFields(publish())).toEqual([]);
  });

  it('are found at every depth, in lists too', () => {
    const document = publish((schema) => {
      delete propertiesAt(schema, 'spec')['suspend'];
      delete propertiesAt(schema, 'spec', 'headers', 'valueFrom')['secretKeyRef'];
      delete propertiesAt(schema, 'status', 'conditions')['observedGeneration'];
      delete propertiesAt(schema, 'status', 'lastError')['httpStatus'];
    });
    expect(findMissingFields(document)).toEqual([
      'spec.headers.valueFrom.secretKeyRef',
      'spec.suspend',
      'status.conditions.observedGeneration',
      'status.lastError.httpStatus',
    ]);
  });

  it('are none where the definition keeps what it does not know, or knows more', () => {
    const document = publish((schema) => {
      Object.assign(propertiesAt(schema), {
        status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      });
      propertiesAt(schema, 'spec')['later'] = { type: 'string' };
    });
    expect(findMissingFields(document)).toEqual([]);
  });

  it.each([[null], [{}], [{ components: { schemas: { other: {} } } }], ['text']])(
    'are not known from %j',
    (document) => {
      expect(findMissingFields(document)).toBeNull();
    },
  );

  it('are left out of a status, and nothing else is', () => {
    const condition = { type: 'Ready', status: 'True', reason: 'Delivering', message: '' } as const;
    const times = { lastTransitionTime: '2026-01-31T08:00:00Z', observedGeneration: 2 };
    const status: ExportStatus = {
      observedGeneration: 2,
      conditions: [{ ...condition, ...times }],
      lastError: { time: '2026-01-31T08:00:00Z', reason: 'Timeout', message: '', httpStatus: 504 },
      rejectedEntries: 1,
    };
    const lacking = ['spec.filter', 'status.rejectedEntries', 'status.lastError.httpStatus'];
    expect(dropMissingFields(status, lacking)).toEqual({
      observedGeneration: 2,
      conditions: status.conditions,
      lastError: { time: '2026-01-31T08:00:00Z', reason: 'Timeout', message: '' },
    });
    expect(dropMissingFields(status, ['status.conditions', 'status.lastError'])).toEqual({
      observedGeneration: 2,
      rejectedEntries: 1,
    });
  });
});
