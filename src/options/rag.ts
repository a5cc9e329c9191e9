import type { Listed, Resolved } from './resolve-options.js';

/** Counts the tokens of a text. */
export type CountTokens = (text: string) => number;

/** Options of all chunkers. */
export interface ChunkOptions {
  /** Most tokens of a chunk. Default 200: what one vector can still stand for. */
  maxTokens?: number | undefined;
  /** Tokens from the end of the chunk before that a chunk repeats, at most. Default 0: neighbours can be had at retrieval. */
  overlapTokens?: number | undefined;
  /** Most tokens of the passage that is the parent of its chunks. Default 800. */
  parentTokens?: number | undefined;
  /** How tokens are counted. Default: an estimate that needs no vocabulary, see `estimateTokens`. */
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
  /** Most sentences of a chunk. Default 4. */
  sentences?: number | undefined;
}

/** Defaults of {@link SentenceOptions}. */
export const sentenceDefaults = { ...chunkDefaults, sentences: 4 } satisfies Listed<SentenceOptions>;

/** {@link SentenceOptions}, completed by the defaults. */
export type ResolvedSentenceOptions = Resolved<SentenceOptions, typeof sentenceDefaults>;

/** Options of `readFolder(folder, options)`. */
export interface FolderOptions {
  /** Endings of the files that are read. Default: .md, .mdx, .markdown, .txt, .rst. */
  endings?: readonly string[] | undefined;
  /** Folders of these names are left out, as are hidden ones. Default: node_modules. */
  ignore?: readonly string[] | undefined;
  /**
   * Encoding of the files that have no byte-order mark and are not valid UTF-8, as a label of the Encoding Standard:
   * `windows-1252`, `shift_jis`. Default: none; such files are invalid.
   */
  encoding?: string | undefined;
  /**
   * Handling of a file that is binary or not in its encoding. `skip`: it is left out and reported in the return value of
   * the generator, which `sync` passes on as `skipped`. `error`: INVALID_FILE. Default skip.
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
