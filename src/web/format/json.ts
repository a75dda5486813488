/**
 * Parses JSON into a tree that keeps the original spelling: every number stays the text that it was, so nothing is rounded.
 *
 * Not here: how it looks (jsonHtml.ts).
 */

export type JsonNode = JsonContainer | JsonScalar;

export interface JsonContainer {
  readonly kind: 'object' | 'array';
  /** Where it is in the text: `text.slice(start, end)`. */
  readonly start: number;
  readonly end: number;
  readonly members: readonly JsonMember[];
  /** The text ends inside the container, which has more members. */
  readonly isCut?: boolean;
}

export interface JsonScalar {
  /** `literal`: true, false, null. */
  readonly kind: 'string' | 'number' | 'literal';
  readonly start: number;
  readonly end: number;
  /** The text ends inside the value. Only strings are kept when cut. */
  readonly isCut?: boolean;
}

export interface JsonMember {
  /** JSON text of the key with its quotes; null in an array. */
  readonly key: string | null;
  readonly value: JsonNode;
}

interface OpenContainer extends JsonContainer {
  end: number;
  isCut?: boolean;
  readonly members: JsonMember[];
}

/** Matches brackets, and whole strings, numbers and literals; separators and space are skipped. */
const token = /[{}[\]]|"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null/gy;
const between = /[\s,:]*/gy;

/**
 * The tree of a JSON text that Postgres printed; null for anything else. Depth costs no stack: open containers are kept in a list.
 *
 * @param isCut the text is only the beginning of a JSON text. A number or word at its end may be incomplete, so it is left out.
 */
export function parseJsonText(text: string, isCut = false): JsonNode | null {
  const open: OpenContainer[] = [];
  let root: JsonNode | null = null;
  let key: string | null = null;
  let at = 0;
  const closeCut = (stringStart: number | null = null): JsonNode | null => {
    if (stringStart !== null) {
      const value = { kind: 'string', start: stringStart, end: text.length, isCut: true } as const;
      const parent = open.at(-1);
      if (parent) parent.members.push({ key, value });
      else root ??= value;
    }
    for (const container of open) Object.assign(container, { end: text.length, isCut: true });
    return root;
  };
  for (;;) {
    between.lastIndex = at;
    between.exec(text);
    at = between.lastIndex;
    if (at === text.length && open.length === 0) return root;
    if (at === text.length) return isCut ? closeCut() : null;
    token.lastIndex = at;
    const match = token.exec(text);
    if (isCut && (!match || (token.lastIndex === text.length && /[\dtfn-]/.test(match[0].charAt(0))))) {
      const isValue = open.at(-1)?.kind !== 'object' || key !== null;
      return closeCut(isValue && !match && text[at] === '"' ? at : null);
    }
    if (!match || (open.length === 0 && root !== null)) return null;
    const [found] = match;
    at = token.lastIndex;
    const parent = open.at(-1);
    if (found === '}' || found === ']') {
      const closed = open.pop();
      if (closed === undefined || (closed.kind === 'object') !== (found === '}') || key !== null) return null;
      closed.end = at;
      continue;
    }
    if (parent?.kind === 'object' && key === null) {
      if (!found.startsWith('"')) return null;
      key = found;
      continue;
    }
    const value = makeNode(found, at - found.length, at);
    if (parent) parent.members.push({ key, value });
    else root = value;
    key = null;
    if ('members' in value) open.push(value);
  }
}

function makeNode(found: string, start: number, end: number): OpenContainer | JsonScalar {
  if (found === '{' || found === '[') {
    return { kind: found === '{' ? 'object' : 'array', start, end, members: [] };
  }
  const first = found.charAt(0);
  return { kind: first === '"' ? 'string' : /[tfn]/.test(first) ? 'literal' : 'number', start, end };
}

/** Describes a document with one value as `request.ip = 10.0.0.1`, and any other as it is. */
export function describeDocument(text: string): string {
  let node = parseJsonText(text);
  let path = '';
  while (node && 'members' in node) {
    const [member] = node.members;
    if (!member || node.members.length > 1)
      return path === '' ? text : `${path} ∋ ${text.slice(node.start, node.end)}`;
    path += member.key === null ? '[]' : `${path === '' ? '' : '.'}${unquote(member.key)}`;
    node = member.value;
  }
  if (!node) return text;
  const value = text.slice(node.start, node.end);
  const shown = node.kind === 'string' ? unquote(value) : value;
  return path === '' ? shown : `${path} = ${shown}`;
}

/** The text of a JSON string. */
function unquote(json: string): string {
  return JSON.parse(json) as string;
}
