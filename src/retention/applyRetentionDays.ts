/** Makes the setting RETENTION_DAYS hold, or says why it does not. */
import type { Database } from '../database/pool.ts';
import { useRetentionDays } from '../database/retention.ts';
import type { Logger } from '../telemetry/logger.ts';

/** @throws the database's error. */
export async function applyRetentionDays(db: Database, days: number | null, log: Logger): Promise<void> {
  const used = await useRetentionDays(db, days);
  if (used.kind === 'in-force' || days === null) return;
  const period = used.keep ?? 'forever';
  if (used.kind === 'overruled') {
    log.warn(
      { days, inForce: period },
      `RETENTION_DAYS is ${days}, but audit.set_retention('*', …) has set ${period}, which counts: leave one of the two out, with select audit.unset_retention('*') or without the setting.`,
    );
    return;
  }
  log.warn(
    { days, inForce: period },
    `RETENTION_DAYS is ${days}, but the period in force is ${period}, and this role may not change it: set RETENTION_DAYS for the migration too, or as the owner of the schema run select audit.set_retention('*', '${days} days').`,
  );
}
