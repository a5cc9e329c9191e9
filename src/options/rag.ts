import type { LongWorkOptions, Where } from '../types.js';
import { type Listed, longWorkDefaults } from './resolve-options.js';

/** Counts the tokens of a text. */
export type CountTokens = (text: string) => number;

/** What all chunkers take. */
export interface ChunkOptions {
  /** Most tokens of a chunk. Default 200: what one vector can still stand for. */
  maxTokens: number;
  /** Tokens from the end of the chunk before that a chunk repeats, at most. Default 0: neighbours can be had at retrieval. */
  overlapTokens: number;
  /** Most tokens of the passage that is the parent of its chunks. Default 800. */
  parentTokens: number;
  /** How tokens are counted. Default: an estimate that needs no vocabulary, see `estimateTokens`. */
  countTokens: CountTokens | undefined;
}

/** Defaults of {@link ChunkOptions}. */
export const chunkDefaults: ChunkOptions = {
  maxTokens: 200,
  overlapTokens: 0,
  parentTokens: 800,
  countTokens: undefined,
};

/** What `chunkSentences(text, options)` takes. */
export interface SentenceOptions extends ChunkOptions {
  /** Most sentences of a chunk. Default 4. */
  sentences: number;
}

/** Defaults of {@link SentenceOptions}. */
export const sentenceDefaults: SentenceOptions = { ...chunkDefaults, sentences: 4 };

/** Options of `sync(index, sources, options)`. */
export interface SyncOptions<Chunker = unknown> extends Listed<LongWorkOptions> {
  /**
   * What happens to chunks that a source no longer has. `incremental`: they are deleted as soon as the new ones are there.
   * `full`: so are, at the end, the chunks of sources that were not given at all. `none`: they stay. Default incremental.
   */
  cleanup: 'none' | 'incremental' | 'full';
  /**
   * With `full`: which sources stay although they were not given, such as files that could not be read this time. Default:
   * none.
   */
  keep: ((source: string) => boolean | Promise<boolean>) | undefined;
  /** Whether to count only and change nothing. Default false. */
  dryRun: boolean;
  /** Cuts a source into chunks. Default: `chunkMarkdown` where the id ends in .md, .mdx or .markdown, else `chunkRecursively`. */
  chunker: Chunker | undefined;
  /**
   * Name of the set of sources that is synced, where an index holds several: chunks of other sets are left alone, and the
   * metadata of each chunk has it as `collection`. Default: chunks without one.
   */
  collection: string | undefined;
  /**
   * Whether chunks that de-duplication deleted are added again. Default false: they stay away until their text changes or the
   * document that stayed is gone.
   */
  restoreDuplicates: boolean;
  /** Chunks that are embedded and committed together. Default 512. */
  batchSize: number;
}

/** Defaults of {@link SyncOptions}. */
export const syncDefaults: SyncOptions<never> = {
  ...longWorkDefaults,
  cleanup: 'incremental',
  keep: undefined,
  dryRun: false,
  chunker: undefined,
  collection: undefined,
  restoreDuplicates: false,
  batchSize: 512,
};

/** Options of `readFolder(folder, options)`. */
export interface FolderOptions {
  /** Endings of the files that are read. Default: .md, .mdx, .markdown, .txt, .rst. */
  endings: readonly string[];
  /** Folders of these names are left out, as are hidden ones. Default: node_modules. */
  ignore: readonly string[];
  /**
   * Encoding of the files that have no byte-order mark and are not valid UTF-8, as a label of the Encoding Standard:
   * `windows-1252`, `shift_jis`. Default: none; such files are invalid.
   */
  encoding: string | undefined;
  /**
   * What happens to a file that is binary or not of its encoding. `skip`: it is left out and reported in the return value of
   * the generator, which `sync` passes on as `skipped`. `error`: INVALID_FILE. Default skip.
   */
  onInvalid: 'skip' | 'error';
}

/** Defaults of {@link FolderOptions}. */
export const folderDefaults: FolderOptions = {
  endings: ['.md', '.mdx', '.markdown', '.txt', '.rst'],
  ignore: ['node_modules'],
  encoding: undefined,
  onInvalid: 'skip',
};

/** What `new Retriever(index, options)` takes, and each `retrieve(question, options)`. */
export interface RetrieverOptions<Format = unknown> {
  /** How many different hits go into the context at most. Default 8. */
  k: number;
  /** Most tokens of the whole context, headers of the passages included. Default 2000. */
  maxTokens: number;
  /** How a hit grows while there is room: by the chunks around it, to its whole parent, or not at all. Default neighbors. */
  expand: 'none' | 'neighbors' | 'parent';
  /** Chunks on each side that `neighbors` adds at most. Default 1. */
  neighbors: number;
  /** A hit that is at least so similar to a better one is left out; more than 1 leaves only copies out. Default 0.95. */
  duplicateThreshold: number;
  /** As in `search`. Default hybrid. */
  mode: 'vector' | 'text' | 'hybrid';
  /** Only documents that match. Default: all. */
  where: Where | undefined;
  /** Only hits with at least this score. Default: all. */
  minScore: number | undefined;
  /** How tokens are counted. Default: `estimateTokens`. */
  countTokens: CountTokens | undefined;
  /** Writes a passage into the context. Default: `[1] source › heading (lines 3-9)`, a line end, and its text. */
  format: Format | undefined;
  signal: AbortSignal | undefined;
}

/** Defaults of {@link RetrieverOptions}. */
export const retrieverDefaults: RetrieverOptions<never> = {
  k: 8,
  maxTokens: 2000,
  expand: 'neighbors',
  neighbors: 1,
  duplicateThreshold: 0.95,
  mode: 'hybrid',
  where: undefined,
  minScore: undefined,
  countTokens: undefined,
  format: undefined,
  signal: undefined,
};
