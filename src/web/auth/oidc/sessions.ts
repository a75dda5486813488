/**
 * Keeps the sessions of people who signed in: a random id in a signed cookie, everything else in `audit.page_sessions`, so
 * that a logout ends a session on every replica. It is sealed there (seal.ts): reading the table reveals no ID token, and
 * writing to it signs nobody in.
 *
 * Promises:
 *  - Idle timeout: the row's `expire`, extended by every request except polls (polledRequest.ts).
 *  - A session that has ended stays ended: nothing is written to it after the login, so a request that overlaps a logout
 *    cannot bring it back.
 *
 * Not here: the absolute timeout, which counts from the login (oidcAuthenticator.ts).
 */
import connectPgSimple from 'connect-pg-simple';
import type { Request, RequestHandler, Response } from 'express';
import session from 'express-session';
import type { Database } from '../../../database/pool.ts';
import type { Secret } from '../../../model/secret.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { isPoll } from '../../reply/polledRequest.ts';
import { listSecrets, makeSeals, type SecretSource } from './seal.ts';

export interface SignedIn {
  readonly id: string;
  readonly name: string | null;
  /** As of the login. */
  readonly groups: readonly string[];
  /** Tells the provider which session to end. */
  readonly idToken: string | null;
  readonly signedInAtMs: number;
}

declare module 'express-session' {
  interface SessionData {
    /** `sealed` is a `SignedIn`. The time stands beside it for operators, who may set it back to end a session early. */
    signedIn: { sealed: string; signedInAtMs: number };
  }
}

export interface SessionOptions {
  readonly db: Database;
  readonly secret: SecretSource;
  /** Still opens what was sealed with it. Default null: there is no previous secret. */
  readonly previousSecret?: Secret | null;
  /** Whether browsers reach the page by https. */
  readonly isSecure: boolean;
  readonly idleMs: number;
  readonly log: Logger;
}

export interface Sessions {
  readonly middleware: RequestHandler;
  /** null: nobody is signed in. */
  read(request: Request): SignedIn | null;
  /** Starts a session under a new id, so that an id planted in the browser earlier is worthless. Resolves when it is stored. */
  begin(request: Request, signedIn: SignedIn): Promise<void>;
  /** Resolves when the row is gone. @throws Error when the database refused: the session continues. */
  end(request: Request, response: Response): Promise<void>;
  stop(): void;
}

export function openSessions(options: SessionOptions): Sessions {
  const { db, secret, previousSecret = null, isSecure, idleMs, log } = options;
  const secrets = () => [...listSecrets(secret), ...(previousSecret === null ? [] : [previousSecret])];
  const seals = makeSeals(secrets, 'audit-export session');
  // express-session reads this array at each request, so a secret can be replaced while the process runs.
  const signing = secrets().map((each) => each.reveal());
  const Store = connectPgSimple(session);
  const makeStore = (options: { disableTouch?: boolean; pruneSessionInterval?: false }) =>
    new Store({
      pool: db,
      schemaName: 'audit',
      tableName: 'page_sessions',
      ttl: Math.ceil(idleMs / 1_000),
      errorLog: (_message: unknown, error: unknown) =>
        log.warn({ err: error }, 'page: old sessions could not be deleted'),
      ...options,
    });
  // The prefix forbids Domain and any other path, so a neighbour under the same domain cannot set such a cookie.
  const name = isSecure ? '__Host-sid' : 'sid';
  const cookie = { httpOnly: true, secure: isSecure, sameSite: 'lax', path: '/' } as const;
  const makeMiddleware = (store: session.Store): RequestHandler =>
    session({
      store,
      name,
      cookie,
      secret: signing,
      resave: false,
      saveUninitialized: false,
    });

  const store = makeStore({});
  const touching = makeMiddleware(store);
  const untouching = makeMiddleware(makeStore({ disableTouch: true, pruneSessionInterval: false }));

  return {
    middleware(request, response, next) {
      // The browser uses https, even if the proxy does not pass that on; otherwise the cookie would not be sent.
      if (isSecure) Object.defineProperty(request, 'secure', { value: true });
      signing.splice(0, signing.length, ...secrets().map((each) => each.reveal()));
      (isPoll(request) ? untouching : touching)(request, response, next);
    },
    read(request) {
      const stored = request.session?.signedIn;
      // Sessions of earlier versions were not sealed: their owners sign in again.
      const text = typeof stored?.sealed === 'string' ? seals.open(stored.sealed, request.sessionID) : null;
      if (text === null) return null;
      const signedIn = JSON.parse(text) as SignedIn;
      const signedInAtMs = Math.min(signedIn.signedInAtMs, Number(stored?.signedInAtMs) || 0);
      return { ...signedIn, signedInAtMs };
    },
    async begin(request, signedIn) {
      await promisify((done) => request.session.regenerate(done));
      const sealed = seals.seal(JSON.stringify(signedIn), request.sessionID);
      request.session.signedIn = { sealed, signedInAtMs: signedIn.signedInAtMs };
      await promisify((done) => request.session.save(done));
    },
    async end(request, response) {
      await promisify((done) => request.session.destroy(done));
      response.clearCookie(name, cookie);
    },
    stop: () => void store.close(),
  };
}

function promisify(call: (done: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error ? reject(error) : resolve()));
  });
}
