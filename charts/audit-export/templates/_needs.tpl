{{/* Generated from src/settings/pageConflicts.ts by `npm run generate`: change it there. */}}
{{- define "audit-export.needs" -}}
oidc:
  publicUrl: the address at which browsers reach the page, such as https://audit.example.com
  oidcIssuer: the URL of the identity provider, such as https://login.example.com
  oidcClientId: the client ID of the page at the identity provider
jwt:
  jwtJwksUrl: the URL of the public keys (JWKS) that verify the tokens
  jwtIssuer: the iss that a token must have
  jwtAudience: the aud that a token must have
headers:
  trustedProxies: the networks of the proxies that may say who the user is, such as 10.1.2.3/32
local: {}
{{- end -}}
