/** Names session types, and gives an icon to those that are not a person's. */

export interface SessionSign {
  readonly icon: 'key' | 'app' | 'machine';
  readonly word: string;
}

/** null: a person's own session. */
export function signOfSession(sessionType: string): SessionSign | null {
  switch (sessionType) {
    case 'user':
      return null;
    case 'api_key':
      return { icon: 'key', word: 'API key' };
    case 'oauth2_client':
      return { icon: 'app', word: 'OAuth2 client' };
    default:
      return { icon: 'machine', word: describeSession(sessionType) };
  }
}

/** `API key`, `Service account`: a product's own types lose their underscores. */
export function describeSession(sessionType: string): string {
  if (sessionType === 'user') return 'User';
  if (sessionType === 'api_key') return 'API key';
  if (sessionType === 'oauth2_client') return 'OAuth2 client';
  const words = sessionType.replace(/[_-]+/g, ' ').trim();
  return words === '' ? sessionType : words.charAt(0).toUpperCase() + words.slice(1);
}
