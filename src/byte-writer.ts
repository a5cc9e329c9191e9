/** Bytes of the longest varint: seven bits each, up to 2^53. */
export const maxVarint = 8;

/** Bytes that grow while they are written. Numbers and strings are those of our own formats; subclasses add others. */
export class ByteWriter {
  protected buffer: Buffer<ArrayBuffer>;
  protected at = 0;

  constructor(capacity = 256) {
    this.buffer = newBuffer(capacity);
  }

  get size(): number {
    return this.at;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.at++] = value;
  }

  /** A number from 0 to 2^53, seven bits per byte, lowest first. */
  varint(value: number): void {
    this.reserve(maxVarint);
    const bytes = this.buffer;
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes[this.at++] = (rest % 128) | 0x80;
    bytes[this.at++] = rest;
  }

  bytes(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** The number of bytes of the UTF-8 of a text, and the UTF-8; a lone surrogate becomes U+FFFD. */
  string(text: string): void {
    // A code unit has at most three bytes.
    this.reserve(maxVarint + 3 * text.length);
    const start = this.at;
    this.varint(text.length);
    const bytes = this.buffer;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) {
        this.at = start;
        this.varint(Buffer.byteLength(text));
        this.unicode(text);
        return;
      }
      bytes[this.at++] = unit;
    }
  }

  /** What was written so far, in memory of its own. */
  take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.buffer.buffer.slice(0, this.at));
  }

  /** What was written, not copied; nothing may be written afterwards. */
  view(): Buffer<ArrayBuffer> {
    return this.buffer.subarray(0, this.at);
  }

  /** The bytes of a text that is not ASCII, for which there is room. */
  protected unicode(text: string): void {
    this.at += this.buffer.write(text, this.at, 'utf8');
  }

  protected reserve(more: number): void {
    if (this.at + more <= this.buffer.length) return;
    const grown = newBuffer(2 * this.buffer.length + more);
    grown.set(this.buffer.subarray(0, this.at));
    this.buffer = grown;
  }
}

/** Not from Node's pool: the whole of its memory is ours. */
function newBuffer(size: number): Buffer<ArrayBuffer> {
  return Buffer.allocUnsafeSlow(size);
}
