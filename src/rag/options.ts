import { type CountTokens, type Listed, longWorkDefaults, type Resolved } from '../options.js';
import type { LongWorkOptions, Metadata, WhereOf } from '../types.js';
import type { SourceChunker } from './chunking/chunk-documents.js';
import type { PassageFormat } from './pack-context.js';

/** Options of `sync(index, sources, options)`. */
export interface SyncOptions<M extends Metadata = Metadata> extends LongWorkOptions {
  /**
   * Handling of chunks that a source no longer has. `incremental`: they are deleted as soon as the new ones are there.
   * `full`: so are, at the end, the chunks of sources that were not given at all. `none`: they stay. Default incremental.
   */
  cleanup?: 'none' | 'incremental' | 'full' | undefined;
  /**
   * With `full`: which sources stay although they were not given, such as files that could not be read this time. Default:
   * none.
   */
  keep?: ((source: string) => boolean | Promise<boolean>) | undefined;
  /** Count the changes without making them. Default false. */
  dryRun?: boolean | undefined;
  /** Cuts a source into chunks. Default: `chunkMarkdown` where the id ends in .md, .mdx or .markdown, else `chunkRecursively`. */
  chunker?: SourceChunker<M> | undefined;
  /**
   * Name of the set of sources that is synced, where an index holds several: chunks of other sets are left alone, and the
   * metadata of each chunk has it as `collection`. Default: chunks without one.
   */
  collection?: string | undefined;
  /**
   * Add chunks again that de-duplication deleted. Default false: they stay away until their text changes or the
   * document that stayed is gone.
   */
  restoreDuplicates?: boolean | undefined;
  /** Chunks that are embedded and committed together. Default 512. */
  batchSize?: number | undefined;
}

/** Defaults of {@link SyncOptions}. */
export const syncDefaults = {
  ...longWorkDefaults,
  cleanup: 'incremental',
  keep: undefined,
  dryRun: false,
  chunker: undefined,
  collection: undefined,
  restoreDuplicates: false,
  batchSize: 512,
} satisfies Listed<SyncOptions>;

/** {@link SyncOptions}, completed by the defaults. */
export type ResolvedSyncOptions<M extends Metadata = Metadata> = Resolved<SyncOptions<M>, typeof syncDefaults>;

/** Options of `new Retriever(index, options)` and of `retrieve(question, options)`. */
export interface RetrieverOptions<M extends Metadata = Metadata> {
  /** How many different hits go into the context at most. Default 8. */
  k?: number | undefined;
  /** Most tokens of the whole context, headers of the passages included. Default 2000. */
  maxTokens?: number | undefined;
  /** How a hit grows while there is room: by the chunks around it, to its whole parent, or not at all. Default neighbors. */
  expand?: 'none' | 'neighbors' | 'parent' | undefined;
  /** Chunks on each side that `neighbors` adds at most. Default 1. */
  neighbors?: number | undefined;
  /** A hit that is at least so similar to a better one is left out; more than 1 leaves only copies out. Default 0.95. */
  threshold?: number | undefined;
  /** As in `search`. Default hybrid. */
  mode?: 'vector' | 'text' | 'hybrid' | undefined;
  /** Only documents that match. Default: all. */
  where?: WhereOf<M> | undefined;
  /** Only hits with at least this score. Default: all. */
  minScore?: number | undefined;
  /** How tokens are counted. Default: `estimateTokens`. */
  countTokens?: CountTokens | undefined;
  /** Writes a passage into the context. Default: `[1] source › heading (lines 3-9)`, a line end, and its text. */
  format?: PassageFormat | undefined;
  signal?: AbortSignal | undefined;
}

/** Defaults of {@link RetrieverOptions}. */
export const retrieverDefaults = {
  k: 8,
  maxTokens: 2000,
  expand: 'neighbors',
  neighbors: 1,
  threshold: 0.95,
  mode: 'hybrid',
  where: undefined,
  minScore: undefined,
  countTokens: undefined,
  format: undefined,
  signal: undefined,
} satisfies Listed<RetrieverOptions>;

/** {@link RetrieverOptions}, completed by the defaults. */
export type ResolvedRetrieverOptions<M extends Metadata = Metadata> = Resolved<
  RetrieverOptions<M>,
  typeof retrieverDefaults
>;
