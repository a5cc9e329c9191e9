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

/** Options of `readFolder(folder, options)`. */
export interface FolderOptions {
  /** Extensions of the files to read. Default: .md, .mdx, .markdown, .txt, .rst. */
  endings?: readonly string[] | undefined;
  /** Names of directories to skip, in addition to hidden ones. Default: node_modules. */
  ignore?: readonly string[] | undefined;
  /**
   * Encoding of files without a byte-order mark that are not valid UTF-8, as a label of the Encoding Standard:
   * `windows-1252`, `shift_jis`. Default: none; such files are invalid.
   */
  encoding?: string | undefined;
  /**
   * Handling of a file that is binary or in another encoding. `skip`: it is skipped and listed in the return value of
   * the generator, which `sync` returns as `skipped`. `error`: INVALID_FILE. Default `skip`.
   */
  onInvalid?: 'skip' | 'error' | undefined;
}

/** Defaults of {@link FolderOptions}. */
export const folderDefaults = {
  endings: ['.md', '.mdx', '.markdown', '.txt', '.rst'],
  ignore: ['node_modules'],
  encoding: undefined,
  onInvalid: 'skip',
} satisfies Listed<FolderOptions>;

/** {@link FolderOptions}, completed by the defaults. */
export type ResolvedFolderOptions = Resolved<FolderOptions, typeof folderDefaults>;
