/** The paths at which a receiver of logs may be, when it is not at the typed one. */
import { listPresetPaths } from '../presets/presets.ts';

const most = 10;

/** What was typed, corrected, comes first; then where known receivers take logs. */
export function listPaths(typed: string): string[] {
  const plain = typed.replace(/\/+/g, '/').replace(/\/$/, '');
  const once = plain.replace(/(?:\/v1\/logs)+$/, '/v1/logs');
  const base = once.replace(/\/v1(?:\/[^/]*)?$/, '');
  const paths = [plain, once, `${base}/v1/logs`, ...listPresetPaths()];
  return [...new Set(paths.filter((path) => path !== '' && path !== typed))].slice(0, most);
}
