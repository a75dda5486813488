/** The checkpoints of ledgers that the statuses of configs keep. */
import type { LedgerStatus } from '../model/streamStatus.ts';
import type { ConfigState } from './configSource.ts';
import type { ConfigStates } from './configStates.ts';

/** Whose entries a manifest is about; null: it does not say. */
export function organizationOf(state: ConfigState): string | null {
  const spec = state.kind === 'valid' ? state.config.spec : (state.lastGood?.spec ?? state.spec);
  return spec?.organization ?? null;
}

/** Who keeps what the manifest's status says of a ledger, for people. */
export function keeperOf(state: ConfigState): string {
  const { namespace, name } = state.kind === 'valid' ? state.config : state;
  return `the status of ${namespace}/${name}`;
}

export async function listClaims(
  states: ConfigStates,
  readLedger: (key: string) => Promise<LedgerStatus | null>,
) {
  const organizations = new Set<string>();
  const keepers: string[] = [];
  const claims: Array<LedgerStatus & { organization: string; keeper: string }> = [];
  for (const [key, state] of states) {
    const organization = organizationOf(state);
    if (organization === null) continue;
    organizations.add(organization);
    const ledger = await readLedger(key);
    const keeper = keeperOf(state);
    keepers.push(keeper);
    if (ledger) claims.push({ ...ledger, organization, keeper });
  }
  return { organizations: [...organizations], keepers, claims };
}
