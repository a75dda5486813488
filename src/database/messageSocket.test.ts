import { expect, test } from 'vitest';
import { WholeMessages } from './messageSocket.ts';

function message(kind: string, bytes: number, fill: string): Buffer {
  const head = Buffer.from(`${kind}0000`);
  head.writeInt32BE(bytes + 4, 1);
  return Buffer.concat([head, Buffer.alloc(bytes, fill)]);
}

const messages = [
  message('Z', 1, 'I'),
  message('d', 0, ''),
  message('d', 700, 'a'),
  message('C', 6, 'b'),
  message('d', 3_000, 'c'),
  message('Z', 1, 'I'),
];

test.each([1, 2, 3, 4, 5, 6, 7, 64, 705, 706, 10_000])(
  'hands on whole messages, whatever the pieces: %i bytes each',
  (size) => {
    const received: Buffer[] = [];
    const whole = new WholeMessages((bytes) => {
      for (let at = 0; at < bytes.length; ) {
        const end = at + 1 + bytes.readUInt32BE(at + 1);
        expect(end).toBeLessThanOrEqual(bytes.length);
        received.push(Buffer.from(bytes.subarray(at, end)));
        at = end;
      }
    });
    const all = Buffer.concat(messages);
    // One buffer for all pieces, as the socket has it: nothing may be kept in it.
    const shared = Buffer.alloc(size);
    for (let at = 0; at < all.length; at += size) {
      const bytes = all.copy(shared, 0, at, at + size);
      whole.push(shared.subarray(0, bytes));
      shared.fill('!');
    }
    expect(received).toEqual(messages);
  },
);
