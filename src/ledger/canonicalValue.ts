/**
 * The one spelling of an AnyValue that a fingerprint is made of. Protobuf promises none (protobuf.dev, "Proto Serialization Is Not
 * Canonical"), so it is ours: a map's keys by (length, bytes) in UTF-8, which is jsonb's order; an empty key left out, as protobuf
 * does with an empty string; a value always present; no negative zero.
 */
import { field } from '../otlp/encode/constants.ts';
import { AnyValueTag, elementTag, KeyValueTag } from '../otlp/encode/wire.ts';

interface Member {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A field of type AnyValue in its one spelling. */
export function canonicalField(written: Uint8Array): Uint8Array {
  return field(written[0] ?? 0, canonicalValue(contentOf(written)));
}

/** @param value an AnyValue's content as the encoder writes it: shortest varints, a key always there, then its value. */
function canonicalValue(value: Uint8Array): Uint8Array {
  const [tag] = value;
  switch (tag) {
    case AnyValueTag.array: {
      const elements = fieldsOf(contentOf(value)).map(({ content }) =>
        field(elementTag, canonicalValue(content)),
      );
      return field(tag, ...elements);
    }
    case AnyValueTag.kvlist: {
      const members = fieldsOf(contentOf(value)).map(({ content }) => readMember(content));
      return field(tag, ...members.sort(compareKeys).map(writeMember));
    }
    case AnyValueTag.double: {
      const view = new DataView(value.buffer, value.byteOffset);
      return view.getFloat64(1, true) === 0 ? Uint8Array.of(tag, 0, 0, 0, 0, 0, 0, 0, 0) : value;
    }
    default:
      return value;
  }
}

function readMember(content: Uint8Array): Member {
  const [key, value] = fieldsOf(content);
  return { key: key?.content ?? content, value: value?.content ?? content };
}

function writeMember({ key, value }: Member): Uint8Array {
  const name = key.length === 0 ? key : field(KeyValueTag.key, key);
  return field(elementTag, name, field(KeyValueTag.value, canonicalValue(value)));
}

function compareKeys(a: Member, b: Member): number {
  return a.key.length - b.key.length || Buffer.compare(a.key, b.key);
}

/** The content of the one length-delimited field that `bytes` are. */
function contentOf(bytes: Uint8Array): Uint8Array {
  return fieldsOf(bytes)[0]?.content ?? bytes;
}

/** Length-delimited fields one after the other. */
function fieldsOf(bytes: Uint8Array): { content: Uint8Array }[] {
  const fields: { content: Uint8Array }[] = [];
  for (let at = 0; at < bytes.length; ) {
    let length = 0;
    let next = at + 1;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[next++] ?? 0;
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    at = next + length;
    fields.push({ content: bytes.subarray(next, at) });
  }
  return fields;
}
