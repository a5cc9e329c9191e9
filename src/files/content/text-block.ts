/**
 * A range of a text: from `start` up to, but not including, `end`, in UTF-16 code units as in `text.slice(start, end)`.
 */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** The kind of a block: a chunker splits each at other places. A `definition` is a function, a class or a module in source code. */
export type BlockKind = 'heading' | 'text' | 'list' | 'table' | 'code' | 'html' | 'metadata' | 'definition';

/** A part of the text of a file that belongs together: a paragraph, a heading, a list, a table, code. */
export interface TextBlock extends TextRange {
  readonly kind: BlockKind;
  /** Level of a heading, from 1; of a definition, how many definitions it is in. */
  readonly depth: number;
  /** The text of a heading, the title in metadata, the name of a definition; otherwise empty. */
  readonly heading: string;
  /** Number of its page, from 1; see `pageKind` of the file. */
  readonly page?: number | undefined;
  /** First and last line in the file, from 1, where they are not those of the text. */
  readonly startLine?: number | undefined;
  readonly endLine?: number | undefined;
}

/** A block with its place in the file. */
export interface PlacedBlock extends TextBlock {
  /** The headings above it, and its own, outermost first. */
  readonly headings: readonly string[];
  /** First and last line, from 1: of the file if it is text, otherwise of the text that was extracted. */
  readonly startLine: number;
  readonly endLine: number;
}
