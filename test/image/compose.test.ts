/** docs/examples/compose.yaml: its services run in the image as they stand there, in its order, against a real Postgres. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { findFreePort } from '../../tools/freePort.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { insertEntries, numbered, openDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startReceiver } from '../tools/receiver.ts';
import { runInImage, startInImage } from './container.ts';
import { type Image, layOutImage } from './layOut.ts';

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
}

const postgres = usePostgres();
let image: Image;
beforeAll(async () => {
  image = await layOutImage();
}, 300_000);
afterAll(() => image?.remove());

test('migrates as the owner, then delivers as the collector, and is healthy', async () => {
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
  expect(await runInImage(image, [...image.entrypoint, ...(migrate.command ?? [])], at(migrate))).toEqual({
    code: 0,
    output: expect.stringMatching(
      /^Applied 0001.*\nThe role audit_export has the rights of the collector\.\n$/,
    ),
  });

  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const configs = await mkdtemp(join(tmpdir(), 'audit-export-compose-'));
  onTestFinished(() => rm(configs, { recursive: true, force: true }));
  await chmod(configs, 0o755);
  await writeFile(
    join(configs, 'acme.yaml'),
    `apiVersion: auditexport.dev/v1
kind: AuditExportConfig
metadata: {name: acme}
spec: {organization: acme, endpoint: "${receiver.endpoint}", startFrom: Beginning}
`,
  );
  await insertEntries(admin, numbered(3));
  const env = {
    ...at(collector),
    CONFIG_DIRECTORY: configs,
    OPERATIONS_ADDRESS: `127.0.0.1:${await findFreePort()}`,
  };
  const running = startInImage(image, [...image.entrypoint, ...image.command], env);
  await waitFor(() => receiver.ledger.storedCount === 3, { describe: running.output });
  const [, ...health] = collector.healthcheck?.test ?? [];
  expect(await runInImage(image, health, env)).toEqual({ code: 0, output: '' });
  running.kill('SIGTERM');
  expect(await running.exited, running.output()).toBe(0);
}, 60_000);
