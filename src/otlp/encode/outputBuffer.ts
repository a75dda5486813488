/** Bytes being written: grows by doubling, so appending is linear in what was appended. */
export class OutputBuffer {
  bytes: Uint8Array;
  view: DataView;
  /** Where the next byte goes. */
  end: number;

  /** Uses `memory` if it is given and large enough; its previous content does not matter. */
  constructor(initialBytes: number, start: number, memory?: Uint8Array) {
    const isEnough = memory !== undefined && memory.length >= start;
    this.bytes = isEnough ? memory : new Uint8Array(Math.max(initialBytes, start));
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    this.end = start;
  }

  /**
   * Makes room for `size` bytes after `end`. Writers reserve the most they may write once, in advance, and check
   * nothing after that. Reserved memory that is never touched stays unmapped.
   */
  reserve(size: number): void {
    const needed = this.end + size;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.end));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}
