/**
 * The identity provider: its metadata, read in the background until that succeeds, its keys, and how the page authenticates to
 * it. A provider that is away keeps people from signing in, and nothing else.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import * as client from 'openid-client';
import type { Secret } from '../../../model/secret.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { describeFailure } from './describeFailure.ts';

export interface ProviderOptions {
  readonly issuer: URL;
  readonly clientId: string;
  /** null: a public client. Revealed at each use, so that it can be replaced. */
  readonly clientSecret: Secret | null;
  readonly log: Logger;
}

export interface Provider {
  /** null: its metadata has not been read yet. */
  current(): client.Configuration | null;
  /** Why there is no configuration: no answer, or one that is not about OIDC_ISSUER. */
  readonly problem: 'away' | 'wrong issuer';
  /** Completes a login. @throws whatever openid-client and jose throw. */
  redeem(
    configuration: client.Configuration,
    url: URL,
    checks: client.AuthorizationCodeGrantChecks,
  ): Promise<Awaited<ReturnType<typeof client.authorizationCodeGrant>>>;
  stop(): void;
}

/** Timeout of each request to the provider. */
const timeoutSeconds = 10;
const firstDelayMs = 500;
const longestDelayMs = 15_000;
/** A token with an unknown key causes the keys to be read again, but no more often than this. */
const refetchPauseMs = 5_000;
/** Only public-key signatures: see settings/pageValues.ts. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

type ClientAuthMethod = 'basic' | 'post';

class OpenidProvider implements Provider {
  problem: Provider['problem'] = 'away';
  #configuration: client.Configuration | null = null;
  #findKey: JWTVerifyGetKey | null = null;
  /** What the provider accepted or asks for; its second name is tried when it refuses the first. */
  #method: ClientAuthMethod = 'basic';
  readonly #options: ProviderOptions;
  readonly #stopped = new AbortController();

  constructor(options: ProviderOptions) {
    this.#options = options;
    void this.#discoverUntilDone();
  }

  current(): client.Configuration | null {
    return this.#configuration;
  }

  async redeem(
    configuration: client.Configuration,
    url: URL,
    checks: client.AuthorizationCodeGrantChecks,
  ): ReturnType<Provider['redeem']> {
    const tokens = await this.#grant(configuration, url, checks);
    const { id_token: idToken } = tokens;
    // The token came over TLS from the provider itself; its signature is checked anyway.
    if (idToken !== undefined && this.#findKey !== null) await this.#verify(idToken, this.#findKey);
    return tokens;
  }

  /** A key that came with a rotation a moment ago is not known yet, and the keys may have been read just before that. */
  async #verify(idToken: string, findKey: JWTVerifyGetKey): Promise<void> {
    const options = { algorithms, clockTolerance: 30 };
    try {
      await jwtVerify(idToken, findKey, options);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await delay(refetchPauseMs, undefined, { signal: this.#stopped.signal, ref: false });
      await jwtVerify(idToken, findKey, options);
    }
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** Some providers know only one of the two ways to send a secret, and do not say which. A refused client spends no code. */
  async #grant(
    configuration: client.Configuration,
    url: URL,
    checks: client.AuthorizationCodeGrantChecks,
  ): ReturnType<Provider['redeem']> {
    try {
      return await client.authorizationCodeGrant(configuration, url, checks);
    } catch (error) {
      if (this.#options.clientSecret === null || !isClientRefused(error)) throw error;
      const before = this.#method;
      this.#method = before === 'basic' ? 'post' : 'basic';
      try {
        return await client.authorizationCodeGrant(configuration, url, checks);
      } catch (second) {
        if (isClientRefused(second)) this.#method = before;
        throw second;
      }
    }
  }

  async #discoverUntilDone(): Promise<void> {
    const { issuer, log } = this.#options;
    const { signal } = this.#stopped;
    for (let delayMs = firstDelayMs; !signal.aborted; delayMs = Math.min(2 * delayMs, longestDelayMs)) {
      try {
        const configuration = await this.#discover();
        const { jwks_uri: jwksUri } = configuration.serverMetadata();
        this.#findKey = jwksUri ? makeKeyFinder(new URL(jwksUri)) : null;
        this.#configuration = configuration;
        log.info({ issuer: issuer.href }, 'page: the identity provider is there');
        return;
      } catch (error) {
        this.#report(error, delayMs === firstDelayMs);
      }
      await delay(delayMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** At the first time, and when the reason becomes another; an operator must fix a wrong issuer. */
  #report(error: unknown, isFirst: boolean): void {
    const failure = describeFailure(error);
    const problem = failure.foundIssuer === undefined ? 'away' : 'wrong issuer';
    const isNew = isFirst || problem !== this.problem;
    this.problem = problem;
    const level = !isNew ? 'debug' : problem === 'away' ? 'warn' : 'error';
    this.#options.log[level](
      { err: error, issuer: this.#options.issuer.href, ...failure },
      problem === 'away'
        ? 'page: the metadata of OIDC_ISSUER cannot be read, so nobody can sign in; trying again'
        : 'page: the identity provider calls itself by another name than OIDC_ISSUER, so nobody can sign in: set OIDC_ISSUER to foundIssuer if that is the right provider',
    );
  }

  async #discover(): Promise<client.Configuration> {
    const { issuer, clientId } = this.#options;
    const configuration = await client.discovery(issuer, clientId, undefined, this.#authenticate, {
      timeout: timeoutSeconds,
      execute: issuer.protocol === 'http:' ? [client.allowInsecureRequests] : [],
    });
    // A provider that says nothing accepts `client_secret_basic` (RFC 8414, section 2).
    const methods = configuration.serverMetadata().token_endpoint_auth_methods_supported;
    const mustPost = methods !== undefined && !methods.includes('client_secret_basic');
    this.#method = mustPost ? 'post' : 'basic';
    return configuration;
  }

  readonly #authenticate: client.ClientAuth = (...parameters) => {
    const secret = this.#options.clientSecret;
    const authenticate =
      secret === null
        ? client.None()
        : this.#method === 'post'
          ? client.ClientSecretPost(secret.reveal())
          : client.ClientSecretBasic(secret.reveal());
    return authenticate(...parameters);
  };
}

export function openProvider(options: ProviderOptions): Provider {
  return new OpenidProvider(options);
}

/** Reads the keys again within seconds of a rotation; openid-client waits for a minute. */
function makeKeyFinder(url: URL): JWTVerifyGetKey {
  return createRemoteJWKSet(url, {
    cooldownDuration: refetchPauseMs,
    timeoutDuration: timeoutSeconds * 1_000,
  });
}

function isClientRefused(error: unknown): boolean {
  if (error instanceof client.ResponseBodyError) {
    return error.error === 'invalid_client' || error.error === 'unauthorized_client';
  }
  return error instanceof client.WWWAuthenticateChallengeError && error.status === 401;
}

const optionalScope = 'groups';
/** As in the settings: a value that an operator wrote is requested as it is. */
const defaultScopes = 'openid profile email groups';

/** Google, Entra and a new Keycloak refuse a login that asks for a scope they do not know. */
export function chooseScopes(configuration: client.Configuration, scopes: string): string {
  const known = configuration.serverMetadata().scopes_supported ?? [];
  if (scopes !== defaultScopes || known.includes(optionalScope)) return scopes;
  return scopes.replace(` ${optionalScope}`, '');
}
