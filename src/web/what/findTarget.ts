/** Finds what an event was done to: a name or an id in its payload, by the rules. */
import type { JsonNode } from '../format/json.ts';
import { isAside, type Member, type Payload, plainKey } from './payload.ts';
import { rules } from './rules.ts';

export interface Quote {
  /** What the payload calls it: keys joined by dots, without those that every name has. Empty: it is the name of the payload itself. */
  readonly label: string;
  /** A text without its quotes, or a number as it is written. */
  readonly value: string;
}

export interface Target extends Quote {
  /** How many stand behind the first in a list. */
  readonly more: number;
  /** What identifies the same object, beside its name; null: nothing, or `value` does. */
  readonly id: string | null;
}

const mostDepth = 4;
/** Further members of an object are not looked at; Postgres puts the shortest keys first. */
const mostMembers = 500;

/** null: no rule finds one. */
export function findTarget(payload: Payload, eventType: string): Target | null {
  const { root } = payload;
  if (root?.kind !== 'object') return null;
  for (const path of rules.saidTarget) {
    const value = payload.words(payload.at(root, path));
    if (value !== null) return { label: '', value, more: 0, id: null };
  }
  const nouns = listNouns(eventType);
  // What else is in a record that keeps its details elsewhere is about the record.
  const hasDetails = keepsDetails(payload, root);
  const finder = new TargetFinder(payload, nouns);
  for (const scope of listScopes(payload, root)) {
    const found =
      finder.namedAfterEvent(scope) ??
      finder.conventional(scope) ??
      (scope === root && hasDetails ? null : (finder.own(scope) ?? finder.byEnding(scope)));
    if (found !== null) return found;
  }
  return null;
}

/** Where to look, one after the other. */
export function listScopes(payload: Payload, root: JsonNode): JsonNode[] {
  const details = rules.details
    .flatMap((key) => payload.get(root, key) ?? [])
    .filter(({ kind }) => kind === 'object');
  return [...details, root];
}

/** Whether the payload has a place for details, even an empty one. */
export function keepsDetails(payload: Payload, root: JsonNode): boolean {
  return rules.details.some((key) => payload.get(root, key) !== null);
}

/** Each word of an event type, and words that follow each other, with their places: `iam.AttachRolePolicy` has `role` and `rolepolicy`. */
function listNouns(eventType: string): ReadonlyMap<string, number> {
  const words = eventType
    .slice(0, 256)
    .replace(/([a-z\d])([A-Z])|([A-Z])([A-Z][a-z])/g, '$1$3 $2$4')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .slice(0, 12);
  const nouns = new Map<string, number>();
  for (let start = 0; start < words.length; start++)
    for (let end = start + 1; end <= words.length; end++) {
      const noun = words.slice(start, end).join('');
      for (const each of [noun, noun.replace(/s$/, '')]) if (!nouns.has(each)) nouns.set(each, start);
    }
  return nouns;
}

interface Candidate {
  /** Compared item by item; the lowest comes first. */
  readonly rank: readonly number[];
  readonly target: Target;
}

class TargetFinder {
  readonly #payload: Payload;
  readonly #nouns: ReadonlyMap<string, number>;

  constructor(payload: Payload, nouns: ReadonlyMap<string, number>) {
    this.#payload = payload;
    this.#nouns = nouns;
  }

  /** `flow.name`, `flowId` or `flow` of an event such as `flow.deleted`, at any depth. */
  namedAfterEvent(scope: JsonNode): Target | null {
    const found: Candidate[] = [];
    let level = [{ node: scope, path: [] as string[] }];
    for (let depth = 0; depth < mostDepth && level.length > 0; depth++) {
      const next: typeof level = [];
      for (const { node, path } of level)
        for (const { key, value } of this.#firstMembers(node)) {
          const isDetails = depth === 0 && rules.details.includes(key as never);
          if (key !== '' && (isDetails || isNoTarget(key))) continue;
          const here = key === '' ? path : [...path, key];
          const match = key === '' ? null : this.#matchNoun(key);
          const target = match && this.#describe(value, here, this.#idBeside(node, key));
          if (match && target)
            found.push({ rank: [match.place, -match.length, match.isId ? 1 : 0, depth], target });
          else if ('members' in value && !(node.kind === 'array' && node.members[0]?.value !== value))
            next.push({ node: value, path: here });
        }
      level = next;
    }
    return found.sort((a, b) => compareRanks(a.rank, b.rank))[0]?.target ?? null;
  }

