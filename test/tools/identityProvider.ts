/** A real OpenID provider in the test's process: people, their groups, and a form to sign in by name. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import { onTestFinished } from 'vitest';
import { closeServer, listen } from '../../src/operations/listen.ts';
import { findFreePort } from '../../tools/freePort.ts';

export interface Person {
  readonly name: string;
  readonly groups: readonly string[];
  /** Claims of the ID token, instead of name and groups. */
  readonly inIdToken?: Readonly<Record<string, unknown>>;
  /** Claims of the user info, instead of name and groups. */
  readonly inUserInfo?: Readonly<Record<string, unknown>>;
}

export interface IdentityProvider {
  readonly issuer: string;
  /** On the loopback address. */
  readonly port: number;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Requests by path, such as `/token`. */
  readonly requests: readonly string[];
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Signs with another key from now on, which is alone in the key set. */
  rotateKey(): Promise<void>;
}

export interface IdentityProviderOptions {
  /** By what they type at the login. Groups may be changed while it runs. */
  readonly people: Record<string, Person>;
  /** Of the page, such as `http://127.0.0.1:8080`. */
  readonly pageOrigin: string;
  /** Default: the ID token says it all. Otherwise name and groups are in the user info alone. */
  readonly onlyUserInfo?: boolean;
  /** Default: started at once. */
  readonly isAway?: boolean;
  /** How the page must send its secret. The metadata list both ways. Default: basic. */
  readonly clientAuth?: 'client_secret_basic' | 'client_secret_post';
  /** Answers 500 in place of the user info. */
  readonly failsUserInfo?: boolean;
  /** Default: it lists a scope `groups`. */
  readonly hasGroupsScope?: boolean;
  /** Where people and the page find it, behind a proxy. Default: at its own port. */
  readonly publicIssuer?: string;
}

/** Stopped with the test. */
export async function makeIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const port = await findFreePort();
  const issuer = options.publicIssuer ?? `http://127.0.0.1:${port}`;
  const client = { clientId: 'audit-export', clientSecret: 'a secret of the client' };
  let provider = await makeProvider(issuer, client, options, 'first');
  const requests: string[] = [];
  let answer = provider.callback();
  const makeHttpServer = () =>
    createServer((request, response) => {
      const path = (request.url ?? '').split('?')[0] ?? '';
      requests.push(path);
      // The provider itself would take either way.
      const isBasic = request.headers.authorization?.startsWith('Basic ') === true;
      if (path === '/token' && isBasic && options.clientAuth === 'client_secret_post') {
        response.writeHead(401, {
          'WWW-Authenticate': 'Basic realm="clients"',
          'Content-Type': 'application/json',
        });
        response.end('{"error": "invalid_client"}');
      } else if (path === '/me' && options.failsUserInfo) response.writeHead(500).end();
      else if (path.startsWith('/sign-in/')) void signIn(provider, request, response);
      else answer(request, response);
    });
  let server: ReturnType<typeof makeHttpServer> | null = null;
  const identityProvider: IdentityProvider = {
    issuer,
    port,
    ...client,
    requests,
    async start() {
      server = makeHttpServer();
      const error = await listen(server, { host: '127.0.0.1', port });
      if (error !== null) throw error;
    },
    async stop() {
      if (server !== null) await closeServer(server, 0);
      server = null;
    },
    async rotateKey() {
      provider = await makeProvider(issuer, client, options, 'second');
      answer = provider.callback();
    },
  };
  onTestFinished(() => identityProvider.stop());
  if (!options.isAway) await identityProvider.start();
  return identityProvider;
}

