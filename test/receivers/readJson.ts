/**
 * What a JSON text must be as an OTLP AnyValue, read from the text slowly and for clarity. It shares no code with the
 * encoder (whose file `jsonValue.ts` has the rules), so that a test can hold what a receiver got against the source.
 */
import { maxDepth } from '../../src/otlp/encode/jsonValue.ts';
import type { AnyValue } from '../../tools/otlp/otlpProto.ts';

/** @throws SyntaxError when it is no JSON. */
export function readJson(text: string): AnyValue {
  JSON.parse(text);
  const reader = new Reader(text);
  return reader.value(1);
}

/** Reads text that is known to be JSON, so it looks for no errors. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): AnyValue {
    this.#skip(/[ \t\r\n]*/y);
    switch (this.#text[this.#at]) {
      case '{':
        return this.#container(depth, () => this.#object(depth));
      case '[':
        return this.#container(depth, () => this.#array(depth));
      case '"':
        return toStringValue(this.#string());
      case 't':
      case 'f':
        return this.#skip(/true|false/y) === 'true';
      case 'n':
        this.#skip(/null/y);
        return null;
      default:
        return toNumberValue(this.#skip(/[-+.\deE]+/y));
    }
  }

  /** One that is too deep, or has a key that UTF-8 cannot hold, is its own text. */
  #container(depth: number, read: () => AnyValue | undefined): AnyValue {
    const start = this.#at;
    const value = read();
    return depth > maxDepth || value === undefined ? this.#text.slice(start, this.#at) : value;
  }

  #array(depth: number): AnyValue {
    const items: AnyValue[] = [];
    while (this.#next(']')) items.push(this.value(depth + 1));
    return items;
  }

  /** undefined: a key has half a surrogate pair. */
  #object(depth: number): AnyValue | undefined {
    const members = new Map<string, AnyValue>();
    let isWellFormed = true;
    while (this.#next('}')) {
      this.#skip(/[ \t\r\n]*/y);
      const key = this.#string();
      isWellFormed &&= key.isWellFormed();
      this.#skip(/[ \t\r\n]*:/y);
      const value = this.value(depth + 1);
      members.delete(key); // the last of equal keys stays, in its own place
      members.set(key, value);
    }
    return isWellFormed ? members : undefined;
  }

  /** Steps over `{`, `[` or `,` and says whether an item follows. */
  #next(close: string): boolean {
    this.#skip(/[ \t\r\n]*[[{,]?[ \t\r\n]*/y);
    if (this.#text[this.#at] !== close) return true;
    this.#at++;
    return false;
  }

  #string(): string {
    return JSON.parse(this.#skip(/"(?:[^"\\]|\\.)*"/y)) as string;
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [found = ''] = pattern.exec(this.#text) ?? [];
    this.#at += found.length;
    return found;
  }
}

/** With half a surrogate pair in it the bytes are WTF-8. */
function toStringValue(text: string): AnyValue {
  if (text.isWellFormed()) return text;
  const bytes = [...text].map((character) => {
    if (character.isWellFormed()) return Buffer.from(character);
    const unit = character.charCodeAt(0);
    return Buffer.from([0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)]);
  });
  return new Uint8Array(Buffer.concat(bytes));
}

/** An int64, else a double that is the very number, else the text. */
function toNumberValue(text: string): AnyValue {
  if (/^-?\d+$/.test(text) && text !== '-0') {
    const integer = BigInt(text);
    return BigInt.asIntN(64, integer) === integer ? integer : text;
  }
  const double = Number(text);
  if (!Number.isFinite(double)) return text;
  return spellDecimal(text) === spellDecimal(String(double)) ? double : text;
}

/** Equal for equal numbers: digits without zeros at either end, and the power of ten. */
function spellDecimal(text: string): string {
  const [mantissa = '', exponent = '0'] = text.replace('-', (sign, at) => (at === 0 ? '' : sign)).split(/e/i);
  const [integer = '', fraction = ''] = mantissa.split('.');
  const digits = (integer + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

/**
 * A value on one line: equal for equal values in type and every bit, whatever the order of keys. For comparing
 * thousands, with the first difference shown.
 */
export function spell(value: AnyValue): string {
  if (typeof value === 'bigint') return `${value}`;
  if (typeof value === 'number') return `double ${Object.is(value, -0) ? '-0' : value}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return `[${value.map(spell).join(',')}]`;
  if (value instanceof Map) {
    const members = [...value].map(([key, item]) => `${JSON.stringify(key)}:${spell(item)}`);
    return `{${members.sort().join(',')}}`;
  }
  return JSON.stringify(value);
}
