/** Protobuf built once, for what is the same in every record; everything here favours clarity over speed. */
import { AnyValueTag, KeyValueTag, varintSize, writeVarint } from './wire.ts';

/** A length-delimited field: tag, length, content. */
export function field(tag: number, ...content: Uint8Array[]): Uint8Array {
  const body = Buffer.concat(content);
  const head = new Uint8Array(1 + varintSize(body.length));
  head[0] = tag;
  writeVarint(head, 1, body.length);
  return Buffer.concat([head, body]);
}

export function text(value: string): Uint8Array {
  return Buffer.from(value);
}

/** A KeyValue with a string value, as the field `tag` of its owner. */
export function stringAttribute(tag: number, key: string, value: string): Uint8Array {
  return field(tag, keyField(key), field(KeyValueTag.value, field(AnyValueTag.string, text(value))));
}

/** A KeyValue with the value true, as the field `tag` of its owner. */
export function trueAttribute(tag: number, key: string): Uint8Array {
  return field(tag, keyField(key), field(KeyValueTag.value, Uint8Array.of(AnyValueTag.bool, 1)));
}

/** `KeyValue.key`, to be followed by `KeyValue.value`. */
export function keyField(key: string): Uint8Array {
  return field(KeyValueTag.key, text(key));
}