  #firstMembers(node: JsonNode): readonly Member[] {
    return this.#payload.members(node).slice(0, mostMembers);
  }

  conventional(scope: JsonNode): Target | null {
    return firstOf(rules.targets, (key) => {
      const node = this.#payload.get(scope, key);
      return node && this.#describe(node, [key], null);
    });
  }

  /** The name or id of the scope itself. */
  own(scope: JsonNode): Target | null {
    const found = this.#nameOf(scope);
    return found && { ...found, label: found.key === 'name' ? '' : found.key, more: 0 };
  }

  /** Any key that ends as names and ids do. */
  byEnding(scope: JsonNode): Target | null {
    const members = this.#firstMembers(scope).filter(({ key }) => !isNoTarget(key));
    return firstOf([rules.nameEnds, rules.idEnds], (ends) =>
      firstOf(members, ({ key, value }) => {
        const text = this.#payload.words(value);
        return text !== null && endOf(key, ends) !== null
          ? { label: key, value: text, more: 0, id: null }
          : null;
      }),
    );
  }

  #matchNoun(key: string): { place: number; length: number; isId: boolean } | null {
    const plain = plainKey(key);
    for (const [ends, isId] of [
      [[], false],
      [rules.nameEnds, false],
      [rules.idEnds, true],
    ] as const) {
      const noun = ends.length === 0 ? plain : endOf(key, ends);
      const place = noun === null || noun.length < 2 ? undefined : this.#nouns.get(noun);
      if (place !== undefined) return { place, length: noun?.length ?? 0, isId };
    }
    return null;
  }

  /** The value of `flowId`, beside `flowName`. */
  #idBeside(node: JsonNode, key: string): string | null {
    const noun = endOf(key, rules.nameEnds);
    if (noun === null) return null;
    return firstOf(this.#payload.members(node), (member) =>
      endOf(member.key, rules.idEnds) === noun ? this.#payload.words(member.value) : null,
    );
  }

  #describe(node: JsonNode, path: readonly string[], id: string | null): Target | null {
    const text = this.#payload.words(node);
    if (text !== null) return { label: path.join('.'), value: text, more: 0, id };
    if (node.kind === 'array') {
      const [first, ...rest] = this.#payload.members(node);
      const target = first ? this.#describe(first.value, path, null) : null;
      return target && { ...target, more: rest.length };
    }
    const found = this.#nameOf(node);
    return found && { ...found, label: (found.isName ? path : [...path, found.key]).join('.'), more: 0 };
  }

  #nameOf(node: JsonNode): { key: string; value: string; isName: boolean; id: string | null } | null {
    const pick = (keys: readonly string[]) =>
      firstOf(keys, (key) => {
        const value = this.#payload.words(this.#payload.get(node, key));
        return value === null ? null : { key, value };
      });
    const id = pick(rules.ids);
    const name = pick(rules.names);
    if (name) return { ...name, isName: true, id: id?.value ?? null };
    return id && { ...id, isName: false, id: null };
  }
}

/** What stands before one of the ends, without `_` and in small letters; null: the key has none of them, or is one. */
function endOf(key: string, ends: readonly string[]): string | null {
  const plain = plainKey(key);
  const end = ends.find((each) => plain.endsWith(each) && plain !== each);
  return end === undefined ? null : plain.slice(0, -end.length);
}

const changeKeys: ReadonlySet<string> = new Set([
  ...rules.changes,
  ...rules.pairs.flat(),
  ...rules.strictPairs.flat(),
]);

function isNoTarget(key: string): boolean {
  return changeKeys.has(key) || isAside(key);
}

function firstOf<T, R>(list: readonly T[], pick: (item: T) => R | null): R | null {
  for (const item of list) {
    const found = pick(item);
    if (found !== null) return found;
  }
  return null;
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((each, index) => each !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
