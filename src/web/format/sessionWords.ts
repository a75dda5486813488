/** Names session types, and gives an icon to those that are not a person's. */

export interface SessionSign {
  readonly icon: 'key' | 'app' | 'machine';
  readonly word: string;
}

/** null: a person's own session. */
export function signOfSession(sessionType: string): SessionSign | null {
  if (sessionType === 'user') return null;
  const icon = sessionType === 'api_key' ? 'key' : sessionType === 'oauth2_client' ? 'app' : 'machine';
  return { icon, word: describeSession(sessionType) };
}

/** `API key`, `Service account`: a product's own types lose their underscores. */
export function describeSession(sessionType: string): string {
  if (sessionType === 'user') return 'User';
  if (sessionType === 'api_key') return 'API key';
  if (sessionType === 'oauth2_client') return 'OAuth2 client';
  const words = sessionType.replace(/[_-]+/g, ' ').trim();
  return words === '' ? sessionType : words.charAt(0).toUpperCase() + words.slice(1);
}
