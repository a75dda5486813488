/** Applies the database migrations and exits: as a chart's Job, in an init container, or by hand. */
import { checkServer, grantCollector } from '../src/database/check.ts';
import { describeDatabaseFailure } from '../src/database/failure.ts';
import { migrate, readMigrations } from '../src/database/migrate.ts';
import { makePool } from '../src/database/pool.ts';
import { useRetentionDays } from '../src/database/retention.ts';
import { fail, openCommand, openSettings } from './shell.ts';

openCommand({
  name: 'node cmd/migrate.ts',
  summary:
    'Brings the schema audit of the database DATABASE_URL (or DATABASE_URL_FILE) up to date, makes RETENTION_DAYS hold, gives the role COLLECTOR_ROLE, if set, the rights of the collector, and exits. Any number of these may run at once.',
  withSettings: false,
});
const { DATABASE_URL, DATABASE_URL_FILE, COLLECTOR_ROLE, RETENTION_DAYS, RETENTION_DAYS_FILE } = process.env;
const { databaseUrl, retentionDays } = openSettings({
  DATABASE_URL,
  DATABASE_URL_FILE,
  RETENTION_DAYS,
  RETENTION_DAYS_FILE,
  PAGE_ADDRESS: 'off',
});
const db = makePool({ url: () => databaseUrl, size: 1, onIdleError: () => {} });
const server = await checkServer(db);
if (server.kind === 'failed') fail([server.problem]);
try {
  const result = await migrate(db, await readMigrations(), (sentence) =>
    process.stderr.write(`${sentence}\n`),
  );
  if (result.kind === 'too-new') fail([result.problem]);
  else {
    process.stdout.write(
      result.applied.length === 0 ? 'The schema is up to date.\n' : `Applied ${result.applied.join(', ')}.\n`,
    );
    const used = await useRetentionDays(db, retentionDays);
    if (used.kind !== 'in-force')
      process.stderr.write(
        `RETENTION_DAYS is ${retentionDays}, but ${used.kind === 'overruled' ? "audit.set_retention('*', …) counts" : 'this role may not decide it'}: entries are kept ${used.keep ?? 'forever'}.\n`,
      );
    if (COLLECTOR_ROLE) {
      const problem = await grantCollector(db, COLLECTOR_ROLE);
      if (problem !== null) fail([problem]);
      process.stdout.write(`The role ${COLLECTOR_ROLE} has the rights of the collector.\n`);
    }
  }
} catch (error) {
  fail([
    `The migration failed and left nothing behind: ${describeDatabaseFailure(error)} ${(error as Error).message}`,
  ]);
}
await db.end();
