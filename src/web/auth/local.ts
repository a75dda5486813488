/** `AUTH_MODE=local`: whoever can reach the loopback address is admin of everything. For one's own machine. */
import type { Authenticator } from './authenticator.ts';

export function makeLocalAuthenticator(): Authenticator {
  return {
    middleware: null,
    async identify() {
      return {
        kind: 'known',
        viewer: { id: 'local', name: 'Local admin', administers: 'all' },
        logoutUrl: null,
      };
    },
  };
}
