/** values.schema.json: what Helm refuses, with the path, before it renders a template. */
import { choice, closed, flag, type JsonSchema, list, open, text, whole, words } from './jsonSchema.ts';
import { settingSchemas } from './settingValues.ts';
import type { ChartValue } from './values.ts';

const port = whole(1, 65_535);
const userId: JsonSchema = { type: ['integer', 'null'], minimum: 1, maximum: 4_294_967_295 };
const secretKey = closed({ name: text(), key: text({ minLength: 1 }) });
const quantities: JsonSchema = { type: 'object', additionalProperties: { type: ['string', 'number'] } };
const peers = list(closed({ ipBlock: open, namespaceSelector: open, podSelector: open }));
const egress = closed({ ports: list(port), to: peers });

const schema = closed({
  nameOverride: text({ maxLength: 50 }),
  fullnameOverride: text({ maxLength: 50 }),
  image: closed({
    repository: text({ minLength: 1 }),
    tag: text(),
    digest: text({ pattern: '^(sha256:[0-9a-f]{64})?$' }),
    pullPolicy: choice('Always', 'IfNotPresent', 'Never'),
  }),
  imagePullSecrets: list(closed({ name: text({ minLength: 1 }) }, ['name'])),
  replicas: whole(0, 100),
  database: closed({ url: text({ pattern: '^(postgres(ql)?://.+)?$' }), existingSecret: secretKey }),
  migration: closed({
    mode: choice('hook', 'initContainer', 'none'),
    existingSecret: secretKey,
    collectorRole: text({ maxLength: 63 }),
    activeDeadlineSeconds: whole(1, 604_800),
    backoffLimit: whole(0, 100),
  }),
  configs: closed({ source: choice('kubernetes', 'directory'), watchNamespace: text(), volume: open }),
  page: closed({
    enabled: flag,
    port,
    sessionSecret: text({ pattern: '^(.{32,})?$' }),
    oidcClientSecret: text(),
    existingSecret: closed({
      name: text(),
      sessionSecretKey: text({ minLength: 1 }),
      clientSecretKey: text(),
    }),
    service: closed({ type: choice('ClusterIP', 'NodePort', 'LoadBalancer'), port, annotations: words }),
    ingress: closed({
      enabled: flag,
      className: text(),
      annotations: words,
      hosts: list(text({ minLength: 1 })),
      tls: list(closed({ secretName: text(), hosts: list(text()) })),
    }),
    httpRoute: closed({
      enabled: flag,
      annotations: words,
      parentRefs: list(
        closed({ group: text(), kind: text(), name: text(), namespace: text(), sectionName: text(), port }, [
          'name',
        ]),
      ),
      hostnames: list(text({ minLength: 1 })),
    }),
  }),
  operations: closed({
    port,
    service: closed({ annotations: words }),
    metricsToken: closed({ existingSecret: secretKey }),
  }),
  ledger: closed({ existingSecret: secretKey }),
  settings: closed(settingSchemas(), ['shutdownGraceMs']),
  crds: closed({ enabled: flag, keep: flag }),
  rbac: closed({ create: flag, page: choice('none', 'namespace', 'everywhere'), aggregate: flag }),
  admissionPolicy: closed({ enabled: flag }),
  serviceAccount: closed({ create: flag, name: text(), annotations: words }),
  podAnnotations: words,
  podLabels: words,
  podSecurityContext: closed({ runAsUser: userId, runAsGroup: userId, fsGroup: userId }),
  resources: closed({ requests: quantities, limits: quantities }),
  terminationGracePeriodSeconds: { type: ['integer', 'null'], minimum: 1, maximum: 7_200 },
  priorityClassName: text(),
  nodeSelector: words,
  tolerations: list(
    closed({
      key: text(),
      operator: choice('Exists', 'Equal'),
      value: text(),
      effect: choice('NoSchedule', 'PreferNoSchedule', 'NoExecute'),
      tolerationSeconds: { type: 'integer' },
    }),
  ),
  affinity: closed({ nodeAffinity: open, podAffinity: open, podAntiAffinity: open }),
  topologySpreadConstraints: list(open),
  podDisruptionBudget: closed({
    enabled: flag,
    maxUnavailable: { type: ['integer', 'string'], minimum: 1, pattern: '^[1-9][0-9]?[0-9]?%$' },
  }),
  extraEnv: list(closed({ name: text({ minLength: 1 }), value: text(), valueFrom: open }, ['name'])),
  extraVolumes: list({ ...open, required: ['name'] }),
  extraVolumeMounts: list(
    closed({ name: text(), mountPath: text(), subPath: text(), readOnly: flag }, ['name', 'mountPath']),
  ),
  networkPolicy: closed({
    enabled: flag,
    ingress: closed({ page: peers, operations: peers }),
    egress: closed({
      dns: closed({ ports: list(port) }),
      database: egress,
      apiServer: egress,
      receivers: egress,
      extra: list(open),
    }),
  }),
  serviceMonitor: closed({ enabled: flag, labels: words, interval: text(), scrapeTimeout: text() }),
  prometheusRule: closed({
    enabled: flag,
    labels: words,
    runbookUrl: text({ minLength: 1 }),
    disabled: list(text()),
    thresholds: closed({
      behindSeconds: whole(60, 31_536_000),
      farBehindSeconds: whole(60, 31_536_000),
    }),
  }),
  dashboard: closed({ enabled: flag, labels: words, annotations: words }),
});

/** The schema, with the comment of each value in values.yaml as its description. */
export function makeValuesSchema(values: readonly ChartValue[]): JsonSchema {
  const { properties, ...rest } = describe(schema, '', new Map(values.map((value) => [value.path, value])));
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart audit-export',
    ...rest,
    // Helm passes them to a chart that is part of another chart.
    properties: { ...(properties as Record<string, JsonSchema>), global: open },
  };
}

function describe(node: JsonSchema, path: string, values: ReadonlyMap<string, ChartValue>): JsonSchema {
  const value = values.get(path);
  const properties = node['properties'] as Record<string, JsonSchema> | undefined;
  return {
    ...node,
    ...(value && { description: value.description }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, child]) => [
          key,
          describe(child, path === '' ? key : `${path}.${key}`, values),
        ]),
      ),
    }),
  };
}
