/** Bytes of the longest varint: seven bits each, up to 2^53. */
const maxVarint = 8;

/** Bytes in the formats of native/kernel/columns/FORMAT.md, which grow while they are written. */
export class ByteWriter {
  #bytes: Buffer<ArrayBuffer>;
  #size = 0;

  constructor(capacity = 256) {
    this.#bytes = Buffer.from(new ArrayBuffer(capacity));
  }

  get size(): number {
    return this.#size;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#size++] = value;
  }

  /** A number from 0 to 2^53, seven bits per byte, lowest first. */
  varint(value: number): void {
    this.#reserve(maxVarint);
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.#bytes[this.#size++] = (rest % 128) | 0x80;
    this.#bytes[this.#size++] = rest;
  }

  /** Eight bytes, little-endian. There is one zero. */
  number(value: number): void {
    this.#reserve(8);
    this.#size = this.#bytes.writeDoubleLE(value + 0, this.#size);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  /** The number of bytes of a string, and the bytes: UTF-8, where a lone surrogate has the three bytes of its code point. */
  string(text: string): void {
    this.#reserve(maxVarint + 3 * text.length);
    const start = this.#size;
    this.varint(text.length);
    const bytes = this.#bytes;
    let at = this.#size;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) {
        this.#longString(text, start);
        return;
      }
      bytes[at++] = unit;
    }
    this.#size = at;
  }

  /** What was written so far, in memory of its own. */
  take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.buffer.slice(0, this.#size));
  }

  #longString(text: string, start: number): void {
    this.#size = start;
    // A lone surrogate and its replacement character have the same number of bytes.
    this.varint(Buffer.byteLength(text));
    if (text.isWellFormed()) {
      this.#size += this.#bytes.write(text, this.#size);
      return;
    }
    for (const character of text) {
      const point = character.codePointAt(0) as number;
      if (point >= 0xd800 && point <= 0xdfff) {
        for (const part of [0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f)]) this.byte(part);
      } else {
        this.#size += this.#bytes.write(character, this.#size);
      }
    }
  }

  #reserve(size: number): void {
    if (this.#size + size <= this.#bytes.length) return;
    const grown = Buffer.from(new ArrayBuffer(2 * this.#bytes.length + size));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
