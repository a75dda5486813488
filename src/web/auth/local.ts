/** `AUTH_MODE=local`: everybody who can reach the loopback address administers everything. For your own machine. */
import type { Request } from 'express';
import { isLoopbackName } from '../../settings/loopback.ts';
import { sendProblem } from '../reply/reply.ts';
import type { Authenticator } from './authenticator.ts';

export function makeLocalAuthenticator(): Authenticator {
  return {
    /**
     * A site can point its own name at 127.0.0.1 and read this page as its own (DNS rebinding); the Host header then
     * carries that name.
     */
    middleware(request, response, next) {
      if (isLoopbackName(hostOf(request))) {
        next();
        return;
      }
      sendProblem(request, response, 421, {
        title: 'This page is only for this machine',
        message: 'Open it as http://localhost, or choose an AUTH_MODE other than local.',
      });
    },
    async identify() {
      return {
        kind: 'known',
        viewer: { id: 'local', name: 'Local admin', administers: 'all' },
        logoutUrl: null,
      };
    },
  };
}

/** Without the port. */
function hostOf(request: Request): string {
  return (request.get('Host') ?? '').replace(/:\d*$/, '');
}
