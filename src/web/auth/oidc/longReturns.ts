/**
 * Shortens the address that a login leads back to: a long filter would make the cookies of a few unfinished logins larger than
 * servers accept. A long address is kept in the database, sealed, and `/return/ID` leads to it.
 */
import { randomBytes } from 'node:crypto';
import { findLongReturn, keepLongReturn } from '../../../database/longReturns.ts';
import type { Database } from '../../../database/pool.ts';
import { makeSeals, type SecretSource } from './seal.ts';

export interface LongReturns {
  /** The address itself if it is short; otherwise `/return/ID`, or without its query if it cannot be kept. */
  shorten(path: string): Promise<string>;
  /** The address behind `/return/ID`; null: it is gone. */
  find(id: string): Promise<string | null>;
}

/** Three cookies with addresses of this length take less than half of the 8 KB that proxies accept. */
const longest = 500;

export function makeLongReturns(db: Database, secret: SecretSource): LongReturns {
  const seals = makeSeals(secret, 'audit-export return address');
  return {
    async shorten(path) {
      if (path.length <= longest) return path;
      const id = randomBytes(16).toString('base64url');
      if (await keepLongReturn(db, id, seals.seal(path, id))) return `/return/${id}`;
      const [withoutQuery = '/'] = path.split('?');
      return withoutQuery.length <= longest ? withoutQuery : '/';
    },
    async find(id) {
      const sealed = /^[\w-]{22}$/.test(id) ? await findLongReturn(db, id) : null;
      return sealed === null ? null : seals.open(sealed, id);
    },
  };
}
