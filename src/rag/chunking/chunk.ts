import type { TextRange } from '../../files/content/text-block.js';

export type { TextRange } from '../../files/content/text-block.js';

/** A part of a text that is embedded separately. */
export interface Chunk extends TextRange {
  /** The characters of the range; no white space at either end. */
  readonly text: string;
  /** Line of its first character, from 1. */
  readonly startLine: number;
  /** Line of its last character. */
  readonly endLine: number;
  /** The white space before it in its line, if it begins an indented line. */
  readonly indent?: string;
  /** Headings above and in the chunk, outermost first. */
  readonly headings: readonly string[];
  /** The headings that are not in the text of the chunk: the missing context. */
  readonly context: readonly string[];
  /** The enclosing larger passage, for retrieval. */
  readonly parent: TextRange;
  /** First page of the chunk, from 1, in a file with pages. */
  readonly page?: number;
  /** Last page. */
  readonly endPage?: number;
}

/**
 * Splits a text into chunks, in order. Every character except white space is in at least one chunk. Must be a pure
 * function.
 */
export type Chunker = (text: string) => Chunk[];