async function makeProvider(
  issuer: string,
  client: { clientId: string; clientSecret: string },
  options: IdentityProviderOptions,
  keyId: string,
): Promise<Provider> {
  const { people, pageOrigin, onlyUserInfo = false, hasGroupsScope = true } = options;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const provider = new Provider(issuer, {
    adapter: MemoryAdapter,
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        token_endpoint_auth_method: options.clientAuth ?? 'client_secret_basic',
        redirect_uris: [`${pageOrigin}/login/callback`],
        post_logout_redirect_uris: [`${pageOrigin}/signed-out`],
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: keyId, alg: 'RS256', use: 'sig' }] },
    cookies: { keys: ['a key for the cookies of the provider'] },
    scopes: ['openid', 'profile', 'email', ...(hasGroupsScope ? ['groups'] : [])],
    claims: { openid: ['sub'], profile: ['name', 'groups', 'realm_access', '_claim_names', 'bulk'] },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
    conformIdTokenClaims: onlyUserInfo,
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: true, logoutSource: askAboutLogout },
    },
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/sign-in/${uid}` },
    findAccount: (_context: unknown, id: string) => {
      const person = people[id];
      const { name, groups, inIdToken, inUserInfo } = person ?? {};
      const claims = async (use: string) => ({
        sub: id,
        ...((use === 'id_token' ? inIdToken : inUserInfo) ?? { name, groups }),
      });
      return person && { accountId: id, claims };
    },
    // Nobody is asked whether the page may know them.
    async loadExistingGrant({ oidc }: { oidc: GrantContext }) {
      const grant = new provider.Grant({
        clientId: oidc.client.clientId,
        accountId: oidc.session.accountId,
      });
      grant.addOIDCScope('openid profile email groups');
      await grant.save();
      return grant;
    },
    ttl: {
      Interaction: 600,
      Session: 600,
      Grant: 600,
      AccessToken: 600,
      IdToken: 600,
      AuthorizationCode: 60,
    },
    renderError: (context: { body: string }, out: { error: string }) => {
      context.body = `<!doctype html><title>Error</title><p>${out.error}</p>`;
    },
  });
  provider.proxy = options.publicIssuer !== undefined;
  return provider;
}

/** @param form of the provider, which a button completes. */
function askAboutLogout(context: { body: string }, form: string): void {
  context.body = `<!doctype html><html lang="en"><title>Sign out</title>${form}
    <button form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>`;
}

type Row = Record<string, unknown> & { uid?: string; grantId?: string };

/** Everything in memory, one instance a kind of row. The provider's own does the same and warns of it. */
class MemoryAdapter {
  readonly #rows = new Map<string, Row>();

  async upsert(id: string, row: Row): Promise<void> {
    this.#rows.set(id, row);
  }

  async find(id: string): Promise<Row | undefined> {
    return this.#rows.get(id);
  }

  async findByUid(uid: string): Promise<Row | undefined> {
    return [...this.#rows.values()].find((row) => row.uid === uid);
  }

  async findByUserCode(): Promise<undefined> {}

  async consume(id: string): Promise<void> {
    const row = this.#rows.get(id);
    if (row) row['consumed'] = Math.floor(Date.now() / 1_000);
  }

  async destroy(id: string): Promise<void> {
    this.#rows.delete(id);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [id, row] of this.#rows) if (row.grantId === grantId) this.#rows.delete(id);
  }
}

interface GrantContext {
  readonly client: { readonly clientId: string };
  readonly session: { readonly accountId: string };
}

async function signIn(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST') {
    response.setHeader('Content-Type', 'text/html');
    response.end(
      `<!doctype html><html lang="en"><title>Sign in</title><form method="post">
       <label>Name <input name="login"></label>
       <button name="do" value="enter">Enter</button> <button name="do" value="cancel">Cancel</button></form>`,
    );
    return;
  }
  let body = '';
  for await (const chunk of request) body += chunk;
  const form = new URLSearchParams(body);
  const result =
    form.get('do') === 'cancel'
      ? { error: 'access_denied', error_description: 'cancelled' }
      : { login: { accountId: form.get('login') ?? '' } };
  await provider.interactionFinished(request, response, result);
}
