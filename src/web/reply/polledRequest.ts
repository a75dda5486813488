/** Recognizes polls: requests that an open page makes while nobody does anything. */
import type { Request } from 'express';
import { logsPath } from '../urls.ts';

/**
 * Whether somebody is signed in, the count of new entries, the destinations that fail, the list of destinations, and the state of
 * one destination.
 */
const polled = new RegExp(
  `^(?:/session|${logsPath.replace(':organization', '[^/]+')}/(?:newer|trouble|export|export/[^/]+/state))$`,
);

/**
 * Polls carry `live=1`, which has no meaning in any other request. They are not activity: they neither extend a session nor count as
 * a view.
 */
export function isPoll(request: Request): boolean {
  return request.method === 'GET' && request.query['live'] === '1' && polled.test(request.path);
}
