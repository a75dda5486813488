/** The built image at work in containers, against a real Postgres and a receiver. */
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { findFreePort } from '../../tools/freePort.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { toolTimeoutMs } from '../tools/build.ts';
import { insertEntries, numbered, openDatabase } from '../tools/database.ts';
import { arePackagesMissing } from '../tools/debianPackages.ts';
import { isImageBuilderMissing, provideImages } from '../tools/image.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startReceiver } from '../tools/receiver.ts';
import { setUp } from '../tools/setUp.ts';
import { type Image, runInImage, startInImage, unpackImage } from './container.ts';

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
}

const isMissing = isImageBuilderMissing() || arePackagesMissing('The image at work', { runc: 'runc' });

describe.skipIf(isMissing)('the image', () => {
  const postgres = usePostgres();
  let image: Image;
  beforeAll(async () => {
    image = await unpackImage((await provideImages()).product);
  }, toolTimeoutMs);
  afterAll(() => image?.remove());

  test('cannot be written to', async () => {
    const script = `
      const { mkdirSync, appendFileSync } = await import('node:fs');
      const tries = [() => mkdirSync('new'), () => appendFileSync('cmd/collector.ts', ' '), () => appendFileSync('src/new.ts', '')];
      for (const write of tries) try { write(); console.log('written'); } catch (error) { console.log(error.code); }
      console.log(process.getuid() + ':' + process.getgid());`;
    const { code, output } = await runInImage(image, [
      ...image.entrypoint,
      '--input-type=module',
      '-e',
      script,
    ]);
    expect({ code, output }).toEqual({ code: 0, output: 'EROFS\nEACCES\nEROFS\n65532:65532\n' });
  });

  test('starts from what was compiled when it was built, also where it may not write', async () => {
    const { code, output } = await runInImage(image, [...image.entrypoint, 'cmd/collector.ts', '--version'], {
      env: { NODE_DEBUG_NATIVE: 'COMPILE_CACHE' },
    });
    expect(code, output).toBe(0);
    const count = (text: string) => output.split(text).length - 1;
    expect(count('was accepted')).toBeGreaterThan(500);
    expect(count('was rejected') + count('was not initialized')).toBe(0);
  });

  test('migrates, delivers, shows its page, is healthy, verifies, and exits with 0 at SIGTERM', async () => {
    const { url, db, receiver } = await setUp(postgres);
    const migrated = await runInImage(image, [...image.entrypoint, 'cmd/migrate.ts'], {
      env: { DATABASE_URL: url },
    });
    expect(migrated).toMatchObject({ code: 0, output: expect.stringContaining('Applied 0001_audit.sql') });

    const configs = await makeVolume(image);
    const volumes = { '/configs': configs };
    await writeFile(join(configs, 'acme.yaml'), manifest(receiver.endpoint));
    const [pagePort, operationsPort] = [await findFreePort(), await findFreePort()];
    const env = {
      DATABASE_URL: url,
      CONFIG_SOURCE: 'directory',
      CONFIG_DIRECTORY: '/configs',
      PAGE_ADDRESS: `127.0.0.1:${pagePort}`,
      AUTH_MODE: 'local',
      OPERATIONS_ADDRESS: `0.0.0.0:${operationsPort}`,
    };
    const health = ['node', 'cmd/health.ts'];
    expect((await runInImage(image, health, { env })).code).toBe(1);

    const collector = await startInImage(image, [...image.entrypoint, ...image.command], { env, volumes });
    await insertEntries(db, numbered(20));
    await waitFor(() => receiver.ledger.storedCount === 20, { describe: collector.output });
    expect(receiver.problems).toEqual([]);
    expect(receiver.ledger.missingSequences()).toEqual([]);
    await waitFor(async () => (await readStatus(configs)).includes('reason: Delivering'), {
      describe: collector.output,
    });
    const verify = [...image.entrypoint, 'cmd/verify.ts', '--table', '--organization=acme', '--unsigned'];
    await waitFor(
      async () =>
        (await runInImage(image, verify, { env })).output.includes('\nProven in part. Every record'),
      { timeoutMs: 60_000, pollMs: 1_000, describe: collector.output },
    );

    expect(await runInImage(image, health, { env })).toEqual({ code: 0, output: '' });
    expect((await fetch(`http://127.0.0.1:${operationsPort}/readyz`)).status).toBe(200);
    const page = await fetch(`http://127.0.0.1:${pagePort}/organizations/acme/audit-logs`);
    const html = await page.text();
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    // What a browser loads comes partly from the dependencies.
    const scripts = [...html.matchAll(/(?:src|href)="(\/assets\/[^"#]+)/g)].map(([, path = '']) => path);
    expect(scripts.length).toBeGreaterThan(1);
    for (const path of scripts)
      expect((await fetch(`http://127.0.0.1:${pagePort}${path}`)).status, path).toBe(200);

    collector.kill('SIGTERM');
    expect(await collector.exited, collector.output()).toBe(0);
    const after = await runInImage(image, health, { env });
    expect(after.code).toBe(1);
    expect(after.output).toMatch(
      new RegExp(`^http://127.0.0.1:${operationsPort}/livez does not answer: .*ECONNREFUSED.*\\.\n$`),
    );
  }, 120_000);

  test('runs the services of docs/examples/compose.yaml, as they stand there and in their order', async () => {
    const compose = parse(await readFile('docs/examples/compose.yaml', 'utf8')) as {
      services: Record<'database' | 'migrate' | 'audit-export', Service>;
      configs: { roles: { content: string } };
    };
    const { database, migrate, 'audit-export': collector } = compose.services;
    const url = await postgres.createDatabase();
    const admin = openDatabase(url);
    onTestFinished(() => admin.end());
    const { POSTGRES_USER: owner = '', POSTGRES_PASSWORD: password = '' } = database.environment;
    await admin.query(`create role "${owner}" login superuser password '${password}'`);
    await admin.query(compose.configs.roles.content);
    onTestFinished(async () => {
      await admin.query(`drop owned by "${owner}", audit_export cascade; drop role "${owner}", audit_export`);
    });
    /** The server of the tests instead of the service `database`. */
    const at = ({ environment }: Service): Record<string, string> => {
      const given = new URL(environment['DATABASE_URL'] ?? '');
      expect([given.hostname, given.port, given.pathname]).toEqual([
        'database',
        '5432',
        `/${database.environment['POSTGRES_DB']}`,
      ]);
      const moved = Object.assign(new URL(url), { username: given.username, password: given.password });
      return { ...environment, DATABASE_URL: moved.href };
    };

    expect(migrate.image).toBe(collector.image);
    expect(
      await runInImage(image, [...image.entrypoint, ...(migrate.command ?? [])], { env: at(migrate) }),
    ).toEqual({
      code: 0,
      output: expect.stringMatching(
        /^Applied 0001.*\nThe role audit_export has the rights of the collector\.\n$/,
      ),
    });

    const receiver = await startReceiver();
    onTestFinished(() => receiver.stop());
    const configs = await makeVolume(image);
    await writeFile(join(configs, 'acme.yaml'), manifest(receiver.endpoint));
    await insertEntries(admin, numbered(3));
    const env: Record<string, string> = {
      ...at(collector),
      OPERATIONS_ADDRESS: `127.0.0.1:${await findFreePort()}`,
    };
    const running = await startInImage(image, [...image.entrypoint, ...image.command], {
      env,
      volumes: { [`${env['CONFIG_DIRECTORY']}`]: configs },
    });
    await waitFor(() => receiver.ledger.storedCount === 3, { describe: running.output });
    const [, ...health] = collector.healthcheck?.test ?? [];
    expect(await runInImage(image, health, { env })).toEqual({ code: 0, output: '' });
    running.kill('SIGTERM');
    expect(await running.exited, running.output()).toBe(0);
  }, 60_000);
});

/** A folder from outside that the image's user may write to, for manifests and statuses. */
async function makeVolume(image: Image): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'audit-export-volume-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await chown(folder, image.user.uid, image.user.gid);
  return folder;
}

function readStatus(folder: string): Promise<string> {
  return readFile(join(folder, 'acme.status.yaml'), 'utf8').catch(() => '');
}

function manifest(endpoint: string): string {
  return `apiVersion: auditexport.dev/v1
kind: AuditExportConfig
metadata: {name: acme}
spec:
  organization: acme
  endpoint: ${endpoint}
  startFrom: Beginning
`;
}
