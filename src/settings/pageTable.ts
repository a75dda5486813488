/** The rows of the settings table that only the page needs, in the order in which people see them. */
import {
  groupTemplates,
  headerName,
  origin,
  secretText,
  signatureAlgorithms,
  trustedUrl,
} from './pageValues.ts';
import { optional, withDefault } from './setting.ts';
import { namespaceName, networks, text, wholeNumber } from './values.ts';

const claim = text({ type: 'claim', maxLength: 255 });
const name = text({ type: 'text', maxLength: 1_024 });
const minuteMs = 60_000;

export const pageSettingsTable = {
  publicOrigin: optional('PUBLIC_URL', origin(), {
    doc: 'Where browsers reach the page, such as https://audit.example.com; required with AUTH_MODE=oidc, which takes its redirects and cookies from it. When it is set, forms sent from other origins are refused.',
  }),
  pageNamespace: optional('PAGE_NAMESPACE', namespaceName(), {
    doc: 'The namespace in which the page creates AuditExportConfigs.',
  }),
  maxDestinations: withDefault('MAX_DESTINATIONS', '10', wholeNumber({ min: 1, max: 1_000 }), {
    doc: 'How many AuditExportConfigs one organization may have before the page stops adding more; those created elsewhere count, but are not refused.',
  }),
  adminGroups: withDefault('ADMIN_GROUP', 'audit-admin:{organization}', groupTemplates(), {
    doc: 'Which group makes a user an admin of which organization: group names with {organization} in place of the organization, compared exactly. A comma in a name is written \\,.',
  }),
  superAdminGroup: optional('SUPER_ADMIN_GROUP', name, {
    doc: 'A group whose members administer every organization. Not set: no one does.',
  }),
  oidcIssuer: optional('OIDC_ISSUER', trustedUrl(), {
    doc: 'The identity provider, exactly as its metadata names it; required with AUTH_MODE=oidc.',
  }),
  oidcClientId: optional('OIDC_CLIENT_ID', name, {
    doc: 'The client ID of this page at the identity provider; required with AUTH_MODE=oidc. Register the redirect URI PUBLIC_URL/login/callback there, and PUBLIC_URL/signed-out for after a logout.',
  }),
  oidcClientSecret: optional('OIDC_CLIENT_SECRET', secretText({ minLength: 1 }), {
    secret: true,
    doc: 'The client secret of this page at the identity provider. Not set: a public client, protected by PKCE alone.',
  }),
  oidcScopes: withDefault(
    'OIDC_SCOPES',
    'openid profile email groups',
    text({ type: 'scopes', maxLength: 1_024 }),
    {
      doc: 'The scopes to request at login, separated by spaces; openid must be among them. As long as it is the default, groups is requested only from a provider whose metadata list it.',
    },
  ),
  oidcGroupsClaim: withDefault('OIDC_GROUPS_CLAIM', 'groups', claim, {
    doc: 'Where to find the groups in the ID token, or else in the user info: the name of a claim, or a dotted path such as realm_access.roles; a dot in a name is written \\.',
  }),
  sessionSecret: optional('SESSION_SECRET', secretText({ minLength: 32 }), {
    secret: true,
    doc: 'Signs and seals the cookies and sessions of the page; required with AUTH_MODE=oidc, the same for all replicas. Changing it ends all sessions, unless SESSION_SECRET_PREVIOUS holds the old one, or the file of SESSION_SECRET_FILE is replaced while the collector runs.',
  }),
  previousSessionSecret: optional('SESSION_SECRET_PREVIOUS', secretText({ minLength: 32 }), {
    secret: true,
    doc: 'The previous SESSION_SECRET: sessions that began with it continue. Remove it once SESSION_ABSOLUTE_MS has passed.',
  }),
  sessionIdleMs: withDefault(
    'SESSION_IDLE_MS',
    String(30 * minuteMs),
    wholeNumber({ min: minuteMs, max: 24 * 60 * minuteMs }),
    {
      unit: 'ms',
      doc: 'A session ends after this long without activity; a page that only refreshes itself does not count as activity.',
    },
  ),
  sessionAbsoluteMs: withDefault(
    'SESSION_ABSOLUTE_MS',
    String(12 * 60 * minuteMs),
    wholeNumber({ min: minuteMs, max: 7 * 24 * 60 * minuteMs }),
    {
      unit: 'ms',
      doc: 'A session ends this long after login, whatever happens. A session keeps the groups it had at login.',
    },
  ),
  jwtJwksUrl: optional('JWT_JWKS_URL', trustedUrl(), {
    doc: 'The URL of the public keys (JWKS) that verify the tokens; required with AUTH_MODE=jwt.',
  }),
  jwtIssuer: optional('JWT_ISSUER', name, {
    doc: 'The iss that a token must have; required with AUTH_MODE=jwt.',
  }),
  jwtAudience: optional('JWT_AUDIENCE', name, {
    doc: 'The aud that a token must have, possibly among others; required with AUTH_MODE=jwt.',
  }),
  jwtHeader: withDefault('JWT_HEADER', 'Authorization', headerName(), {
    doc: 'The header that carries the token: after "Bearer " in Authorization, with or without that prefix in any other header.',
  }),
  jwtGroupsClaim: withDefault('JWT_GROUPS_CLAIM', 'groups', claim, {
    doc: 'Where to find the groups in the token: the name of a claim, or a dotted path; a dot in a name is written \\.',
  }),
  jwtAlgorithms: withDefault('JWT_ALGORITHMS', 'RS256,PS256,ES256,EdDSA', signatureAlgorithms(), {
    doc: 'The signature algorithms that are accepted.',
  }),
  trustedProxies: withDefault('TRUSTED_PROXIES', '', networks(), {
    doc: 'The networks from which USER_HEADER and the like are trusted, by the address of the connection itself; required with AUTH_MODE=headers, where each may be at most as wide as /24 (IPv6: /64). In every mode, X-Forwarded-For from these networks tells users apart when logins are rate limited.',
  }),
  proxySecret: optional('PROXY_SECRET', secretText({ minLength: 32 }), {
    secret: true,
    doc: 'The secret that the proxy sends in PROXY_SECRET_HEADER with every request; required with AUTH_MODE=headers, because other processes may share the address of the proxy, including the collector itself.',
  }),
  proxySecretHeader: withDefault('PROXY_SECRET_HEADER', 'X-Proxy-Secret', headerName(), {
    doc: 'With AUTH_MODE=headers: the header that carries PROXY_SECRET. The proxy must remove what a client sends under this name.',
  }),
  userHeader: withDefault('USER_HEADER', 'X-Forwarded-User', headerName(), {
    doc: 'With AUTH_MODE=headers: the header that names the user. The proxy must remove what a client sends under this name and the next two.',
  }),
  nameHeader: withDefault('NAME_HEADER', 'X-Forwarded-Preferred-Username', headerName(), {
    doc: 'With AUTH_MODE=headers: the header with the name to show, if there is one.',
  }),
  groupsHeader: withDefault('GROUPS_HEADER', 'X-Forwarded-Groups', headerName(), {
    doc: 'With AUTH_MODE=headers: the header with the groups, separated by commas, on one line.',
  }),
};
