/** What the chart makes of values, and which values it refuses, by the words of Helm. */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readSettings } from '../../src/settings/readSettings.ts';
import { isToolMissing, provideTool, toolTimeoutMs } from '../tools/build.ts';
import { chartFolder, combinationArgs, combinations, parseObjects, renderChart, runHelm } from './helm.ts';
import {
  type Container,
  envOf,
  findContainer,
  findObject,
  type ManifestObject,
  podSpecOf,
} from './manifest.ts';

/** What a mounted Secret holds, by the end of its path. */
const files: ReadonlyArray<readonly [end: string, content: string]> = [
  ['/url', 'postgres://a:b@c/d'],
  ['/ledger/key', String(generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }))],
];

interface PolicySpec {
  readonly podSelector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly egress: ReadonlyArray<{ readonly ports: ReadonlyArray<{ readonly port: number | string }> }>;
}

function componentOf(policy: ManifestObject): string {
  return (policy['spec'] as PolicySpec).podSelector.matchLabels['app.kubernetes.io/component'] ?? '';
}

function outgoingPorts(policy: ManifestObject): Array<number | string> {
  return (policy['spec'] as PolicySpec).egress.flatMap(({ ports }) => ports.map(({ port }) => port));
}

const minimal = { database: { existingSecret: { name: 'audit-database' } } };
const oidc = {
  ...minimal,
  page: { enabled: true, existingSecret: { name: 'audit-page' } },
  settings: {
    authMode: 'oidc',
    publicUrl: 'https://audit.example.com',
    oidcIssuer: 'https://login.example.com',
    oidcClientId: 'audit-export',
  },
};

