/** Follows a URL whose user and password may change, and holds on to the database that it named first. */
import { Secret } from '../model/secret.ts';

/**
 * Returns what to connect with at that moment. User and password are those of the latest URL. One that names another server,
 * database or option is not used: positions and leases of two databases would get mixed up. `onElsewhere` is called for
 * each of those once.
 */
export function followUrl(read: () => Secret, onElsewhere: () => void): () => Secret {
  let latest = read().reveal();
  let ignored: string | null = null;
  return () => {
    const now = read().reveal();
    if (placeOf(now) === placeOf(latest)) {
      latest = now;
      ignored = null;
    } else if (now !== ignored) {
      ignored = now;
      onElsewhere();
    }
    return new Secret(latest);
  };
}

/** The URL without user and password, which may stand in its query too. A password may hold an `@`. */
function placeOf(text: string): string {
  const url = new URL(text);
  url.username = '';
  url.password = '';
  for (const name of ['user', 'password']) url.searchParams.delete(name);
  return url.href;
}
