/** How the settings of the program appear under `settings` of the chart. */
import type { Setting } from '../../src/settings/setting.ts';
import { settingsTable } from '../../src/settings/table.ts';
import type { JsonSchema } from './jsonSchema.ts';

export interface SettingValue {
  /** `pollIntervalMs` for POLL_INTERVAL_MS. */
  readonly key: string;
  readonly setting: Setting<unknown>;
}

/** What the chart decides by other values, and what is given in a file. */
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
  ['OPERATIONS_ADDRESS', '`operations.port`'],
  ['METRICS_TOKEN', '`operations.metricsToken`'],
  ['REPLICA_NAME', 'the name of the pod'],
]);

export function listSettings(): SettingValue[] {
  return Object.values(settingsTable).map((setting: Setting<unknown>) => ({
    key: setting.name.toLowerCase().replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    setting,
  }));
}

/** The settings that are values, each with the schema of its value. */
export function settingSchemas(): Record<string, JsonSchema> {
  const rows = listSettings().filter(({ setting }) => !decided.has(setting.name));
  return Object.fromEntries(
    rows.map(({ key, setting }) => [key, { ...schemaOf(setting.type), description: setting.doc }]),
  );
}

function schemaOf(type: string): JsonSchema {
  const range = /^whole number, (\d+) to (\d+)$/.exec(type);
  if (range) return { type: 'integer', minimum: Number(range[1]), maximum: Number(range[2]) };
  const choice = /^one of (.*)$/.exec(type)?.[1];
  if (choice !== undefined) return { type: 'string', enum: choice.split(', ') };
  if (type.startsWith('list of ')) return { type: 'array', items: { type: 'string', pattern: '^[^,]+$' } };
  if (type === 'JSON object') {
    return {
      type: 'object',
      additionalProperties: { type: 'array', items: { type: 'string', minLength: 1 } },
    };
  }
  return { type: 'string', minLength: 1 };
}
