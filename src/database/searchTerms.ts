/**
 * Reads what somebody typed into the search: blanks mean "and", quotes make a phrase, a minus leaves out.
 *
 *   deploy failed           both, anywhere in the entry and in any order
 *   "deploy failed"         these words next to each other
 *   deploy -staging         deploy, in entries without staging
 *   "flowId": 42   {"a":1}  a piece of JSON is one term, whatever blanks it has
 *
 * Promises: whatever is typed, there is a term; without a minus, every entry that holds the text as it stands has all of its terms.
 */

export interface SearchTerm {
  /** What an entry holds, or must not hold. Never empty. */
  readonly text: string;
  readonly isExcluded: boolean;
  /** As it was typed, so that a search can be put together again without one of its terms. */
  readonly source: string;
}

/** A text in quotes; the last quote may still be missing while somebody types. `\"` is a quote inside. */
const phrase = /"((?:\\"(?!$)|[^"])*)(?:"|$)/y;
/** A key, its colon, and the beginning of its value. */
const jsonKey = /"(?:\\.|[^"\\])*":\s*/sy;
const jsonScalar = /"(?:\\.|[^"\\])*"|\S+/sy;
const word = /\S+/y;
const blanks = /\s*/y;

/** The terms of a text in the order typed; none of an empty one. */
export function parseSearch(text: string): SearchTerm[] {
  const typed = text.trim();
  const terms: SearchTerm[] = [];
  let at = 0;
  while (at < typed.length) {
    const isExcluded = typed[at] === '-' && /\S/.test(typed[at + 1] ?? '');
    const start = isExcluded ? at + 1 : at;
    const { found, end } = readTerm(typed, start);
    if (found !== '') terms.push({ text: found, isExcluded, source: typed.slice(at, end).trimEnd() });
    at = take(blanks, typed, end);
  }
  // Nothing but empty quotes: they are what is looked for.
  return terms.length > 0 || typed === '' ? terms : [{ text: typed, isExcluded: false, source: typed }];
}

/** What is to be typed for exactly this text; null: nothing means that. */
export function quoteTerm(text: string): string | null {
  const quoted = `"${text.replaceAll('"', '\\"')}"`;
  const [term, more] = parseSearch(quoted);
  return more === undefined && term?.text === text ? quoted : null;
}

function readTerm(typed: string, start: number): { found: string; end: number } {
  const first = typed[start];
  const json = first === '"' ? take(jsonKey, typed, start) : start;
  if (json > start || first === '{' || first === '[') {
    // Behind a key the brackets may still be open while somebody types.
    const end = endOfJson(typed, json) ?? (json > start ? typed.length : null);
    if (end !== null) return { found: typed.slice(start, end).trimEnd(), end };
  }
  if (first === '"') {
    phrase.lastIndex = start;
    const [, inside = ''] = phrase.exec(typed) ?? [];
    return { found: inside.replaceAll('\\"', '"'), end: phrase.lastIndex };
  }
  const end = take(word, typed, start);
  return { found: typed.slice(start, end), end };
}

/** Where a value of a piece of JSON ends; null: its brackets do not close, or do so in a string that does not end. */
function endOfJson(typed: string, start: number): number | null {
  const first = typed[start];
  if (first !== '{' && first !== '[') return take(jsonScalar, typed, start);
  let depth = 0;
  for (const { 0: found, index } of typed.slice(start).matchAll(/"(?:\\.|[^"\\])*(?:"|\\?$)|[{}[\]]/gs)) {
    if (/[{[]/.test(found)) depth++;
    else if (/^[}\]]/.test(found) && --depth === 0) return start + index + 1;
  }
  return null;
}

/** Where a match of the pattern ends; `at`: there is none. */
function take(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