describe.skipIf(isToolMissing('helm') || isToolMissing('helm3'))('helm', () => {
  beforeAll(async () => {
    await provideTool('helm');
    await provideTool('helm3');
  }, toolTimeoutMs);

  test.each(['everything', 'odd-names', 'directory', 'page-oidc-ingress'])(
    'makes the same of %s in Helm 3',
    async (name) => {
      // Without a cluster each assumes a version of its own.
      const args = [...combinationArgs(name), '--kube-version', '1.36.3'];
      const [objects, three] = await Promise.all(
        (['helm', 'helm3'] as const).map((helm) => renderChart(args, undefined, helm)),
      );
      expect(three).toEqual(objects);
    },
  );

  test.each(combinations)('lints %s without a warning', async (name) => {
    const { exitCode, stdout, stderr } = await runHelm([
      'lint',
      chartFolder,
      '--strict',
      ...combinationArgs(name),
    ]);
    expect(stdout + stderr).not.toMatch(/WARNING|ERROR/);
    expect(exitCode).toBe(0);
  });

  test.each(combinations)(
    'renders %s: every pod unprivileged, no token where none is needed',
    async (name) => {
      const objects = await renderChart(combinationArgs(name));
      const isDirectory = name === 'directory';
      const pods = objects.flatMap((object) => podSpecOf(object) ?? []);
      expect(pods.length).toBeGreaterThanOrEqual(2);
      for (const pod of pods) {
        const isCollector = pod.containers.some((container) => container.name === 'collector');
        expect(pod.automountServiceAccountToken).toBe(isCollector && !isDirectory);
        for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
          expect(container).toMatchObject({
            securityContext: {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            },
          });
          // Secrets come as files: what is in the environment can be read by whoever may describe the pod.
          const secret = (container.env ?? []).filter((each) =>
            JSON.stringify(each).includes('secretKeyRef'),
          );
          expect(secret).toEqual([]);
        }
      }
    },
  );

  test.each(combinations)('gives the program with %s an environment that it takes', async (name) => {
    const objects = await renderChart(combinationArgs(name));
    for (const [kind, container] of [
      ['Deployment', 'collector'],
      ['Job', 'migrate'],
    ] as const) {
      const object = objects.find((each) => each.kind === kind);
      if (object === undefined) continue;
      const env = envOf(findContainer(object, container));
      const page = kind === 'Job' ? { PAGE_ADDRESS: 'off' } : {};
      const read = readSettings(
        { ...env, ...page },
        (path) => files.find(([end]) => path.endsWith(end))?.[1] ?? 'x'.repeat(32),
      );
      expect(read).toMatchObject({ ok: true });
    }
  });

  test.each([
    { values: { ...minimal, replica: 2 }, path: /replica/ },
    { values: { ...minimal, image: { tga: '1' } }, path: /\/image.*tga/ },
    { values: { ...minimal, settings: { pollIntervalMS: 500 } }, path: /\/settings.*pollIntervalMS/ },
    { values: { ...minimal, settings: { pollIntervalMs: 10 } }, path: /\/settings\/pollIntervalMs/ },
    {
      values: { ...minimal, settings: { refusedAddresses: '10.0.0.0/8' } },
      path: /\/settings\/refusedAddresses/,
    },
    { values: { ...minimal, page: { ingress: { host: 'x' } } }, path: /\/page\/ingress.*host/ },
    {
      values: { ...minimal, networkPolicy: { egress: { database: { port: 1 } } } },
      path: /\/networkPolicy\/egress\/database.*port/,
    },
    { values: { ...minimal, rbac: { page: true } }, path: /\/rbac\/page/ },
    { values: { ...minimal, resources: { limit: {} } }, path: /\/resources.*limit/ },
  ])('refuses a value that there is not, with its path: $path', async ({ values, path }) => {
    const { exitCode, stderr } = await runHelm(['template', 'demo', chartFolder], { values });
    expect(exitCode).not.toBe(0);
    expect(stderr.replaceAll(/\n\s*/g, ' ')).toMatch(path);
  });

  test.each([
    { values: {}, words: 'There is no database' },
    {
      values: { database: { url: 'postgres://a/b', existingSecret: { name: 'x' } } },
      words: 'database.url and database.existingSecret.name are both set',
    },
    {
      values: { ...minimal, migration: { mode: 'none', existingSecret: { name: 'x' } } },
      words: 'migration.existingSecret.name is set, but migration.mode is none',
    },
    { values: { ...minimal, configs: { source: 'directory' } }, words: 'configs.volume is empty' },
    { values: { ...minimal, configs: { volume: { emptyDir: {} } } }, words: 'configs.volume is set, but' },
    {
      values: { ...minimal, configs: { source: 'directory', watchNamespace: 'a', volume: { emptyDir: {} } } },
      words: 'configs.watchNamespace is set, but',
    },
    { values: { ...minimal, page: { enabled: true } }, words: 'settings.authMode is not set' },
    {
      values: { ...minimal, page: { enabled: true }, settings: { authMode: 'local' } },
      words: 'works only on a loopback address',
    },
    {
      values: { ...minimal, page: { enabled: true }, settings: { authMode: 'oidc' } },
      words: 'settings.publicUrl is not set',
    },
    {
      values: { ...minimal, page: { enabled: true }, settings: { authMode: 'oidc' } },
      words: 'there is no session secret',
    },
    {
      values: { ...minimal, page: { enabled: true }, settings: { authMode: 'jwt' } },
      words: 'settings.jwtAudience is not set',
    },
    {
      values: { ...minimal, page: { enabled: true }, settings: { authMode: 'headers' } },
      words: 'settings.trustedProxies is not set',
    },
    {
      values: {
        ...minimal,
        page: { enabled: true },
        settings: { authMode: 'headers', trustedProxies: ['10.1.2.3'] },
      },
      words: 'extraEnv sets no PROXY_SECRET',
    },
    {
      values: { ...oidc, page: { ...oidc.page, oidcClientSecret: 'x' } },
      words: 'remove the one or the other',
    },
    { values: { ...minimal, page: { sessionSecret: 'x'.repeat(32) } }, words: 'only with page.enabled and' },
    {
      values: {
        ...oidc,
        page: {
          enabled: true,
          sessionSecret: 'x'.repeat(32),
          oidcClientSecret: 'x',
          existingSecret: { clientSecretKey: '' },
        },
      },
      words: 'page.existingSecret.clientSecretKey is empty',
    },
    {
      values: { ...minimal, page: { ingress: { enabled: true, hosts: ['a'] } } },
      words: 'page.ingress.enabled is true, but page.enabled is not',
    },
    {
      values: { ...minimal, page: { httpRoute: { enabled: true } } },
      words: 'page.httpRoute.parentRefs is empty',
    },
    {
      values: { ...oidc, page: { ...oidc.page, ingress: { enabled: true } } },
      words: 'page.ingress.hosts is empty',
    },
    {
      values: { ...minimal, rbac: { page: 'namespace' } },
      words: 'rbac.page is namespace, but page.enabled is false',
    },
    {
      values: {
        ...oidc,
        configs: { watchNamespace: 'a' },
        settings: { ...oidc.settings, pageNamespace: 'b' },
      },
      words: 'settings.pageNamespace is b',
    },
    {
      values: { ...minimal, extraEnv: [{ name: 'CONFIG_SOURCE', value: 'directory' }] },
      words: 'extraEnv sets CONFIG_SOURCE, which is already set',
    },
    {
      values: {
        ...minimal,
        extraEnv: [
          { name: 'A', value: '1' },
          { name: 'A', value: '2' },
        ],
      },
      words: 'extraEnv sets A, which is already set',
    },
    {
      values: { ...minimal, podSecurityContext: null, admissionPolicy: null },
      words: 'upgrade with --reset-then-reuse-values',
    },
    {
      values: { ...minimal, migration: { mode: 'none', collectorRole: 'x' } },
      words: 'migration.collectorRole is set, but migration.mode is none',
    },
    { values: { ...minimal, terminationGracePeriodSeconds: 29 }, words: 'a stop needs at least 30 seconds' },
  ])('refuses values that contradict each other: $words', async ({ values, words }) => {
    const { exitCode, stderr } = await runHelm(['template', 'demo', chartFolder], { values });
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain(words);
  });

  test('says all contradictions at once', async () => {
    const { stderr } = await runHelm(['template', 'demo', chartFolder], {
      values: { page: { enabled: true }, terminationGracePeriodSeconds: 1 },
    });
    expect(stderr).toContain('There is no database');
    expect(stderr).toContain('settings.authMode is not set');
    expect(stderr).toContain('a stop needs at least');
  });

  test('takes the values of a chart that has it as a part', async () => {
    await expect(renderChart([], { ...minimal, global: { anything: 1 } })).resolves.toBeDefined();
  });

  test('gives settings as the program reads them', async () => {
    const objects = await renderChart([], {
      ...oidc,
      settings: {
        ...oidc.settings,
        maxBatchBytes: 8_388_608,
        refusedAddresses: ['10.0.0.0/8', 'fd00::/8'],
        jwtJwksUrl: 'https://login.example.com/keys?a=1&b=2',
      },
    });
    expect(envOf(findContainer(findObject(objects, 'Deployment'), 'collector'))).toMatchObject({
      MAX_BATCH_BYTES: '8388608',
      REFUSED_ADDRESSES: '10.0.0.0/8,fd00::/8',
      JWT_JWKS_URL: 'https://login.example.com/keys?a=1&b=2',
      SESSION_SECRET_FILE: '/etc/audit-export/page/session-secret',
      OIDC_CLIENT_SECRET_FILE: '/etc/audit-export/page/client-secret',
      PAGE_NAMESPACE: 'audit',
    });
  });

  test('gives a pod longer to stop than the process takes, whatever shutdownGraceMs is', async () => {
    for (const shutdownGraceMs of [0, 25_000, 60_001]) {
      const objects = await renderChart([], { ...minimal, settings: { shutdownGraceMs } });
      const pod = podSpecOf(findObject(objects, 'Deployment'));
      // The process ends itself 4 s after its grace.
      expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(shutdownGraceMs / 1_000 + 4);
    }
  });

  test('starts new pods when a secret among the values has changed', async () => {
    const checksum = async (url: string) => {
      const deployment = findObject(await renderChart([], { database: { url } }), 'Deployment');
      return (deployment['spec'] as { template: { metadata: { annotations: Record<string, string> } } })
        .template.metadata.annotations['checksum/secret'];
    };
    expect(await checksum('postgres://a:b@c/d')).toMatch(/^[0-9a-f]{64}$/);
    expect(await checksum('postgres://a:b@c/d')).not.toBe(await checksum('postgres://a:e@c/d'));
  });

  test('probes never ask a receiver, and liveness not even the database', async () => {
    const collector: Container = findContainer(
      findObject(await renderChart([], minimal), 'Deployment'),
      'collector',
    );
    expect(collector.livenessProbe).toMatchObject({ httpGet: { path: '/livez', port: 'operations' } });
    expect(collector.startupProbe).toMatchObject({ httpGet: { path: '/livez', port: 'operations' } });
    expect(collector.readinessProbe).toMatchObject({ httpGet: { path: '/readyz', port: 'operations' } });
  });

  test('binds rights where the values say, and nowhere else', async () => {
    const rolesOf = async (values: unknown) =>
      (await renderChart([], values))
        .filter(({ kind }) => kind.endsWith('RoleBinding'))
        .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? '*'}/${metadata.name}`);
    const { settings, page } = oidc;
    expect(await rolesOf(minimal)).toEqual(['ClusterRoleBinding */demo-audit-export.audit']);
    expect(await rolesOf({ ...minimal, configs: { watchNamespace: 'flows' } })).toEqual([
      'RoleBinding flows/demo-audit-export.audit',
    ]);
    expect((await rolesOf({ ...oidc, rbac: { page: 'everywhere' } })).sort()).toEqual([
      'ClusterRoleBinding */demo-audit-export.audit',
      'ClusterRoleBinding */demo-audit-export.audit-page',
    ]);
    expect((await rolesOf({ ...oidc, rbac: { page: 'namespace' } })).sort()).toEqual([
      'ClusterRoleBinding */demo-audit-export.audit',
      'RoleBinding audit/demo-audit-export-page',
    ]);
    expect(
      (
        await rolesOf({
          ...minimal,
          page,
          settings,
          configs: { watchNamespace: 'flows' },
          rbac: { page: 'everywhere' },
        })
      ).sort(),
    ).toEqual([
      'RoleBinding flows/demo-audit-export.audit',
      'RoleBinding flows/demo-audit-export.audit-page',
    ]);
    expect(await rolesOf({ ...minimal, rbac: { create: false } })).toEqual([]);
  });

  test('reads every name as text, also one that looks like a number', async () => {
    const names = new Set<unknown>();
    const collect = (value: unknown, key: string): void => {
      if (Array.isArray(value)) for (const each of value) collect(each, key);
      else if (typeof value === 'object' && value !== null) {
        for (const [name, child] of Object.entries(value)) collect(child, name);
      } else if (/^(name|namespace|key|secretName|serviceAccountName|value|priorityClassName)$/.test(key)) {
        names.add(typeof value);
      } else if (key.startsWith('app.kubernetes.io/')) names.add(typeof value);
    };
    for (const [release, namespace] of [
      ['7', '2024'],
      ['y', 'on'],
      ['1e3', 'null'],
    ] as const) {
      const args = [
        'template',
        release,
        chartFolder,
        '--namespace',
        namespace,
        ...combinationArgs('odd-names'),
      ];
      const { stdout, stderr, exitCode } = await runHelm(args);
      expect(exitCode, stderr).toBe(0);
      for (const object of parseObjects(stdout)) {
        if (object.kind === 'CustomResourceDefinition') continue;
        collect({ ...object, data: {} }, '');
        if (object.metadata.namespace !== undefined)
          expect(object.metadata.namespace).toMatch(/^(2024|on|null)$/);
      }
    }
    expect([...names]).toEqual(['string']);
  });

  test('two releases of one name make no object twice', async () => {
    const namesOf = async (namespace: string) => {
      const values = {
        ...oidc,
        configs: { watchNamespace: 'shared' },
        rbac: { page: 'namespace', aggregate: true },
      };
      const args = ['template', 'demo', chartFolder, '--namespace', namespace, '--set', 'crds.enabled=false'];
      const { stdout } = await runHelm(args, { values });
      return parseObjects(stdout).map(
        ({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`,
      );
    };
    const [one, two] = [await namesOf('one'), await namesOf('two')];
    expect(one.length).toBeGreaterThan(10);
    expect(one.filter((name) => two.includes(name))).toEqual([]);
  });

  test('lets the cluster choose the users where that is asked for', async () => {
    const objects = await renderChart(combinationArgs('openshift'));
    for (const pod of objects.flatMap((object) => podSpecOf(object) ?? [])) {
      expect(JSON.stringify(pod)).not.toMatch(/runAsUser|runAsGroup|fsGroup/);
      expect(pod).toMatchObject({ securityContext: { runAsNonRoot: true } });
    }
    const collector = podSpecOf(findObject(await renderChart([], minimal), 'Deployment'));
    const ids = { runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532 };
    expect(collector).toMatchObject({ securityContext: ids });
  });

  test('listens by both families, and opens no inspector', async () => {
    const objects = await renderChart([], oidc);
    const collector = findContainer(findObject(objects, 'Deployment'), 'collector');
    expect(envOf(collector)).toMatchObject({ OPERATIONS_ADDRESS: '[::]:9090', PAGE_ADDRESS: '[::]:8080' });
    expect(collector.args).toEqual(['--disable-sigusr1', 'cmd/collector.ts']);
    expect(findContainer(findObject(objects, 'Job'), 'migrate').args[0]).toBe('--disable-sigusr1');
    expect(collector.livenessProbe).toMatchObject({ terminationGracePeriodSeconds: 5 });
  });

  test('gives labels and annotations for pods to every pod', async () => {
    const objects = await renderChart([], {
      ...minimal,
      podLabels: { 'sidecar.istio.io/inject': 'false' },
      podAnnotations: { note: 'all' },
    });
    const pods = objects.flatMap((object) => {
      if (object.kind === 'Pod') return [object.metadata];
      if (podSpecOf(object) === undefined) return [];
      return [(object['spec'] as { template: { metadata: ManifestObject['metadata'] } }).template.metadata];
    });
    expect(pods).toHaveLength(3);
    for (const { labels, annotations } of pods) {
      expect(labels).toMatchObject({ 'sidecar.istio.io/inject': 'false' });
      expect(annotations).toMatchObject({ note: 'all' });
    }
  });

  test('names every Secret that its pods use to the collector, which never sends those', async () => {
    const objects = await renderChart(
      [...combinationArgs('everything'), '--set', 'migration.existingSecret.name=owner'],
      {
        extraEnv: [{ name: 'PGUSER', valueFrom: { secretKeyRef: { name: 'env', key: 'a' } } }],
        extraVolumes: [
          { name: 'ca', secret: { secretName: 'plain' } },
          {
            name: 'b',
            projected: { sources: [{ secret: { name: 'projected' } }, { configMap: { name: 'no' } }] },
          },
        ],
        extraVolumeMounts: [],
      },
    );
    const own = envOf(findContainer(findObject(objects, 'Deployment'), 'collector'))['OWN_SECRETS'];
    const names = [
      'audit-database',
      'owner',
      'audit-page',
      'audit-metrics',
      'audit-ledger',
      'images',
      'env',
      'plain',
      'projected',
    ];
    const all = ['audit-trail', 'audit-trail-migrate', ...names].map((name) => `audit/${name}`);
    expect(own?.split(',').sort()).toEqual(all.sort());
  });

  test('has the migration give the rights to a role that is named', async () => {
    const objects = await renderChart(combinationArgs('two-roles'));
    expect(envOf(findContainer(findObject(objects, 'Job'), 'migrate'))).toMatchObject({
      COLLECTOR_ROLE: 'audit_export',
    });
  });

  test('gives the retention to the migration too, whose role may decide it', async () => {
    const objects = await renderChart([], { ...minimal, settings: { retentionDays: 365 } });
    for (const [kind, name] of [
      ['Job', 'migrate'],
      ['Deployment', 'collector'],
    ] as const)
      expect(envOf(findContainer(findObject(objects, kind), name))).toMatchObject({ RETENTION_DAYS: '365' });
  });

  test('lets the migration and the test out of a namespace that denies all else, the migration before the rest exists', async () => {
    const objects = await renderChart([], {
      ...minimal,
      networkPolicy: { enabled: true, egress: { database: { ports: [6432] } } },
    });
    const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy');
    const byComponent = new Map(
      policies.map((policy) => [
        componentOf(policy),
        { hook: policy.metadata.annotations?.['helm.sh/hook'], ports: outgoingPorts(policy) },
      ]),
    );
    expect(Object.fromEntries(byComponent)).toEqual({
      collector: { hook: undefined, ports: [53, 53, 6432, 443, 6443, 443, 4318] },
      migration: { hook: 'pre-install,pre-upgrade', ports: [53, 53, 6432] },
      test: { hook: undefined, ports: [53, 53, 'operations'] },
    });
    const weight = (object: ManifestObject) => Number(object.metadata.annotations?.['helm.sh/hook-weight']);
    const migrationPolicy = policies.find(({ metadata }) => metadata.name.endsWith('-migrate'));
    expect(weight(migrationPolicy as ManifestObject)).toBeLessThan(weight(findObject(objects, 'Job')));
  });

  test('asks for the token of /metrics where there is one, also in the ServiceMonitor', async () => {
    const objects = await renderChart(combinationArgs('everything'));
    expect(envOf(findContainer(findObject(objects, 'Deployment'), 'collector'))).toMatchObject({
      METRICS_TOKEN_FILE: '/etc/audit-export/metrics-token/token',
    });
    expect(findObject(objects, 'ServiceMonitor')).toMatchObject({
      spec: { endpoints: [{ authorization: { credentials: { name: 'audit-metrics', key: 'token' } } }] },
    });
  });

  test('mounts the key that signs the ledgers, for the collector alone', async () => {
    const objects = await renderChart(combinationArgs('everything'));
    const deployment = findObject(objects, 'Deployment');
    const collector = findContainer(deployment, 'collector');
    expect(envOf(collector)).toMatchObject({ LEDGER_KEY_FILE: '/etc/audit-export/ledger/key' });
    expect(collector).toMatchObject({
      volumeMounts: expect.arrayContaining([
        { name: 'ledger', mountPath: '/etc/audit-export/ledger', readOnly: true },
      ]),
    });
    const users = objects.filter((object) => JSON.stringify(object).includes('"secretName":"audit-ledger"'));
    expect(users).toEqual([deployment]);
    const plain = await renderChart([], minimal);
    expect(JSON.stringify(plain)).not.toContain('LEDGER_KEY');
  });

  test('keeps the CRD by default only', async () => {
    const crd = async (values: unknown) =>
      (await renderChart([], values)).find(({ kind }) => kind === 'CustomResourceDefinition');
    expect((await crd(minimal))?.metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
    expect((await crd({ ...minimal, crds: { keep: false } }))?.metadata.annotations).toBeUndefined();
    expect(await crd({ ...minimal, crds: { enabled: false } })).toBeUndefined();
    const source = parse(
      readFileSync(join(chartFolder, '../../crds/auditexportconfigs.auditexport.dev.yaml'), 'utf8'),
    );
    expect(await crd({ ...minimal, crds: { keep: false } })).toEqual(source);
  });
});
