/** What a platform team does first: apply a config, see it work, break it, read what is wrong, mend it. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { isToolMissing } from '../tools/build.ts';
import { isClusterMissing, useCluster } from '../tools/cluster.ts';
import { startCollector } from '../tools/collector.ts';
import { insertEntries, migrateDatabase, numbered, uidsOf } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';
import { watchCluster } from '../tools/watchedExports.ts';
import { makeClusterCollector } from './clusterCollector.ts';
import { collectorKubeconfig, crd } from './harness.ts';

const isMissing = isClusterMissing() || isToolMissing('otelcol');

describe.skipIf(isMissing)('kubectl drives an export', () => {
  const cluster = useCluster({ prepare: (made) => made.applyFiles(crd) });
  const postgres = usePostgres({ prepare: migrateDatabase });

  test('apply, wait, get; then a broken endpoint is named in the table, and mended', {
    timeout: 120_000,
  }, async () => {
    const { current } = cluster;
    const { url, db, receiver } = await setUp(postgres);
    const otel = await startCollector({ forwardTo: receiver.endpoint });
    onTestFinished(() => otel.stop());
    const namespace = await current.createNamespace();
    const kubectl = async (args: string, input?: string): Promise<string> => {
      const result = await current.kubectl(
        [...args.split(' '), '-n', namespace],
        input === undefined ? {} : { input },
      );
      if (result.exitCode !== 0) throw new Error(`kubectl ${args}: ${result.stderr}`);
      return result.stdout;
    };
    const collector = await makeClusterCollector({
      databaseUrl: url,
      namespace,
      kubeconfig: await collectorKubeconfig(current, namespace),
    });
    watchCluster(current, namespace, { db, receiver });
    collector.start();

    await kubectl(
      'apply -f -',
      `apiVersion: v1
kind: Secret
metadata: {name: acme-siem}
stringData: {authorization: Bearer s3cr3t-of-acme}
---
apiVersion: auditexport.dev/v1
kind: AuditExportConfig
metadata: {name: acme-siem}
spec:
  organization: acme
  endpoint: ${otel.endpoint}
  startFrom: Beginning
  headers:
  - name: Authorization
    valueFrom: {secretKeyRef: {name: acme-siem, key: authorization}}
`,
    );
    await insertEntries(db, numbered(20));
    expect(await kubectl('wait --for=condition=Ready aec/acme-siem --timeout=30s')).toContain(
      'condition met',
    );
    await receiver.waitFor((r) => r.ledger.storedCount === 20);
    expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
    const row = (pattern: RegExp): Promise<string> => {
      let last = '';
      return waitFor(
        async () => {
          last = await kubectl('get aec');
          return pattern.test(last) ? last : undefined;
        },
        { timeoutMs: 10_000, describe: () => `${last}\n${collector.output().slice(-2_000)}` },
      );
    };
    expect(await row(/acme-siem +True +Delivering +0 /)).toMatch(
      /NAME +READY +REASON +PENDING +LAST DELIVERY +ENDPOINT +AGE/,
    );

    const patch = (endpoint: string): Promise<string> =>
      kubectl(`patch aec acme-siem --type=merge -p ${JSON.stringify({ spec: { endpoint } })}`);
    await patch('http://127.0.0.1:1/v1/logs');
    // What is committed before the change is known still goes to where it went.
    await row(/ http:\/\/127\.0\.0\.1:1\//);
    await insertEntries(db, numbered(5));
    await row(/acme-siem +False +ConnectionRefused +5 /);
    expect(await kubectl('get aec -o wide')).toContain('127.0.0.1:1');
    await patch(otel.endpoint);
    await row(/acme-siem +True +Delivering +0 /);
    await receiver.waitFor((r) => r.ledger.storedCount === 25);
    const yaml = await kubectl('get aec acme-siem -o yaml');
    expect(yaml).toContain('resolvedTime:');
    expect(yaml).not.toContain('s3cr3t-of-acme');
    expect(await collector.kill('SIGTERM')).toBe(0);
  });
});
