/** Requests that a page makes by itself while somebody only looks at it. */
import type { Request } from 'express';

/** They carry `live=1`. They are no activity: they neither prolong a session nor count as a view. */
export function isPoll(request: Request): boolean {
  return request.query['live'] === '1';
}
