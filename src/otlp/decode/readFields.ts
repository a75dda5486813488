/**
 * Walks the fields of one protobuf message. The messages of an answer have two or three fields each, so they are read
 * with protobufjs's reader and without its reflection, which would compile code at run time.
 */
import protobuf from 'protobufjs/minimal.js';

type Reader = protobuf.Reader;

type FieldReader = (reader: Reader) => void;

/** A field we know: how it is on the wire, and what to do with it. */
export interface KnownField {
  readonly wireType: 0 | 2;
  readonly read: FieldReader;
}

/** Known fields are read, others skipped. @throws when the bytes are not such a message; callers turn that into a value. */
export function readFields(bytes: Uint8Array, known: Readonly<Record<number, KnownField>>): void {
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const number = tag >>> 3;
    const wireType = tag & 7;
    if (number === 0) throw new RangeError('No field has the number 0.');
    const field = known[number];
    if (!field) reader.skipType(wireType, 0, number);
    else if (field.wireType === wireType) field.read(reader);
    else throw new RangeError(`Field ${number} has wire type ${wireType}.`);
  }
}
