import { type ParseFileOptions, parseFileDefaults } from './files.js';
import type { Listed, Resolved } from './resolve-options.js';

/** Counts the tokens of a text. */
export type CountTokens = (text: string) => number;

/** Options of all chunkers. */
export interface ChunkOptions {
  /** Max. tokens of a chunk. Default 200, which one vector represents well. */
  maxTokens?: number | undefined;
  /** Max. tokens that a chunk repeats from the previous one. Default 0; neighbors are available at retrieval. */
  overlapTokens?: number | undefined;
  /** Max. tokens of a parent passage. Default 800. */
  parentTokens?: number | undefined;
  /** Counts tokens. Default: `estimateTokens`. */
  countTokens?: CountTokens | undefined;
}

/** Defaults of {@link ChunkOptions}. */
export const chunkDefaults = {
  maxTokens: 200,
  overlapTokens: 0,
  parentTokens: 800,
  countTokens: undefined,
} satisfies Listed<ChunkOptions>;

/** {@link ChunkOptions}, completed by the defaults. */
export type ResolvedChunkOptions = Resolved<ChunkOptions, typeof chunkDefaults>;

/** Options of `chunkSentences(text, options)`. */
export interface SentenceOptions extends ChunkOptions {
  /** Max. sentences of a chunk. Default 4. */
  sentences?: number | undefined;
}

/** Defaults of {@link SentenceOptions}. */
export const sentenceDefaults = { ...chunkDefaults, sentences: 4 } satisfies Listed<SentenceOptions>;

/** {@link SentenceOptions}, completed by the defaults. */
export type ResolvedSentenceOptions = Resolved<SentenceOptions, typeof sentenceDefaults>;

/** Defaults of {@link ChunkOptions} for source code, whose functions are kept whole. */
export const codeDefaults = { ...chunkDefaults, maxTokens: 500 } satisfies Listed<ChunkOptions>;

/** Options of `readFolder(folder, options)`. */
export interface FolderOptions extends Omit<ParseFileOptions, 'name'> {
  /**
   * Extensions of the files to read. Default: those of Markdown, text, HTML, PDF, DOCX, PPTX, XLSX, EPUB, e-mail,
   * notebooks and source code.
   */
  endings?: readonly string[] | undefined;
  /** Names of directories to skip, in addition to hidden ones. Default: node_modules. */
  ignore?: readonly string[] | undefined;
  /** Leave out what `.gitignore` and `.semanticignore` files name. Default true. */
  ignoreFiles?: boolean | undefined;
  /**
   * Handling of a file that cannot be read. `skip`: it is skipped and listed in the return value of the generator,
   * which `sync` returns as `skipped`. `error`: its error is thrown. Default `skip`.
   */
  onInvalid?: 'skip' | 'error' | undefined;
}

const { name: _, ...parsing } = parseFileDefaults;

/** Defaults of {@link FolderOptions}. */
export const folderDefaults = {
  ...parsing,
  endings: [
    ...['.md', '.mdx', '.markdown', '.txt', '.rst', '.html', '.htm', '.xhtml', '.pdf', '.docx', '.docm', '.pptx'],
    ...['.pptm', '.xlsx', '.xlsm', '.epub', '.eml', '.ipynb', '.js', '.mjs', '.cjs', '.jsx', '.ts', '.mts', '.cts'],
    ...['.tsx', '.py', '.go', '.rs', '.java', '.c', '.h', '.cc', '.cpp', '.cxx', '.hh', '.hpp', '.cs', '.php', '.rb'],
    ...['.sh', '.bash', '.ps1'],
  ] as readonly string[],
  ignore: ['node_modules'] as readonly string[],
  ignoreFiles: true,
  onInvalid: 'skip',
} satisfies Listed<FolderOptions>;

/** {@link FolderOptions}, completed by the defaults. */
export type ResolvedFolderOptions = Resolved<FolderOptions, typeof folderDefaults>;

/**
 * Options of `readPassage(index, id, options)`.
 *
 * @example
 * const options: ReadPassageOptions = { lines: [10, 40], maxTokens: 2000 };
 */
export interface ReadPassageOptions {
  /** First and last line of the source, from 1. Default: the whole chunk, document or source. */
  lines?: readonly [first: number, last: number] | undefined;
  /** First and last page, slide, sheet, chapter or cell, from 1. Default: as for `lines`. */
  pages?: readonly [first: number, last: number] | undefined;
  /** For the id of a chunk: how many chunks before it and behind it are read as well, as far as they fit. Default 0. */
  neighbors?: number | undefined;
  /** Max. tokens of the text. A longer one ends at a line, and `next` continues it. Default: no limit. */
  maxTokens?: number | undefined;
  /** Cursor: `next` of the previous part, with the same id, `lines` and `pages`. Default: the beginning. */
  after?: string | undefined;
  /** Counts tokens. Default: `estimateTokens`. */
  countTokens?: CountTokens | undefined;
  /** Aborting rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** Defaults of {@link ReadPassageOptions}. */
export const readPassageDefaults = {
  lines: undefined,
  pages: undefined,
  neighbors: 0,
  maxTokens: undefined,
  after: undefined,
  countTokens: undefined,
  signal: undefined,
} satisfies Listed<ReadPassageOptions>;

/** {@link ReadPassageOptions}, completed by the defaults. */
export type ResolvedReadPassageOptions = Resolved<ReadPassageOptions, typeof readPassageDefaults>;
