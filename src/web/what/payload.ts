/** A payload as the rules look at it: keys by name, texts without quotes, everything else exactly as it is written. */
import { type JsonNode, parseJsonText } from '../format/json.ts';
import { rules } from './rules.ts';

export interface Member {
  /** Empty in an array. */
  readonly key: string;
  readonly value: JsonNode;
}

/** Larger payloads have no summary: reading fifty of them would hold up everybody else. In bytes of UTF-8. */
export const mostSummaryBytes = 65_536;

/** An object with more members gets an index, because every rule asks. */
const fewMembers = 16;

export class Payload {
  readonly root: JsonNode | null;
  readonly #text: string;
  readonly #members = new Map<JsonNode, readonly Member[]>();
  readonly #byKey = new Map<JsonNode, ReadonlyMap<string, JsonNode>>();

  constructor(text: string) {
    this.#text = text;
    this.root = parseJsonText(text);
  }

  /** Empty for anything but an object or an array. */
  members(node: JsonNode): readonly Member[] {
    if (!('members' in node)) return [];
    const known = this.#members.get(node);
    if (known) return known;
    const members = node.members.map(({ key, value }) => ({ key: key === null ? '' : unquote(key), value }));
    this.#members.set(node, members);
    return members;
  }

  /** null: there is none, or `node` is no object. */
  get(node: JsonNode, key: string): JsonNode | null {
    if (node.kind !== 'object') return null;
    const members = this.members(node);
    if (members.length <= fewMembers) return members.find((member) => member.key === key)?.value ?? null;
    const byKey = this.#byKey.get(node) ?? new Map(members.map((member) => [member.key, member.value]));
    this.#byKey.set(node, byKey);
    return byKey.get(key) ?? null;
  }

  /** By a dotted path, whose dots may be part of a key. */
  at(node: JsonNode, path: string): JsonNode | null {
    const whole = this.get(node, path);
    const [first = '', ...rest] = path.split('.');
    if (whole !== null || rest.length === 0) return whole;
    const inner = this.get(node, first);
    return inner && this.at(inner, rest.join('.'));
  }

  /** The JSON text. */
  raw(node: JsonNode): string {
    return this.#text.slice(node.start, node.end);
  }

  /** A string that is not blank, or a number, as people read it; null: anything else. */
  words(node: JsonNode | null): string | null {
    if (node?.kind === 'number') return this.raw(node);
    if (node?.kind !== 'string') return null;
    const text = unquote(this.raw(node));
    return text.trim() === '' ? null : text;
  }
}

/** The text of a JSON string. */
function unquote(json: string): string {
  return json.includes('\\') ? (JSON.parse(json) as string) : json.slice(1, -1);
}

/** For keys that are compared in any case. */
export function plainKey(key: string): string {
  const plain = key.toLowerCase();
  return plain.includes('_') || plain.includes('-') ? plain.replace(/[_-]/g, '') : plain;
}

const asides: ReadonlySet<string> = new Set(rules.asides);

/** The key describes who asked and how. */
export function isAside(key: string): boolean {
  return asides.has(plainKey(key));
}
