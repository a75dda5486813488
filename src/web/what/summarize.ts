/**
 * Says in a line what happened, from an entry's payload alone: what it was done to, what changed, and why.
 *
 *   payload → said by the product, or target · changes · why, or else the first values (rules.ts) → text
 *
 * Promises: everything in it stands in the payload, under the name that it has there; numbers are as they were written.
 */
import { type Change, findChangedNames, findChanges } from './findChanges.ts';
import { findTarget, keepsDetails, listScopes, type Quote, type Target } from './findTarget.ts';
import { isAside, mostSummaryBytes, Payload } from './payload.ts';
import { rules } from './rules.ts';

export interface What {
  /** The product's own words, which stand for all the rest; null: it has none. */
  readonly said: string | null;
  readonly target: Target | null;
  readonly changes: readonly Change[];
  /** What has changed, by name. */
  readonly changed: readonly string[];
  readonly why: Quote | null;
  /** Where nothing else is known: the first values. */
  readonly values: readonly Quote[];
}

/** Characters of a value, where a line has room. */
export const mostPrinted = 1_000;
const mostValues = 3;
const mostPaths = 8;
/** Longer ones say little in a line. */
const mostValueLength = 60;

/** @param text JSON as Postgres prints it. null: it is no JSON, longer than `mostBytes`, or says nothing. */
export function summarize(text: string, eventType: string, mostBytes = mostSummaryBytes): What | null {
  if (Buffer.byteLength(text) > mostBytes) return null;
  const payload = new Payload(text);
  const { root } = payload;
  if (root === null) return null;
  const said =
    rules.said.map((path) => payload.words(payload.at(root, path))).find((words) => words !== null) ?? null;
  const target = findTarget(payload, eventType);
  const changes = findChanges(payload);
  const names = changes.length > 0 ? changes.map(({ path }) => path) : findChangedNames(payload);
  const why = findWhy(payload);
  const isKnown = said !== null || target !== null || names.length > 0;
  const values = isKnown ? [] : findValues(payload, why);
  const what = { said, target, changes, changed: [...new Set(names)], why, values };
  return isKnown || why !== null || values.length > 0 ? what : null;
}

/** For files: the line of `summarize`, or null. Each value has at most 1,000 characters. */
export function whatHappened(entry: {
  readonly metadata: string | null;
  readonly eventType: string;
}): string | null {
  const what = entry.metadata === null ? null : summarize(entry.metadata, entry.eventType);
  return what && printWhat(what, mostPrinted);
}

function findWhy(payload: Payload): Quote | null {
  const { root } = payload;
  if (root === null) return null;
  for (const path of rules.why) {
    const value = payload.words(payload.at(root, path));
    if (value !== null) return { label: path, value };
  }
  return null;
}

function findValues(payload: Payload, why: Quote | null): Quote[] {
  const { root } = payload;
  if (root?.kind !== 'object') return [];
  const [scope = root] = listScopes(payload, root);
  if (scope === root && keepsDetails(payload, root)) return [];
  return payload
    .members(scope)
    .filter(({ key, value }) => key !== why?.label && !('members' in value) && !isAside(key))
    .map(({ key, value }) => ({
      label: key,
      value: payload.words(value) ?? (value.kind === 'literal' ? payload.raw(value) : ''),
    }))
    .filter(({ value }) => value !== '' && value !== 'null' && value.length <= mostValueLength)
    .slice(0, mostValues);
}

/** One line. @param most characters of each value; what is longer ends in `…`. */
export function printWhat({ said, target, changes, changed, why, values }: What, most: number): string {
  if (said !== null) return cutText(said, most);
  const quote = ({ label, value }: Quote): string =>
    `${label === '' ? '' : `${label} `}${cutText(value, most)}`;
  return [
    ...(target === null ? [] : [`${quote(target)}${target.more === 0 ? '' : ` and ${target.more} more`}`]),
    ...printChanges(changes, changed, most),
    ...(why === null ? [] : [quote(why)]),
    ...values.map(quote),
  ].join(' · ');
}

/** One change with its values, if they are short or it has no name; of several, what has changed. */
function printChanges(changes: readonly Change[], changed: readonly string[], most: number): string[] {
  const paths = changed.filter((path) => path !== '').map((path) => cutText(path, most));
  const [first, more] = changes;
  const isShort = [first?.before, first?.after].every((text) => (text ?? '').length <= mostValueLength);
  if (!first || (paths.length > 0 && (more || !isShort)))
    return paths.length === 0 ? [] : [`changed ${listPaths(paths)}`];
  const [before, after] = [first.before, first.after].map((text) =>
    cutText(text ?? 'nothing', mostValueLength),
  );
  return [`${first.path === '' ? '' : `${cutText(first.path, most)} `}${before} → ${after}`];
}

function listPaths(paths: readonly string[]): string {
  const shown = paths.slice(0, mostPaths).join(', ');
  return paths.length > mostPaths ? `${shown} and ${paths.length - mostPaths} more` : shown;
}

export function cutText(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most).toWellFormed()}…` : text;
}
