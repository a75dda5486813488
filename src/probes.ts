/** Puts the probes together: what liveness and readiness ask, in sentences. */
import { checkServer, checkTables } from './database/check.ts';
import type { Migration } from './database/migrate.ts';
import type { Database } from './database/pool.ts';
import type { CheckResult } from './operations/checks.ts';
import { type OperationsServer, startOperationsServer } from './operations/operationsServer.ts';
import type { Settings } from './settings/table.ts';
import type { Logger } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';

export interface Probed {
  readonly db: Database;
  readonly migrations: readonly Migration[];
  /** Every manifest has been read once, and what they ask for has begun. */
  readonly isConfigRead: () => boolean;
  readonly isMoving: () => boolean;
}

export function startProbes(
  settings: Settings,
  metrics: Metrics,
  log: Logger,
  { db, migrations, isConfigRead, isMoving }: Probed,
): Promise<OperationsServer> {
  return startOperationsServer({
    address: settings.operationsAddress,
    checks: {
      database: async () => toResult(await checkServer(db), 'The database answers.'),
      migrations: async () => toResult(await checkTables(db, migrations), 'The schema is up to date.'),
      configs: async () =>
        isConfigRead()
          ? { ok: true, message: 'Every manifest has been read.' }
          : { ok: false, message: 'The manifests have not been read yet.' },
    },
    metrics,
    metricsToken: settings.metricsToken,
    isAlive: () =>
      isMoving()
        ? { ok: true, message: 'The process runs.' }
        : { ok: false, message: 'The delivery has not moved for ten minutes.' },
    logger: log,
  });
}

function toResult(check: { kind: 'ok' } | { kind: 'failed'; problem: string }, fine: string): CheckResult {
  return check.kind === 'ok' ? { ok: true, message: fine } : { ok: false, message: check.problem };
}
