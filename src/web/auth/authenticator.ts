/** How the page knows who asks; one of these a mode of AUTH_MODE. */
import type { Request, RequestHandler } from 'express';
import type { Viewer } from '../viewer.ts';

export interface Authenticator {
  /** Its own addresses (login, callback, logout) and sessions, before everything else; null: it has none. */
  readonly middleware: RequestHandler | null;
  identify(request: Request): Promise<Identity>;
  /** Ends what it does in the background. */
  stop?(): void;
}

export type Identity =
  | { readonly kind: 'known'; readonly viewer: Viewer; readonly logoutUrl: string | null }
  /**
   * `loginUrl` begins a login, and takes `?return_to=` for where it comes back to; null: there is nothing to click,
   * `message` says what to do.
   */
  | { readonly kind: 'anonymous'; readonly loginUrl: string | null; readonly message: string }
  /** What would tell is away: nobody gets in, whoever it is. */
  | { readonly kind: 'unavailable'; readonly message: string };
