/** Finds what a payload says has changed, with the values before and after, wherever it uses one of the conventions in the rules. */
import type { JsonNode } from '../format/json.ts';
import { isAside, type Payload, plainKey } from './payload.ts';
import { rules } from './rules.ts';

export interface Change {
  /** As the payload has it, or its keys joined by dots; empty: the payload itself. */
  readonly path: string;
  /** JSON text; null: there is no value. */
  readonly before: string | null;
  readonly after: string | null;
}

const mostChanges = 200;
const mostDepth = 8;

/** In the order of the payload; at most 201, so that "200 and more" can be told. Values that are equal have not changed. */
export function findChanges(payload: Payload): Change[] {
  if (payload.root === null) return [];
  const finder = new ChangeFinder(payload);
  finder.look(payload.root, [], 0);
  return finder.changes;
}

/** Names of what has changed where the payload has no values of it. */
export function findChangedNames(payload: Payload): string[] {
  const { root } = payload;
  if (root === null) return [];
  for (const key of rules.changedNames) {
    const node = payload.get(root, key);
    if (node?.kind !== 'array' || node.members.length === 0) continue;
    const names = node.members.map(({ value }) => payload.words(value));
    if (names.every((name) => name !== null)) return names;
  }
  return [];
}

class ChangeFinder {
  readonly changes: Change[] = [];
  readonly #payload: Payload;

  constructor(payload: Payload) {
    this.#payload = payload;
  }

  /** `path`: the keys to `node`, those of arrays and of objects of changes left out. */
  look(node: JsonNode, path: readonly string[], depth: number): void {
    if (!('members' in node) || depth > mostDepth || this.changes.length > mostChanges) return;
    const pair = node.kind === 'object' ? this.#pairOf(node, path) : null;
    if (pair !== null) {
      const name = rules.pathKeys
        .map((key) => this.#payload.words(this.#payload.get(node, key)))
        .find((each) => each !== null);
      this.#compare(pair.before, pair.after, name === undefined ? path : [...path, name]);
      // The rest of the payload may hold more.
      if (depth > 0) return;
    }
    for (const { key, value } of this.#payload.members(node)) {
      if (value === pair?.before || value === pair?.after || isAside(key)) continue;
      if (rules.changes.includes(key as never)) this.#lookByField(value, path, depth + 1);
      else this.look(value, key === '' ? path : [...path, key], depth + 1);
    }
  }

  /** `{field: {from, to}}`, `{field: [old, new]}`, or a list. */
  #lookByField(node: JsonNode, path: readonly string[], depth: number): void {
    if (node.kind !== 'object' || this.#pairOf(node, path) !== null) {
      this.look(node, path, depth);
      return;
    }
    for (const { key, value } of this.#payload.members(node)) {
      const [before, after, more] = value.kind === 'array' && 'members' in value ? value.members : [];
      if (before && after && !more) this.#compare(before.value, after.value, [...path, key]);
      else if (value.kind === 'object') this.#lookAtField(value, [...path, key], depth + 1);
    }
  }

  #lookAtField(node: JsonNode, path: readonly string[], depth: number): void {
    const pair = this.#findPair(node, [...rules.pairs, ...rules.strictPairs]);
    if (pair) this.#compare(pair.before, pair.after, path);
    else this.look(node, path, depth);
  }

  #pairOf(node: JsonNode, path: readonly string[]) {
    const pair = this.#findPair(node, rules.pairs);
    if (pair !== null || (path.length === 0 && !this.#hasPath(node))) return pair;
    const strict = this.#findPair(node, rules.strictPairs);
    if (strict === null) return null;
    const others = this.#payload
      .members(node)
      .filter(({ value }) => value !== strict.before && value !== strict.after);
    const key = plainKey(path.at(-1) ?? '');
    const isPeriod = rules.periods.some((end) => key.endsWith(end));
    return others.every(({ key: other }) => rules.pathKeys.includes(other as never)) && !isPeriod
      ? strict
      : null;
  }

  #hasPath(node: JsonNode): boolean {
    return rules.pathKeys.some((key) => this.#payload.get(node, key) !== null);
  }

  #findPair(node: JsonNode, pairs: ReadonlyArray<readonly [string, string]>) {
    for (const [first, second] of pairs) {
      const before = this.#payload.get(node, first);
      const after = this.#payload.get(node, second);
      if (before !== null && after !== null) return { before, after };
    }
    return null;
  }

  /** Objects are compared key by key; everything else as it is written. */
  #compare(before: JsonNode | null, after: JsonNode | null, path: readonly string[]): void {
    const [old, current] = [before, after].map((node) => (node === null ? null : this.#payload.raw(node)));
    if (old === current || this.changes.length > mostChanges) return;
    const isObject = (node: JsonNode | null) => node?.kind === 'object';
    const isNothing = (text: string | null | undefined) => text === null || text === 'null';
    if (
      (isObject(before) || isNothing(old)) &&
      (isObject(after) || isNothing(current)) &&
      path.length < mostDepth
    ) {
      const [first, second] = [before, after].map(
        (node) =>
          new Map(
            isObject(node) && node ? this.#payload.members(node).map(({ key, value }) => [key, value]) : [],
          ),
      );
      const keys = new Set([...(first?.keys() ?? []), ...(second?.keys() ?? [])]);
      if (keys.size > 0) {
        for (const key of keys)
          this.#compare(first?.get(key) ?? null, second?.get(key) ?? null, [...path, key]);
        return;
      }
    }
    this.changes.push({ path: path.join('.'), before: old ?? null, after: current ?? null });
  }
}
