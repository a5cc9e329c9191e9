import { ByteWriter } from '../byte-writer.js';

/** Bytes in the formats of native/kernel/columns/FORMAT.md: a lone surrogate has the three bytes of its code point. */
export class ColumnWriter extends ByteWriter {
  /** Eight bytes, little-endian. There is one zero. */
  number(value: number): void {
    this.reserve(8);
    this.at = this.buffer.writeDoubleLE(value + 0, this.at);
  }

  protected override unicode(text: string): void {
    if (text.isWellFormed()) {
      super.unicode(text);
      return;
    }
    for (const character of text) {
      const point = character.codePointAt(0) as number;
      if (point >= 0xd800 && point <= 0xdfff) {
        for (const part of [0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f)]) this.byte(part);
      } else {
        super.unicode(character);
      }
    }
  }
}
