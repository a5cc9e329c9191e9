import type { FileContent, FileProperties, PageKind } from './file-content.js';
import { tooLarge } from './invalid-file.js';
import type { BlockKind, TextBlock } from './text-block.js';

/** Where a block is, and its level if it is a heading. */
export interface BlockPlace {
  readonly depth?: number;
  readonly page?: number | undefined;
  readonly startLine?: number | undefined;
  readonly endLine?: number | undefined;
}

/** Collects the text of a file block by block. Blocks are separated by blank lines, rows of a table by line ends. */
export class ContentBuilder {
  readonly #maxCharacters: number;
  readonly #pieces: string[] = [];
  readonly #blocks: TextBlock[] = [];
  #length = 0;

  constructor(maxCharacters: number) {
    this.#maxCharacters = maxCharacters;
  }

  get isEmpty(): boolean {
    return this.#blocks.length === 0;
  }

  /** Appends a block; white space at its ends is removed, and an empty one is ignored. @throws TOO_LARGE. */
  add(kind: BlockKind, content: string, place: BlockPlace = {}): void {
    const text = content.trim();
    if (text === '') return;
    const start = this.#separate(kind, place.page);
    const { depth = 0, page, startLine, endLine } = place;
    const heading = kind === 'heading' ? text.replace(/\s+/g, ' ') : '';
    this.#append(kind === 'heading' ? heading : text);
    this.#blocks.push({ kind, start, end: this.#length, depth, heading, page, startLine, endLine });
  }

  /** Appends a text whose blocks are known. */
  addBlocks(text: string, blocks: readonly TextBlock[], page?: number): void {
    const offset = this.#separate(blocks[0]?.kind ?? 'text', page);
    this.#append(text);
    for (const block of blocks) {
      this.#blocks.push({ ...block, start: block.start + offset, end: block.end + offset, page });
    }
  }

  /** Sets the lines of all blocks, by their texts. A block that is not found gets those of the one before. */
  placeLines(lines: {
    find(text: string): { readonly startLine: number; readonly endLine: number } | undefined;
  }): void {
    const text = this.#pieces.join('');
    let last = { startLine: 1, endLine: 1 };
    this.#blocks.forEach((block, position) => {
      last = lines.find(text.slice(block.start, block.end)) ?? last;
      this.#blocks[position] = { ...block, ...last };
    });
  }

  finish(
    properties: Omit<FileProperties, 'format'>,
    pages?: { readonly pageKind: PageKind; readonly pages: number },
  ): FileContent {
    return { text: this.#pieces.join(''), blocks: this.#blocks, properties, ...pages };
  }

  #separate(kind: BlockKind, page: number | undefined): number {
    const last = this.#blocks.at(-1);
    if (last !== undefined) {
      this.#append(kind === 'table' && last.kind === 'table' && last.page === page ? '\n' : '\n\n');
    }
    return this.#length;
  }

  #append(text: string): void {
    this.#length += text.length;
    if (this.#length > this.#maxCharacters) {
      throw tooLarge(`its text is longer than ${this.#maxCharacters.toLocaleString('en')} characters`, 'maxCharacters');
    }
    this.#pieces.push(text);
  }
}

/** The given properties without those that are empty. */
export function properties(
  given: Readonly<Record<'title' | 'author' | 'language' | 'created' | 'modified', string | undefined>>,
): Omit<FileProperties, 'format'> {
  const kept = Object.entries(given).flatMap(([name, value]) => {
    const clean = value?.replace(/\s+/g, ' ').trim().slice(0, 500) ?? '';
    return clean === '' ? [] : [[name, clean]];
  });
  return Object.fromEntries(kept);
}

/** A date as ISO 8601; undefined if it is not one. */
export function isoDate(date: string | undefined): string | undefined {
  const time = date === undefined || date.trim() === '' ? Number.NaN : Date.parse(date);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}
