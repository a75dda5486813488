/**
 * Opens sockets for undici: the guard's word on every address, and the destination's TLS.
 */
import { isIP } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import type { TlsOptions } from '../model/exportConfig.ts';
import type { AddressGuard } from './addressGuard.ts';
import { AddressRefusedError, makeGuardedLookup, type ResolveName } from './guardedLookup.ts';

/**
 * With several addresses the next one is tried after this long. Node's 250 ms gives up on receivers that are merely
 * far away.
 */
const nextAddressAfterMs = 1_000;

export function makeConnector(options: {
  readonly guard: AddressGuard;
  readonly resolveName: ResolveName;
  readonly connectTimeoutMs: number;
  /** Absent for http. */
  readonly secure?: { readonly tls: TlsOptions; readonly context: SecureContext };
}): buildConnector.connector {
  const { guard, secure } = options;
  const connect = buildConnector({
    timeout: options.connectTimeoutMs,
    allowH2: false,
    lookup: makeGuardedLookup(guard, options.resolveName),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: nextAddressAfterMs,
    ...(secure && {
      secureContext: secure.context,
      rejectUnauthorized: !secure.tls.insecureSkipVerify,
      ...(secure.tls.serverName !== undefined && { servername: secure.tls.serverName }),
    }),
  });
  return (target, callback) => {
    // Sockets do not look up a literal address, so the guarded lookup never sees it.
    const refusal = isIP(target.hostname) ? guard.check(target.hostname) : null;
    if (!refusal) return connect(target, (...result) => callback(...keepFirstError(result)));
    queueMicrotask(() => callback(new AddressRefusedError(refusal), null));
  };
}

/**
 * A receiver that wants a client certificate says so, under TLS 1.3, after the handshake and then closes. undici would
 * report the closing instead of what was said; a socket destroyed with the first error keeps it.
 */
function keepFirstError(result: Parameters<buildConnector.Callback>): Parameters<buildConnector.Callback> {
  const socket = result[1];
  if (socket instanceof TLSSocket) socket.once('error', (error) => socket.destroy(error));
  return result;
}
