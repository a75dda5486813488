/** Requests that a page makes by itself while somebody only looks at it. */
import type { Request } from 'express';
import { logsPath } from '../urls.ts';

/** How many entries are new; how destinations are, and one of them. */
const polled = new RegExp(
  `^${logsPath.replace(':organization', '[^/]+')}/(?:newer|export|export/[^/]+/state)$`,
);

/**
 * They carry `live=1`, which makes a poll of no other request. They are no activity: they neither prolong a session nor count as a
 * view.
 */
export function isPoll(request: Request): boolean {
  return request.method === 'GET' && request.query['live'] === '1' && polled.test(request.path);
}
