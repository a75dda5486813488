/** AUTH_MODE → the authenticator. */
import type { Database } from '../../database/pool.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Authenticator } from './authenticator.ts';
import { makeLocalAuthenticator } from './local.ts';

export type AuthenticatorStart =
  | { readonly kind: 'made'; readonly authenticator: Authenticator }
  /** One sentence that names the setting. */
  | { readonly kind: 'failed'; readonly problem: string };

export async function makeAuthenticator(
  settings: Settings,
  _parts: { readonly db: Database; readonly log: Logger },
): Promise<AuthenticatorStart> {
  switch (settings.authMode) {
    case 'local':
      return { kind: 'made', authenticator: makeLocalAuthenticator() };
    default:
      return { kind: 'failed', problem: `AUTH_MODE is ${settings.authMode}, which is not there yet.` };
  }
}
