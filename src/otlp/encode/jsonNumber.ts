/**
 * JSON numbers as AnyValues, never rounded: a number that neither an int64 nor a double holds exactly becomes its own text
 * (opentelemetry-specification common/attribute-type-mapping.md: "integer/decimal values … outside: string").
 */
import { Char, type JsonCursor, type Written } from './jsonCursor.ts';
import { writeText } from './jsonLiteral.ts';
import { AnyValueTag, writeBigInt, writeInt } from './wire.ts';

/** Any integer and any decimal of at most this many digits survives a double (DBL_DIG). */
const exactDigits = 15;
/** Digits of 2^63; a number with more is outside int64. */
const int64Digits = 19;
const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

/** Writes the number at the cursor as the content of an AnyValue. */
export function writeNumber(cursor: JsonCursor): Written {
  const bytes = cursor.bytes;
  const start = cursor.at;
  const negative = bytes[start] === Char.minus;
  const digitsStart = negative ? start + 1 : start;
  let at = digitsStart;
  let value = 0;
  let c = bytes[at] ?? 0;
  while (isDigit(c)) {
    value = value * 10 + (c - Char.zero);
    c = bytes[++at] ?? 0;
  }
  const digits = at - digitsStart;
  if (digits === 0 || (digits > 1 && bytes[digitsStart] === Char.zero)) return 'malformed';
  if (c === Char.point || (c | 0x20) === 0x65) return writeDecimal(cursor, at);
  cursor.at = at;
  if (digits > exactDigits) return writeLongInteger(cursor, start, digits);
  if (negative && value === 0) return writeDouble(cursor, -0); // no integer has a negative zero
  bytes[cursor.pos] = AnyValueTag.int;
  cursor.pos = writeInt(bytes, cursor.pos + 1, negative ? -value : value);
  return 'complete';
}

function writeLongInteger(cursor: JsonCursor, start: number, digits: number): Written {
  if (digits <= int64Digits) {
    const value = BigInt(textOf(cursor, start));
    if (value >= int64Min && value <= int64Max) {
      cursor.bytes[cursor.pos] = AnyValueTag.int;
      cursor.pos = writeBigInt(cursor.bytes, cursor.pos + 1, value);
      return 'complete';
    }
  }
  return writeText(cursor, start);
}

/** A number with a fraction, an exponent or both; `at` is the end of its integer part. */
function writeDecimal(cursor: JsonCursor, at: number): Written {
  const bytes = cursor.bytes;
  const start = cursor.at;
  if (bytes[at] === Char.point) {
    const fraction = at + 1;
    at = skipDigits(bytes, fraction);
    if (at === fraction) return 'malformed';
  }
  if (((bytes[at] ?? 0) | 0x20) === 0x65) {
    at++;
    if (bytes[at] === Char.plus || bytes[at] === Char.minus) at++;
    const exponent = at;
    at = skipDigits(bytes, exponent);
    if (at === exponent) return 'malformed';
  }
  cursor.at = at;
  const value = exactDouble(textOf(cursor, start));
  return value === undefined ? writeText(cursor, start) : writeDouble(cursor, value);
}

/**
 * The double that a decimal text (fraction or exponent present) denotes, or undefined if it would have to be
 * rounded: if the shortest decimal that denotes the double is a different number.
 */
function exactDouble(text: string): number | undefined {
  const value = Number(text);
  // At most 15 digits and the point; without an exponent they are far from the double's limits.
  if (text.length <= exactDigits + 1 && !/[eE]/.test(text)) return value;
  if (!Number.isFinite(value)) return undefined;
  const wanted = normalize(text);
  const found = normalize(String(value));
  return wanted.digits === found.digits && wanted.exponent === found.exponent ? value : undefined;
}

/** digits · 10^exponent without leading or trailing zeros; zero has no digits and exponent 0. The sign is left out. */
function normalize(text: string): { digits: string; exponent: number } {
  const [mantissa = '', exponent = '0'] = (text.startsWith('-') ? text.slice(1) : text).split(/[eE]/);
  const [integer = '', fraction = ''] = mantissa.split('.');
  const all = integer + fraction;
  let first = 0;
  while (all[first] === '0') first++;
  let last = all.length;
  while (last > first && all[last - 1] === '0') last--;
  if (first === last) return { digits: '', exponent: 0 };
  return { digits: all.slice(first, last), exponent: Number(exponent) - fraction.length + all.length - last };
}

function writeDouble(cursor: JsonCursor, value: number): Written {
  if (Object.is(value, -0)) cursor.isCanonical = false;
  cursor.bytes[cursor.pos] = AnyValueTag.double;
  cursor.view.setFloat64(cursor.pos + 1, value, true);
  cursor.pos += 9;
  return 'complete';
}

function textOf(cursor: JsonCursor, start: number): string {
  let text = '';
  for (let i = start; i < cursor.at; i++) text += String.fromCharCode(cursor.bytes[i] ?? 0);
  return text;
}

function skipDigits(bytes: Uint8Array, at: number): number {
  while (isDigit(bytes[at] ?? 0)) at++;
  return at;
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}
