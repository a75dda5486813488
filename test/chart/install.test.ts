/**
 * An empty cluster, `helm install`, one `kubectl apply`, and an entry arrives: with the rights, the environment and the
 * files that the chart gives, and no others. Then an upgrade, an uninstall, and back again, without losing one.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { findFreePort } from '../../tools/freePort.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { applySecret } from '../kubernetes/harness.ts';
import { isToolMissing, provideTool, toolTimeoutMs } from '../tools/build.ts';
import { isClusterMissing, useCluster } from '../tools/cluster.ts';
import { insertEntries, numbered, openDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startReceiver } from '../tools/receiver.ts';
import { makeRole } from '../tools/roles.ts';
import { createRestrictedNamespace } from './dryRun.ts';
import { chartFolder, type HelmVersion, runHelm } from './helm.ts';
import { whileHooksRun } from './hooks.ts';
import { type ContainerProcess, startContainer } from './kubelet.ts';
import type { ManifestObject } from './manifest.ts';

const isMissing = isClusterMissing() || isToolMissing('helm') || isToolMissing('helm3');

describe.skipIf(isMissing)('a release', () => {
  const cluster = useCluster();
  const postgres = usePostgres();
  beforeAll(async () => {
    await provideTool('helm');
    await provideTool('helm3');
  }, toolTimeoutMs);

  test.each<HelmVersion>(['helm', 'helm3'])(
    'installs by %s, delivers, is tested, upgraded, uninstalled and installed again: each entry arrives once',
    {
      timeout: 120_000,
    },
    async (version) => {
      const { current } = cluster;
      const namespace = await createRestrictedNamespace(current, `audit-${version}`);
      // The chart keeps it, for one release.
      onTestFinished(async () => {
        await current.kubectl(['delete', 'crd', 'auditexportconfigs.auditexport.dev']);
      });
      const home = await mkdtemp(join(tmpdir(), 'audit-export-helm-'));
      onTestFinished(() => rm(home, { recursive: true, force: true }));
      const ownerUrl = await postgres.createDatabase();
      const db = openDatabase(ownerUrl);
      onTestFinished(() => db.end());
      const collectorRole = await makeRole(db, ownerUrl);
      const receiver = await startReceiver();
      onTestFinished(() => receiver.stop());
      await applySecret(current, namespace, 'audit-database', {
        collector: collectorRole.url,
        owner: ownerUrl,
      });

      const port = await findFreePort();
      const operations = `http://127.0.0.1:${port}`;
      const node = {
        cluster: current,
        namespace,
        translate: (value: string) =>
          value.replace(`http://trail-audit-export-operations.${namespace}:9090`, operations),
      };
      const values = {
        database: { existingSecret: { name: 'audit-database', key: 'collector' } },
        migration: { existingSecret: { name: 'audit-database', key: 'owner' } },
        operations: { port },
        // What follows counts entries.
        settings: { statusIntervalMs: 1_000, configChangeEntries: 'omit' },
      };
      const helm = async (args: readonly string[], more?: unknown) => {
        const { result, runs } = await whileHooksRun(node, () =>
          runHelm([...args, '--namespace', namespace, '--timeout', '60s'], {
            kubeconfig: current.adminKubeconfigPath,
            home,
            helm: version,
            ...(more !== undefined && { values: more }),
          }),
        );
        if (result.exitCode !== 0)
          throw new Error(`helm ${args[0]}: ${result.stderr}${JSON.stringify(runs)}`);
        return { text: result.stdout, runs };
      };
      const kubectl = async (args: string, input = ''): Promise<string> => {
        const result = await current.kubectl([...args.split(' '), '-n', namespace], { input });
        if (result.exitCode !== 0) throw new Error(`kubectl ${args}: ${result.stderr}`);
        return result.stdout;
      };
      const startCollector = async (): Promise<ContainerProcess> => {
        const deployment: ManifestObject = JSON.parse(
          await kubectl('get deployment trail-audit-export -o json'),
        );
        return startContainer(node, deployment, 'collector');
      };
      const isReady = async () => (await fetch(`${operations}/readyz`).catch(() => undefined))?.ok;

      const installed = await helm(['install', 'trail', chartFolder], values);
      expect(installed.runs).toEqual([
        {
          name: 'trail-audit-export-migrate-1',
          exitCode: 0,
          output: expect.stringContaining('Applied 0001'),
        },
      ]);
      expect(installed.text).toContain('select audit.grant_collector');
      await db.query('select audit.grant_collector($1)', [collectorRole.role]);

      // As the notes say: apply a config, see it work.
      const first = await startCollector();
      await waitFor(isReady, { describe: first.output });
      await kubectl(
        'apply -f -',
        `apiVersion: v1
kind: Secret
metadata: {name: acme-siem}
stringData: {authorization: Bearer s3cr3t}
---
apiVersion: auditexport.dev/v1
kind: AuditExportConfig
metadata: {name: acme}
spec:
  organization: acme
  endpoint: ${receiver.endpoint}
  headers:
  - name: Authorization
    valueFrom: {secretKeyRef: {name: acme-siem, key: authorization}}
`,
      );
      await waitFor(async () => /NothingSent|Delivering/.test(await kubectl('get aec')), {
        describe: first.output,
      });
      await insertEntries(db, numbered(1));
      await receiver.waitFor((r) => r.ledger.storedCount === 1);
      await waitFor(async () => / True +Delivering +0 /.test(await kubectl('get aec')), {
        describe: first.output,
      });

      // What the alert AuditExportWithoutSender counts: a suspended export has a sender, one without its Secret has none.
      await kubectl(
        'apply -f -',
        `apiVersion: auditexport.dev/v1
kind: AuditExportConfig
metadata: {name: suspended}
spec: {organization: globex, endpoint: "${receiver.endpoint}", suspend: true}
---
apiVersion: auditexport.dev/v1
kind: AuditExportConfig
metadata: {name: broken}
spec:
  organization: globex
  endpoint: ${receiver.endpoint}
  headers: [{name: X-Token, valueFrom: {secretKeyRef: {name: missing, key: token}}}]
`,
      );
      let metrics = '';
      const counts = [
        'audit_export_configs 3',
        'audit_export_config_problems 1',
        'audit_export_leases_held 2',
      ];
      await waitFor(
        async () => {
          metrics = await (await fetch(`${operations}/metrics`)).text();
          return counts.every((line) => metrics.includes(`\n${line}\n`));
        },
        {
          describe: () =>
            metrics
              .split('\n')
              .filter((line) => line.startsWith('audit_export_'))
              .join('\n'),
        },
      );
      await kubectl('delete aec suspended broken');

      const tested = await helm(['test', 'trail']);
      expect(tested.runs).toEqual([
        { name: 'trail-audit-export-test', exitCode: 0, output: expect.stringContaining('It is ready') },
      ]);

      // An upgrade migrates first, with the old collector running; then the new one takes over, with the page.
      const pagePort = await findFreePort();
      const page = {
        page: { enabled: true, port: pagePort },
        rbac: { page: 'namespace' },
        settings: {
          configChangeEntries: 'omit',
          logLevel: 'debug',
          authMode: 'jwt',
          jwtJwksUrl: 'http://127.0.0.1:1/keys',
          jwtIssuer: 'issuer',
          jwtAudience: 'audience',
        },
      };
      const upgraded = await helm(['upgrade', 'trail', chartFolder], { ...values, ...page });
      expect(upgraded.runs).toEqual([
        { name: 'trail-audit-export-migrate-2', exitCode: 0, output: expect.stringContaining('up to date') },
      ]);
      await insertEntries(db, numbered(1));
      await receiver.waitFor((r) => r.ledger.storedCount === 2);
      expect(await first.stop()).toBe(0);
      const second = await startCollector();
      await waitFor(isReady, { describe: second.output });
      await insertEntries(db, numbered(1));
      await receiver.waitFor((r) => r.ledger.storedCount === 3);
      expect(second.output()).toContain('"level":"debug"');
      expect(second.output()).not.toMatch(/forbidden|may not/i);
      // Nobody is let in without a token, and the rights are there to save with.
      expect((await fetch(`http://127.0.0.1:${pagePort}/`)).status).toBe(401);
      const account = `--as=system:serviceaccount:${namespace}:trail-audit-export`;
      const may = async (verb: string) =>
        (
          await current.kubectl(['auth', 'can-i', ...verb.split(' '), account, '-n', namespace])
        ).stdout.trim();
      expect(await may('create aec')).toBe('yes');
      expect(await may('list secrets')).toBe('no');

      // What stays after an uninstall: configs, and how far each is.
      await helm(['uninstall', 'trail']);
      expect(await second.stop()).toBe(0);
      expect(
        await kubectl('get deployments,jobs,services,serviceaccounts,poddisruptionbudgets -o name'),
      ).not.toContain('trail');
      expect(await kubectl('get clusterroles,clusterrolebindings -o name')).not.toContain(
        `trail-audit-export.${namespace}`,
      );
      expect(await kubectl('get aec -o name')).toBe('auditexportconfig.auditexport.dev/acme\n');
      expect((await db.query('select delivered::int from audit.streams where delivered > 0')).rows).toEqual([
        { delivered: 3 },
      ]);

      await insertEntries(db, numbered(1));
      await helm(['install', 'trail', chartFolder], values);
      const third = await startCollector();
      await receiver.waitFor((r) => r.ledger.storedCount === 4);
      expect(await third.stop()).toBe(0);
      expect(receiver.records.map(({ attributes }) => attributes.get('audit.sequence.number'))).toEqual([
        1n,
        2n,
        3n,
        4n,
      ]);
    },
  );
});
