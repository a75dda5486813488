/** The settings of one process, checked and typed as the rows of `table.ts` say; `readSettings.ts` makes them. */
import type { Setting } from './setting.ts';
import type { settingsTable } from './table.ts';

type SettingsTable = typeof settingsTable;

/** An optional setting that is not set is null. */
export type Settings = {
  readonly [K in keyof SettingsTable]: SettingsTable[K] extends Setting<infer T> ? T : never;
};
