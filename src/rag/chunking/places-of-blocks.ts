import { LineNumbers } from '../../files/content/line-numbers.js';
import type { TextBlock, TextRange } from '../../files/content/text-block.js';

/** Lines and pages of a range. */
export interface RangePlace {
  readonly startLine: number;
  readonly endLine: number;
  readonly page?: number;
  readonly endPage?: number;
}

/** Where the ranges of a text are in its file. */
export interface Places {
  of(range: TextRange): RangePlace;
}

/** The lines of a text that is the whole file. */
export class PlacesOfText implements Places {
  readonly #lines: LineNumbers;

  constructor(text: string) {
    this.#lines = new LineNumbers(text);
  }

  of({ start, end }: TextRange): RangePlace {
    return { startLine: this.#lines.at(start), endLine: this.#lines.at(end - 1) };
  }
}

/** Lines and pages as the blocks of a text state them; within a block, lines are counted from its first. */
export class PlacesOfBlocks implements Places {
  readonly #lines: LineNumbers;
  readonly #blocks: readonly TextBlock[];

  private constructor(text: string, blocks: readonly TextBlock[]) {
    this.#lines = new LineNumbers(text);
    this.#blocks = blocks;
  }

  static of(text: string, blocks: readonly TextBlock[]): Places {
    const isWholeFile = blocks.every(({ page, startLine }) => page === undefined && startLine === undefined);
    return isWholeFile ? new PlacesOfText(text) : new PlacesOfBlocks(text, blocks);
  }

  of({ start, end }: TextRange): RangePlace {
    const [first, last] = [this.#blockAt(start), this.#blockAt(end - 1)];
    const pages =
      first?.page === undefined ? {} : { page: first.page, endPage: Math.max(first.page, last?.page ?? first.page) };
    const startLine = this.#lineAt(start, first);
    return { startLine, endLine: Math.max(startLine, this.#lineAt(end - 1, last)), ...pages };
  }

  #lineAt(position: number, block: TextBlock | undefined): number {
    const line = this.#lines.at(position);
    if (block?.startLine === undefined) return line;
    // A block may have more lines in the file than in the text: its last character is in its last line.
    if (position >= block.end - 1) return block.endLine ?? block.startLine;
    return Math.min(block.startLine + line - this.#lines.at(block.start), block.endLine ?? Number.POSITIVE_INFINITY);
  }

  /** The last block that starts at or before a position. */
  #blockAt(position: number): TextBlock | undefined {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#blocks[middle] as TextBlock).start <= position) low = middle + 1;
      else high = middle;
    }
    return this.#blocks[low - 1];
  }
}
