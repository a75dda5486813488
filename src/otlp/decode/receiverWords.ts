/** Finds the sentence a person would want to read in an answer, whatever form the receiver or a proxy gave it. */
import type { Response } from '../../model/answer.ts';
import { parseObject } from './exportResponse.ts';
import { readMediaType } from './mediaType.ts';
import { readFields } from './readFields.ts';

/** Nothing beyond it is read, except JSON, which is parsed whole: words of interest come at the beginning. */
const maxBytesRead = 4 * 1024;

/** Raw text, perhaps long and with anything in it: clean and redact it before you show it. Empty: no words. */
export function findReceiverWords(response: Response): string {
  const type = readMediaType(response.headers['content-type']);
  if (type === 'protobuf') return decodeStatusMessage(response.body);

  const body = response.body.subarray(0, maxBytesRead);
  // Some receivers send a Status as protobuf without saying so. No text begins with its first byte, the tag of field 1 or 2.
  if (body[0] === 0x08 || body[0] === 0x12) return decodeStatusMessage(response.body);

  if (isBinary(body)) return '';
  const text = new TextDecoder().decode(body);
  if (type === 'html' || /^\s*<(?:!doctype html|html)\b/i.test(text)) return findHtmlTitle(text);
  if (type === 'json' || /^\s*\{/.test(text)) return findJsonWords(parseObject(response.body), 3) ?? text;
  return text;
}

function isBinary(body: Uint8Array): boolean {
  return body.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d && byte !== 0x1b);
}

const htmlEntities: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  amp: '&',
  nbsp: ' ',
};

/** Title or first heading of a page: there a proxy's page says what went wrong. */
function findHtmlTitle(html: string): string {
  const found = /<(title|h1)\b[^>]{0,200}>([^<]{1,1000})/i.exec(html)?.[2] ?? '';
  return found.replace(/&(lt|gt|quot|apos|amp|nbsp);/g, (whole, name: string) => htmlEntities[name] ?? whole);
}

/** Fields that hold the sentence, the most telling first: google.rpc.Status, OAuth, RFC 9457, Splunk, Elasticsearch. */
const wordFields = [
  'message',
  'errorMessage',
  'error_description',
  'detail',
  'error',
  'errors',
  'reason',
  'text',
  'title',
  'description',
];

function findJsonWords(value: unknown, depth: number): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  if (depth === 0 || typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value)) return findJsonWords(value[0], depth - 1);
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name of wordFields) {
    const words = findJsonWords(fields[name], depth - 1);
    if (words !== null) return words;
  }
  return null;
}

/**
 * The message of a google.rpc.Status, which receivers answer failures with: message = 2 string. Empty when the bytes are not such a
 * message, or it has none; never throws. The HTTP status decides what an answer means (OTLP specification, "Failures").
 */
function decodeStatusMessage(body: Uint8Array): string {
  let message = '';
  try {
    readFields(body, {
      1: { wireType: 0, read: (reader) => reader.int32() },
      2: {
        wireType: 2,
        read: (reader) => {
          message = reader.string();
        },
      },
    });
  } catch {
    return '';
  }
  return message;
}
