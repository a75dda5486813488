/** docs/getting-started.md, done as it says, with this machine's addresses in place of the page's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findFreePort } from '../../tools/freePort.ts';
import { killWithParent } from '../../tools/killWithParent.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { whileHooksRun } from '../chart/hooks.ts';
import { isToolMissing, provideTool } from '../tools/build.ts';
import { isClusterMissing, useCluster } from '../tools/cluster.ts';
import { openDatabase } from '../tools/database.ts';
import { findOnPath } from '../tools/findOnPath.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startReceiver } from '../tools/receiver.ts';
import { readCodeBlocks } from './codeBlocks.ts';

const repository = join(import.meta.dirname, '../..');
const isPsqlMissing = findOnPath('psql') === undefined;
if (isPsqlMissing) process.stderr.write('SKIPPED: the first steps, which need psql.\n');

/** The shell blocks under a heading. */
async function readSteps(heading: string): Promise<string[]> {
  const blocks = await readCodeBlocks('docs/getting-started.md');
  return blocks.filter((one) => one.heading === heading && one.language === 'sh').map(({ text }) => text);
}

interface Shell {
  /** @throws Error with the output, when a command fails. */
  run(script: string): Promise<string>;
  /** Runs until the test ends. */
  start(script: string): () => string;
}

function makeShell(cwd: string, env: Readonly<Record<string, string>>): Shell {
  const begin = (script: string) => {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
      cwd,
      env: { PATH: process.env['PATH'], HOME: cwd, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
      });
    }
    const unwatch = killWithParent(child.pid ?? 0, 'TERM');
    const ended = once(child, 'close').finally(unwatch);
    onTestFinished(async () => {
      child.kill('SIGTERM');
      await ended;
    });
    return { child, ended, output: () => output };
  };
  return {
    async run(script) {
      const { child, ended, output } = begin(script);
      await ended;
      if (child.exitCode !== 0) throw new Error(`${script}\n${output()}`);
      return output();
    },
    start: (script) => begin(script).output,
  };
}

describe.skipIf(isPsqlMissing)('on your Postgres', () => {
  const postgres = usePostgres();

  test('an entry of the product arrives at the receiver, and is on the page', {
    timeout: 60_000,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'audit-export-first-steps-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    for (const name of ['cmd', 'src', 'views', 'node_modules', 'package.json', 'package-lock.json']) {
      await symlink(join(repository, name), join(folder, name));
    }
    const receiver = await startReceiver();
    onTestFinished(() => receiver.stop());
    const url = new URL(await postgres.createDatabase());
    const ports = { '9090': await findFreePort(), '8080': await findFreePort(), '4318': receiver.port };
    const adapt = (step: string): string =>
      Object.entries(ports)
        .reduce((text, [from, to]) => text.replaceAll(`127.0.0.1:${from}`, `127.0.0.1:${to}`), step)
        .replaceAll('USER:PASSWORD@', `${url.username}:${url.password}@`)
        .replaceAll('HOST:5432/DATABASE', `${url.host}${url.pathname}`)
        // The shell goes, and the signal that ends it reaches the collector.
        .replace(/^npm run collector$/m, 'exec npm run collector');
    const [schema = '', config = '', collector = '', entry = ''] = (await readSteps('On your Postgres')).map(
      adapt,
    );

    const shell = makeShell(folder, {});
    await shell.run(schema);
    await shell.run(config);
    const output = shell.start(collector);
    const readStatus = () => readFile(join(folder, 'configs/acme.status.yaml'), 'utf8').catch(() => '');
    await waitFor(async () => (await readStatus()).includes('reason: NothingSent'), {
      timeoutMs: 40_000,
      describe: output,
    });
    expect(await shell.run(entry)).toContain('INSERT 0 1');
    await waitFor(() => receiver.ledger.storedCount === 1, { describe: output });

    const page = await readFile(join(repository, 'docs/getting-started.md'), 'utf8');
    const [, address = ''] = /<(http:\/\/127\.0\.0\.1:8080\/[^>]+)>/.exec(page) ?? [];
    const answer = await fetch(adapt(address));
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('flow.created')]);
  });
});

const isClusterPartMissing = isPsqlMissing || isClusterMissing() || isToolMissing('helm');

describe.skipIf(isClusterPartMissing)('on a cluster', () => {
  const cluster = useCluster();
  const postgres = usePostgres();

  test('the commands install the chart, and apply an export', { timeout: 120_000 }, async () => {
    const { current } = cluster;
    const home = await mkdtemp(join(tmpdir(), 'audit-export-first-steps-'));
    onTestFinished(() => rm(home, { recursive: true, force: true }));
    await symlink(join(repository, 'charts'), join(home, 'charts'));
    const ownerUrl = await postgres.createDatabase();
    const db = openDatabase(ownerUrl);
    onTestFinished(() => db.end());
    await db.query('create role audit_export login; create role my_product login');
    const shell = makeShell(home, {
      PATH: [
        dirname(await provideTool('helm')),
        dirname(await provideTool('kubectl')),
        process.env['PATH'],
      ].join(delimiter),
      KUBECONFIG: current.adminKubeconfigPath,
      REGISTRY: 'registry.example.com',
      OWNER_URL: ownerUrl,
      COLLECTOR_URL: ownerUrl,
      TOKEN: 't0ken',
    });
    // The image has tests of its own; pods are not started by an API server alone.
    const steps = (await readSteps('On a cluster')).filter((step) => !step.startsWith('docker '));
    expect(steps).toHaveLength(3);
    const node = { cluster: current, namespace: 'audit', translate: (value: string) => value };
    const { result, runs } = await whileHooksRun(node, async () => {
      let output = '';
      for (const step of steps) output += await shell.run(step.replace(/^.* rollout status .*$/m, ''));
      return output;
    });
    expect(runs).toMatchObject([{ exitCode: 0 }]);
    expect(result).toContain('deployed');
    expect(result).toMatch(/acme-siem/);

    const [pod] = (
      await current.kubectl(['-n', 'audit', 'get', 'deployment/audit-export', '-o', 'json'])
    ).stdout.match(/"image": "[^"]+"/) ?? [''];
    expect(pod).toBe('"image": "registry.example.com/audit-export:0.1.0"');
    const rights = await db.query<{ may: boolean }>(
      `select has_table_privilege('audit_export', 'audit.streams', 'UPDATE') as may`,
    );
    expect(rights.rows).toEqual([{ may: true }]);
  });
});
