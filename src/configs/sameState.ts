/** Tells whether the state of a config has changed; sources keep the old object if not. */
import type { ExportConfig } from '../model/exportConfig.ts';
import type { ConfigState } from './configSource.ts';

/** Whether both, which have the same key, say the same. */
export function isSameState(a: ConfigState, b: ConfigState): boolean {
  if (a.kind === 'valid' || b.kind === 'valid') {
    return a.kind === 'valid' && b.kind === 'valid' && isSameConfig(a.config, b.config);
  }
  return (
    a.generation === b.generation &&
    a.reason === b.reason &&
    a.problems.join('\n') === b.problems.join('\n') &&
    isSameConfig(a.lastGood, b.lastGood)
  );
}

/** The generation stands for the spec, the fingerprint for what Secrets hold. */
function isSameConfig(a: ExportConfig | null, b: ExportConfig | null): boolean {
  return (
    a?.generation === b?.generation &&
    a?.destination.fingerprint === b?.destination.fingerprint &&
    a?.reconcileAt === b?.reconcileAt &&
    showRemarks(a) === showRemarks(b)
  );
}

function showRemarks(config: ExportConfig | null): string {
  return (config?.remarks ?? []).map(({ message }) => message).join('\n');
}
