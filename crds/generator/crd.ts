/** The CustomResourceDefinition of AuditExportConfig and the tables of README.md, as text. */
import { stringify } from 'yaml';
import { configApiVersion, configKind, manifestSchema, specSchema } from '../../src/configs/schema.ts';
import { renderFieldTable } from './fieldTable.ts';
import { renderReasonTable } from './reasonTable.ts';
import { celRules, mayHoldCredentials } from './rules.ts';
import { statusJsonSchema } from './statusSchema.ts';
import { type StructuralSchema, toStructuralSchema } from './structuralSchema.ts';

const ready = '.status.conditions[?(@.type=="Ready")]';

/** What `kubectl get aec` shows; priority 1: only with `-o wide`. */
const columns = [
  { name: 'Ready', type: 'string', jsonPath: `${ready}.status`, description: 'Whether entries get through.' },
  { name: 'Reason', type: 'string', jsonPath: `${ready}.reason`, description: 'Why, in one word.' },
  {
    name: 'Pending',
    type: 'integer',
    jsonPath: '.status.pendingEntries',
    description: 'Entries that are not delivered yet.',
  },
  {
    name: 'Last delivery',
    type: 'date',
    jsonPath: '.status.lastDeliveryTime',
    description: 'How long ago the receiver last accepted entries.',
  },
  {
    name: 'Endpoint',
    type: 'string',
    // Not the spec's: the query, where some receivers expect a token, is not for every screen.
    jsonPath: '.status.resolvedEndpoint',
    description: 'The URL that entries are posted to.',
  },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  {
    name: 'Message',
    type: 'string',
    priority: 1,
    jsonPath: `${ready}.message`,
    description: 'What happened and what to do.',
  },
];

const [Group = '', Version = ''] = configApiVersion.split('/');

const header =
  '# Generated from src/configs/schema.ts and crds/generator by `node crds/generate.ts`: change it there.\n';

export function renderCrd(): string {
  return header + stringify(makeCrd(), { lineWidth: 0, aliasDuplicateObjects: false });
}

/** By the name of its place in README.md. */
export function renderTables(): ReadonlyMap<string, string> {
  return new Map([
    ['spec', renderFieldTable('spec', specJsonSchema)],
    ['status', renderFieldTable('status', statusJsonSchema)],
    ['reasons', renderReasonTable()],
  ]);
}

const specJsonSchema = toStructuralSchema(specSchema, 'spec', {
  rules: celRules,
  standOutside: mayHoldCredentials,
  listMapKeys: { 'spec.headers': ['name'] },
});

function makeCrd() {
  const root: StructuralSchema = {
    description: manifestSchema.description ?? '',
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { description: manifestSchema.shape.apiVersion.description ?? '', type: 'string' },
      kind: { description: manifestSchema.shape.kind.description ?? '', type: 'string' },
      metadata: { type: 'object' },
      spec: specJsonSchema,
      status: statusJsonSchema,
    },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `auditexportconfigs.${Group}`,
      labels: { 'app.kubernetes.io/name': 'audit-export' },
    },
    spec: {
      group: Group,
      scope: 'Namespaced',
      names: {
        kind: configKind,
        listKind: `${configKind}List`,
        plural: 'auditexportconfigs',
        singular: 'auditexportconfig',
        shortNames: ['aec'],
        categories: ['audit'],
      },
      versions: [
        {
          name: Version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          // kubectl get aec --field-selector spec.organization=acme
          selectableFields: [{ jsonPath: '.spec.organization' }],
          schema: { openAPIV3Schema: root },
        },
      ],
    },
  };
}
