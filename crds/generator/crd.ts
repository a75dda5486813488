/** The CustomResourceDefinition of AuditExportConfig and the tables of README.md, as text. */
import { stringify } from 'yaml';
import { API_VERSION, KIND, manifestSchema, specSchema } from '../../src/configs/schema.ts';
import { renderFieldTable } from './fieldTable.ts';
import { renderReasonTable } from './reasonTable.ts';
import { mayHoldCredentials, RULES } from './rules.ts';
import { STATUS_SCHEMA } from './statusSchema.ts';
import { type StructuralSchema, toStructuralSchema } from './structuralSchema.ts';

const READY = '.status.conditions[?(@.type=="Ready")]';

/** What `kubectl get aec` shows; priority 1: only with `-o wide`. */
const COLUMNS = [
  { name: 'Ready', type: 'string', jsonPath: `${READY}.status`, description: 'Whether entries get through.' },
  { name: 'Reason', type: 'string', jsonPath: `${READY}.reason`, description: 'Why, in one word.' },
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
    jsonPath: `${READY}.message`,
    description: 'What happened and what to do.',
  },
];

const [GROUP = '', VERSION = ''] = API_VERSION.split('/');

const HEADER =
  '# Generated from src/configs/schema.ts and crds/generator by `node crds/generate.ts`: change it there.\n';

export function renderCrd(): string {
  return HEADER + stringify(makeCrd(), { lineWidth: 0, aliasDuplicateObjects: false });
}

/** By the name of its place in README.md. */
export function renderTables(): ReadonlyMap<string, string> {
  return new Map([
    ['spec', renderFieldTable('spec', SPEC_SCHEMA)],
    ['status', renderFieldTable('status', STATUS_SCHEMA)],
    ['reasons', renderReasonTable()],
  ]);
}

const SPEC_SCHEMA = toStructuralSchema(specSchema, 'spec', {
  rules: RULES,
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
      spec: SPEC_SCHEMA,
      status: STATUS_SCHEMA,
    },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `auditexportconfigs.${GROUP}`,
      labels: { 'app.kubernetes.io/name': 'audit-export' },
    },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: 'auditexportconfigs',
        singular: 'auditexportconfig',
        shortNames: ['aec'],
        categories: ['audit'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: COLUMNS,
          // kubectl get aec --field-selector spec.organization=acme
          selectableFields: [{ jsonPath: '.spec.organization' }],
          schema: { openAPIV3Schema: root },
        },
      ],
    },
  };
}
