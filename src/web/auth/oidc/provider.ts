/**
 * Reads the identity provider's metadata, in the background until it succeeds: a provider that is away keeps people from
 * signing in, and nothing else.
 */
import { setTimeout as delay } from 'node:timers/promises';
import * as client from 'openid-client';
import type { Secret } from '../../../model/secret.ts';
import type { Logger } from '../../../telemetry/logger.ts';

export interface ProviderOptions {
  readonly issuer: URL;
  readonly clientId: string;
  /** null: a public client. */
  readonly clientSecret: Secret | null;
  readonly log: Logger;
}

export interface Provider {
  /** null: its metadata has not been read yet. */
  current(): client.Configuration | null;
  stop(): void;
}

/** Timeout of each request to the provider. */
const timeoutSeconds = 10;
const firstDelayMs = 500;
const longestDelayMs = 15_000;

export function openProvider(options: ProviderOptions): Provider {
  const stopped = new AbortController();
  let configuration: client.Configuration | null = null;
  void discoverUntilDone(options, stopped.signal, (found) => {
    configuration = found;
  });
  return { current: () => configuration, stop: () => stopped.abort() };
}

async function discoverUntilDone(
  options: ProviderOptions,
  signal: AbortSignal,
  onFound: (configuration: client.Configuration) => void,
): Promise<void> {
  const { issuer, log } = options;
  for (let delayMs = firstDelayMs; !signal.aborted; delayMs = Math.min(2 * delayMs, longestDelayMs)) {
    try {
      onFound(await discover(options));
      log.info({ issuer: issuer.href }, 'page: the identity provider is there');
      return;
    } catch (error) {
      const level = delayMs === firstDelayMs ? 'warn' : 'debug';
      log[level](
        { err: error, issuer: issuer.href },
        'page: the metadata of OIDC_ISSUER cannot be read, so nobody can sign in; trying again',
      );
    }
    await delay(delayMs, undefined, { signal, ref: false }).catch(() => {});
  }
}

function discover({ issuer, clientId, clientSecret }: ProviderOptions): Promise<client.Configuration> {
  return client.discovery(issuer, clientId, undefined, authenticateClient(clientSecret), {
    timeout: timeoutSeconds,
    // The ID token comes over TLS from the provider itself; its signature is checked anyway.
    execute: [
      client.enableNonRepudiationChecks,
      ...(issuer.protocol === 'http:' ? [client.allowInsecureRequests] : []),
    ],
  });
}

/** A provider that says nothing accepts `client_secret_basic` (RFC 8414, section 2). */
function authenticateClient(secret: Secret | null): client.ClientAuth {
  if (secret === null) return client.None();
  const basic = client.ClientSecretBasic(secret.reveal());
  const post = client.ClientSecretPost(secret.reveal());
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    return methods.includes('client_secret_basic') ? basic(server, ...rest) : post(server, ...rest);
  };
}
