import { ByteWriter } from '../../byte-writer.js';

/** Bytes as PostgreSQL reads them: numbers are in the order of the network. */
export class MessageWriter extends ByteWriter {
  int16(value: number): void {
    this.reserve(2);
    this.at = this.buffer.writeInt16BE(value, this.at);
  }

  int32(value: number): void {
    this.reserve(4);
    this.at = this.buffer.writeInt32BE(value, this.at);
  }

  /** A safe integer as eight bytes. */
  int64(value: number): void {
    this.int32(Math.floor(value / 2 ** 32));
    this.reserve(4);
    this.at = this.buffer.writeUInt32BE(value >>> 0, this.at);
  }

  /** The number of bytes that `write` writes as 32 bits, and these. */
  sized(write: () => void): void {
    const start = this.at;
    this.int32(0);
    write();
    this.buffer.writeInt32BE(this.at - start - 4, start);
  }

  /** The number of bytes of the UTF-8 of a text as 32 bits, and these. */
  text(text: string): void {
    // A code unit has at most three bytes.
    this.reserve(4 + 3 * text.length);
    const size = this.buffer.write(text, this.at + 4, 'utf8');
    this.buffer.writeInt32BE(size, this.at);
    this.at += 4 + size;
  }
}
