/** Uids as text and as bytes. */

const scratch = new Uint32Array(4);
const scratchBytes = new Uint8Array(scratch.buffer);
const hexValue = new Int8Array(128).fill(-1);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  hexValue[digit.charCodeAt(0)] = value;
  hexValue[digit.toUpperCase().charCodeAt(0)] = value;
}

/** The 16 bytes of a UUID's text as four words in memory order, valid until the next call; null when it is no UUID. */
export function parseUid(text: string): Uint32Array | null {
  if (text.length !== 36) return null;
  let digits = 0;
  let byte = 0;
  for (let i = 0; i < 36; i++) {
    const c = text.charCodeAt(i);
    if (i === 8 || i === 13 || i === 18 || i === 23) {
      if (c !== 0x2d) return null;
      continue;
    }
    const value = c < 128 ? (hexValue[c] ?? -1) : -1;
    if (value < 0) return null;
    if (digits % 2 === 0) byte = value;
    else scratchBytes[digits >> 1] = byte * 16 + value;
    digits++;
  }
  return scratch;
}

export function formatUid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
