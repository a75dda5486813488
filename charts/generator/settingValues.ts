/** The settings of the program as they appear under `settings` of the chart. */
import type { Setting } from '../../src/settings/setting.ts';
import { settingsTable } from '../../src/settings/table.ts';
import type { JsonSchema } from './jsonSchema.ts';

export interface SettingValue {
  /** As `valueKey` makes it. */
  readonly key: string;
  readonly setting: Setting<unknown>;
}

/** The settings that are not under `settings`, and what decides each of them instead. A secret must be here. */
export const decided: ReadonlyMap<string, string> = new Map([
  ['DATABASE_URL', '`database`'],
  ['CONFIG_SOURCE', '`configs.source`'],
  ['CONFIG_DIRECTORY', '`configs.volume`'],
  ['WATCH_NAMESPACE', '`configs.watchNamespace`'],
  ['OWN_SECRETS', 'every Secret that the chart mounts'],
  ['PAGE_ADDRESS', '`page.enabled`, `page.port`'],
  ['OIDC_CLIENT_SECRET', '`page.existingSecret`, `page.oidcClientSecret`'],
  ['SESSION_SECRET', '`page.existingSecret`, `page.sessionSecret`'],
  ['SESSION_SECRET_PREVIOUS', '`extraEnv`, from a Secret'],
  ['PROXY_SECRET', '`extraEnv`, from a Secret'],
  ['LEDGER_KEY', '`ledger.existingSecret`'],
  ['OPERATIONS_ADDRESS', '`operations.port`'],
  ['METRICS_TOKEN', '`operations.metricsToken`'],
  ['REPLICA_NAME', 'the name of the pod'],
]);

/** `pollIntervalMs` for POLL_INTERVAL_MS. */
export function valueKey(name: string): string {
  return name.toLowerCase().replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

export function listSettings(): SettingValue[] {
  return Object.values(settingsTable).map((setting: Setting<unknown>) => ({
    key: valueKey(setting.name),
    setting,
  }));
}

/** The settings that are values, each with the schema of its value. */
export function settingSchemas(): Record<string, JsonSchema> {
  const rows = listSettings().filter(({ setting }) => !decided.has(setting.name));
  return Object.fromEntries(
    rows.map(({ key, setting }) => [key, { ...setting.json, description: setting.doc }]),
  );
}
