/** Bytes that grow. Numbers are in the order of the network, as PostgreSQL has them. */
export class ByteWriter {
  #bytes: Buffer;
  #at = 0;

  constructor(size = 256) {
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  get size(): number {
    return this.#at;
  }

  int16(value: number): void {
    this.#reserve(2);
    this.#at = this.#bytes.writeInt16BE(value, this.#at);
  }

  int32(value: number): void {
    this.#reserve(4);
    this.#at = this.#bytes.writeInt32BE(value, this.#at);
  }

  /** A safe integer as eight bytes. */
  int64(value: number): void {
    this.int32(Math.floor(value / 2 ** 32));
    this.#reserve(4);
    this.#at = this.#bytes.writeUInt32BE(value >>> 0, this.#at);
  }

  /** Seven bits a byte, least first. */
  varint(value: number): void {
    this.#reserve(8);
    const bytes = this.#bytes;
    let rest = value;
    while (rest > 0x7f) {
      bytes[this.#at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    bytes[this.#at++] = rest;
  }

  /** The number of bytes that `write` writes as 32 bits, and these. */
  sized(write: () => void): void {
    const start = this.#at;
    this.int32(0);
    write();
    this.#bytes.writeInt32BE(this.#at - start - 4, start);
  }

  /** The number of bytes of the UTF-8 of a text as 32 bits, and these. */
  text(text: string): void {
    // A code unit has at most three bytes.
    this.#reserve(4 + 3 * text.length);
    const size = this.#bytes.write(text, this.#at + 4, 'utf8');
    this.#bytes.writeInt32BE(size, this.#at);
    this.#at += 4 + size;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** What was written; nothing may be written afterwards. */
  take(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(2 * this.#bytes.length + more);
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}
