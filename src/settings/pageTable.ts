/** The rows of the settings table that only the page needs, in the order they are listed to people. */
import type { PageSettings } from './pageSettings.ts';
import {
  groupTemplates,
  headerName,
  origin,
  secretText,
  signatureAlgorithms,
  trustedUrl,
} from './pageValues.ts';
import { optional, type Setting, withDefault } from './setting.ts';
import { namespaceName, networks, text, wholeNumber } from './values.ts';

const claim = text({ type: 'claim', maxLength: 255 });
const name = text({ type: 'text', maxLength: 1_024 });
const minuteMs = 60_000;

export const pageSettingsTable: { readonly [K in keyof PageSettings]: Setting<PageSettings[K]> } = {
  publicOrigin: optional('PUBLIC_URL', origin(), {
    doc: 'Where browsers reach the page, such as https://audit.example.com; required with AUTH_MODE=oidc, whose redirects and cookies it decides. Where it is set, forms of other origins are refused by it.',
  }),
  pageNamespace: optional('PAGE_NAMESPACE', namespaceName(), {
    doc: 'The namespace in which the page creates AuditExportConfigs.',
  }),
  maxDestinations: withDefault('MAX_DESTINATIONS', '10', wholeNumber({ min: 1, max: 1_000 }), {
    doc: 'AuditExportConfigs that one organization may have before the page adds no more; those made elsewhere count, and are not refused.',
  }),
  adminGroups: withDefault('ADMIN_GROUP', 'audit-admin:{organization}', groupTemplates(), {
    doc: 'Which group makes somebody an admin of which organization: names with {organization} where its name stands, compared exactly.',
  }),
  superAdminGroup: optional('SUPER_ADMIN_GROUP', name, {
    doc: 'A group whose members administer every organization. Not set: nobody does.',
  }),
  oidcIssuer: optional('OIDC_ISSUER', trustedUrl(), {
    doc: 'The identity provider, as it names itself in its metadata; required with AUTH_MODE=oidc.',
  }),
  oidcClientId: optional('OIDC_CLIENT_ID', name, {
    doc: 'This page at the identity provider; required with AUTH_MODE=oidc. Its redirect URI there is PUBLIC_URL/login/callback, and after a logout PUBLIC_URL/signed-out.',
  }),
  oidcClientSecret: optional('OIDC_CLIENT_SECRET', secretText({ minLength: 1 }), {
    secret: true,
    doc: 'Not set: a public client, which PKCE protects alone.',
  }),
  oidcScopes: withDefault(
    'OIDC_SCOPES',
    'openid profile email groups',
    text({ type: 'scopes', maxLength: 1_024 }),
    {
      doc: 'What is asked for at a login, separated by spaces; openid must be among them.',
    },
  ),
  oidcGroupsClaim: withDefault('OIDC_GROUPS_CLAIM', 'groups', claim, {
    doc: 'Where the groups are in the ID token, or else in the user info: the name of a claim, or a path with dots such as realm_access.roles.',
  }),
  sessionSecret: optional('SESSION_SECRET', secretText({ minLength: 32 }), {
    secret: true,
    doc: 'Signs and seals the cookies and sessions of the page; required with AUTH_MODE=oidc, the same for all replicas. A new one ends all sessions, unless the old one is named in SESSION_SECRET_PREVIOUS.',
  }),
  previousSessionSecret: optional('SESSION_SECRET_PREVIOUS', secretText({ minLength: 32 }), {
    secret: true,
    doc: 'The SESSION_SECRET of before: sessions that began with it go on. Remove it once SESSION_ABSOLUTE_MS has passed.',
  }),
  sessionIdleMs: withDefault(
    'SESSION_IDLE_MS',
    String(30 * minuteMs),
    wholeNumber({ min: minuteMs, max: 24 * 60 * minuteMs }),
    {
      unit: 'ms',
      doc: 'A session ends when nobody did anything for so long; a page that only refreshes itself does nothing.',
    },
  ),
  sessionAbsoluteMs: withDefault(
    'SESSION_ABSOLUTE_MS',
    String(12 * 60 * minuteMs),
    wholeNumber({ min: minuteMs, max: 7 * 24 * 60 * minuteMs }),
    {
      unit: 'ms',
      doc: 'A session ends so long after its login, whatever happens. The groups of a session are those of its login.',
    },
  ),
  jwtJwksUrl: optional('JWT_JWKS_URL', trustedUrl(), {
    doc: 'The public keys (JWKS) of whoever signs the tokens; required with AUTH_MODE=jwt.',
  }),
  jwtIssuer: optional('JWT_ISSUER', name, {
    doc: 'What iss of a token must be; required with AUTH_MODE=jwt.',
  }),
  jwtAudience: optional('JWT_AUDIENCE', name, {
    doc: 'What aud of a token must be, or have among others; required with AUTH_MODE=jwt.',
  }),
  jwtHeader: withDefault('JWT_HEADER', 'Authorization', headerName(), {
    doc: 'The header that carries the token: after "Bearer " in Authorization, with or without it in any other.',
  }),
  jwtGroupsClaim: withDefault('JWT_GROUPS_CLAIM', 'groups', claim, {
    doc: 'Where the groups are in the token: the name of a claim, or a path with dots.',
  }),
  jwtAlgorithms: withDefault('JWT_ALGORITHMS', 'RS256,PS256,ES256,EdDSA', signatureAlgorithms(), {
    doc: 'The signatures that are taken.',
  }),
  trustedProxies: withDefault('TRUSTED_PROXIES', '', networks(), {
    doc: 'From where USER_HEADER and its like are believed, by the address of the connection itself; required with AUTH_MODE=headers, where each may be as wide as /24 (IPv6: /64) and no wider. In every mode, whose X-Forwarded-For tells people apart when logins are counted.',
  }),
  proxySecret: optional('PROXY_SECRET', secretText({ minLength: 32 }), {
    secret: true,
    doc: 'What the proxy sends in PROXY_SECRET_HEADER with every request; required with AUTH_MODE=headers, since other processes may share the address of the proxy, the collector itself among them.',
  }),
  proxySecretHeader: withDefault('PROXY_SECRET_HEADER', 'X-Proxy-Secret', headerName(), {
    doc: 'With AUTH_MODE=headers: carries PROXY_SECRET. The proxy must remove what a client sends under this name.',
  }),
  userHeader: withDefault('USER_HEADER', 'X-Forwarded-User', headerName(), {
    doc: 'With AUTH_MODE=headers: who it is. The proxy must remove what a client sends under this name and the next two.',
  }),
  nameHeader: withDefault('NAME_HEADER', 'X-Forwarded-Preferred-Username', headerName(), {
    doc: 'With AUTH_MODE=headers: the name to show, if there is one.',
  }),
  groupsHeader: withDefault('GROUPS_HEADER', 'X-Forwarded-Groups', headerName(), {
    doc: 'With AUTH_MODE=headers: the groups, separated by commas, in one line.',
  }),
};
