/** The annotation auditexport.dev/replay: a range of entries to send once more, as an interval of ISO 8601. */
import type { Remark, ReplayRequest } from '../model/exportConfig.ts';
import { isTime } from './schema/startFrom.ts';
import { replayAnnotation } from './schema.ts';

export type ParsedReplay =
  | { readonly kind: 'none' }
  | { readonly kind: 'asked'; readonly replay: ReplayRequest }
  /** Nothing is sent again, and nothing else is held up by it. */
  | { readonly kind: 'wrong'; readonly remark: Remark };

/** `FROM/UNTIL`, each a time of RFC 3339 as `startFrom` takes it. */
export function parseReplay(annotations: Readonly<Record<string, string>> | null | undefined): ParsedReplay {
  const request = annotations?.[replayAnnotation];
  if (request === undefined) return { kind: 'none' };
  const [since = '', until = '', ...rest] = request.split('/');
  const problem = findProblem(request, since, until, rest.length > 0);
  if (problem === null) return { kind: 'asked', replay: { since, until, request } };
  const shown = JSON.stringify(request.slice(0, 200));
  const message = `The annotation ${replayAnnotation} is ${shown}, so nothing is sent again: ${problem}`;
  return { kind: 'wrong', remark: { reason: 'ReplayNotUnderstood', message } };
}

const example = '2026-11-01T00:00:00Z/2026-11-02T00:00:00Z';

function findProblem(request: string, since: string, until: string, hasMore: boolean): string | null {
  if (hasMore || since === '' || until === '') return `write FROM/UNTIL, such as ${example}.`;
  for (const time of [since, until])
    if (!isTime(time))
      return `${JSON.stringify(time.slice(0, 100))} is not a time; write FROM/UNTIL, such as ${example}.`;
  const lengthMs = Date.parse(until) - Date.parse(since);
  // The database tells apart what is of the same millisecond.
  const isFiner = /\.\d{4}/.test(request);
  if (lengthMs < 0 || (lengthMs === 0 && !isFiner)) return 'FROM must be before UNTIL.';
  return null;
}
