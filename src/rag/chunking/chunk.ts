/** Characters of a text: from `start` up to, but not including, `end`, in UTF-16 units as in `text.slice(start, end)`. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** A piece of a text that is embedded by itself. */
export interface Chunk extends TextRange {
  /** Exactly the characters of its range; no white space at either end. */
  readonly text: string;
  /** Line of its first character, from 1. */
  readonly startLine: number;
  /** Line of its last character. */
  readonly endLine: number;
  /** Headings that it stands under, outermost first, its own included. */
  readonly headings: readonly string[];
  /** Those of the headings that its text does not hold: what a reader of the chunk alone would miss. */
  readonly context: readonly string[];
  /** The larger passage that it belongs to, for retrieval. */
  readonly parent: TextRange;
}

/**
 * Cuts a text into chunks, in their order. Every character that is not white space is in at least one of them. A plain
 * function: the same text gives the same chunks.
 */
export type Chunker = (text: string) => Chunk[];
