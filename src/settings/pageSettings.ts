/** The settings of the page alone: how it is reached, and how it knows who asks. Rows in `pageTable.ts`. */
import type { Secret } from '../model/secret.ts';

/** What is null in one mode of AUTH_MODE is needed in another; `pageConflicts.ts` sees to it. */
export interface PageSettings {
  /** Of the page as browsers reach it, such as `https://audit.example.com`; null: not told. */
  readonly publicOrigin: string | null;
  /** Where the page creates configs in; null: the config source decides. */
  readonly pageNamespace: string | null;
  /** Of one organization: the page adds none beyond. */
  readonly maxDestinations: number;
  /** A group that one of them fits makes its members admins of the organization. */
  readonly adminGroups: readonly GroupTemplate[];
  /** Its members administer every organization; null: nobody does. */
  readonly superAdminGroup: string | null;

  readonly oidcIssuer: URL | null;
  readonly oidcClientId: string | null;
  /** null: a public client. */
  readonly oidcClientSecret: Secret | null;
  readonly oidcScopes: string;
  readonly oidcGroupsClaim: string;
  readonly sessionSecret: Secret | null;
  /** Still opens what was sealed before `sessionSecret` came; null: nothing is. */
  readonly previousSessionSecret: Secret | null;
  readonly sessionIdleMs: number;
  readonly sessionAbsoluteMs: number;

  readonly jwtJwksUrl: URL | null;
  readonly jwtIssuer: string | null;
  readonly jwtAudience: string | null;
  /** Lower case, as the other headers. */
  readonly jwtHeader: string;
  readonly jwtGroupsClaim: string;
  readonly jwtAlgorithms: readonly string[];

  /** CIDR notation. */
  readonly trustedProxies: readonly string[];
  /** Proves that a request comes from the proxy, and not from another process at its address. */
  readonly proxySecret: Secret | null;
  readonly proxySecretHeader: string;
  readonly userHeader: string;
  readonly nameHeader: string;
  readonly groupsHeader: string;
}

/** A group fits when it begins with `prefix`, ends with `suffix`, and something is between: the organization. */
export interface GroupTemplate {
  readonly prefix: string;
  readonly suffix: string;
}
