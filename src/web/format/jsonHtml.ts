/**
 * Turns JSON text into HTML that folds: every value is a link that filters by it, every number is as it was written.
 *
 * Promises: whatever the text holds stays text; `maxNodes` bounds the size, and the output says where something was left out.
 */
import { escapeHtml } from './html.ts';
import { type JsonContainer, type JsonMember, type JsonNode, parseJsonText } from './json.ts';

export interface JsonHtmlOptions {
  /** The address of the list filtered by a document such as `{"request": {"ip": "10.0.0.1"}}`. */
  readonly filterUrl: (document: string) => string;
  readonly maxNodes: number;
  /** The text is only the beginning of a JSON text. Default: false. */
  readonly isCut?: boolean;
}

export interface JsonHtml {
  readonly html: string;
  /** Something was left out. */
  readonly isCut: boolean;
}

/** Deeper values are shown on one line, as text. */
const maxDepth = 16;
const openDepth = 4;
const maxStringLength = 1_000;
/** Longer documents are not worth a filter. */
const maxDocumentLength = 500;
/** Each link carries the whole filter; with more links the page would be mostly addresses. */
const maxLinks = 1_000;

export function renderJsonHtml(text: string, options: JsonHtmlOptions): JsonHtml {
  const root = parseJsonText(text, options.isCut);
  if (root === null) return { html: `<pre class="j-raw">${escapeHtml(cut(text).shown)}</pre>`, isCut: true };
  const writer = new JsonWriter(text, options);
  writer.writeMember({ key: null, value: root }, [], true);
  return { html: writer.html, isCut: writer.isCut || options.isCut === true };
}

/** Keys on the way to a node, outermost first; null stands for an array index. */
type Path = ReadonlyArray<string | null>;

class JsonWriter {
  html = '';
  isCut = false;
  readonly #text: string;
  readonly #options: JsonHtmlOptions;
  #nodes = 0;

  constructor(text: string, options: JsonHtmlOptions) {
    this.#text = text;
    this.#options = options;
  }

  writeMember({ key, value }: JsonMember, path: Path, isLast: boolean): void {
    this.#nodes++;
    const label = key === null ? '' : `<bdi class="j-key">${escapeHtml(cut(key).shown)}</bdi>: `;
    const comma = isLast ? '' : ',';
    if ('members' in value && value.members.length > 0 && path.length < maxDepth) {
      this.#writeContainer(value, path, label, comma);
    } else {
      this.html += `<div class="j-line">${label}${this.#scalar(value, path)}${comma}</div>`;
    }
  }

  #writeContainer(node: JsonContainer, path: Path, label: string, comma: string): void {
    const isObject = node.kind === 'object';
    const isOne = node.members.length === 1 && !node.isCut;
    const count = `${node.members.length}${node.isCut ? '+' : ''} ${isObject ? 'key' : 'item'}${isOne ? '' : 's'}`;
    this.html += `<details class="j-node"${path.length < openDepth ? ' open' : ''}><summary>${label}${isObject ? '{' : '['}<span class="j-count">${count}</span></summary><div class="j-body">`;
    for (const [index, member] of node.members.entries()) {
      if (this.#nodes >= this.#options.maxNodes) {
        this.isCut = true;
        this.html += `<div class="j-line j-cut">… ${node.members.length - index}${node.isCut ? '+' : ''} more</div>`;
        break;
      }
      this.writeMember(member, [...path, member.key], index === node.members.length - 1);
    }
    if (node.isCut) this.html += '<div class="j-line j-cut">… and more</div>';
    this.html += `</div><div class="j-line">${isObject ? '}' : ']'}${comma}</div></details>`;
  }

  #scalar(node: JsonNode, path: Path): string {
    const whole = this.#text.slice(node.start, node.end);
    const { shown, isCut } = node.isCut ? { shown: `${startOf(whole)}…`, isCut: true } : cut(whole);
    if (isCut && !node.isCut) this.isCut = true;
    const value = `<bdi>${escapeHtml(shown)}</bdi>`;
    const kind = 'members' in node ? 'j-raw' : `j-${node.kind}`;
    if ('members' in node || isCut || path.length === 0 || this.#nodes > maxLinks)
      return `<span class="${kind}">${value}</span>`;
    const document = wrap(shown, path);
    if (document.length > maxDocumentLength) return `<span class="${kind}">${value}</span>`;
    return `<a class="${kind}" draggable="false" href="${escapeHtml(this.#options.filterUrl(document))}">${value}</a>`;
  }
}

/** The smallest document that has `value` at `path`. */
function wrap(value: string, path: Path): string {
  return path.reduceRight<string>(
    (inner, key) => (key === null ? `[${inner}]` : `{${key}: ${inner}}`),
    value,
  );
}

function cut(text: string): { readonly shown: string; readonly isCut: boolean } {
  if (text.length <= maxStringLength) return { shown: text, isCut: false };
  const left = (text.length - maxStringLength).toLocaleString('en');
  return {
    shown: `${startOf(text)}… (${left} more characters)`,
    isCut: true,
  };
}

function startOf(text: string): string {
  return text.slice(0, maxStringLength).toWellFormed();
}
