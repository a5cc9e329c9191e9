import {
  type Boost,
  type CountTokens,
  type FolderOptions,
  folderDefaults,
  type Listed,
  longWorkDefaults,
  type Resolved,
  type SnippetOptions,
  searchDefaults,
} from '../options.js';
import type { LongWorkOptions, Metadata, Rerank, WhereOf } from '../types.js';
import type { SourceChunker } from './chunking/chunk-documents.js';
import type { PassageFormat } from './pack-context.js';
import type { WatchEvent } from './watch.js';

/** Options of `sync(index, sources, options)`. */
export interface SyncOptions<M extends Metadata = Metadata> extends LongWorkOptions {
  /**
   * Handling of chunks that a source no longer has. `incremental`: they are deleted once the new ones are added.
   * `full`: the chunks of missing sources are deleted as well, at the end. `none`: they are kept. Default
   * `incremental`.
   */
  cleanup?: 'none' | 'incremental' | 'full' | undefined;
  /**
   * With `full`: returns true for missing sources to keep, such as files that could not be read. Default: none.
   */
  keep?: ((source: string) => boolean | Promise<boolean>) | undefined;
  /** Count changes without making them. Default false. */
  dryRun?: boolean | undefined;
  /**
   * Splits a source into chunks. Default: `chunkMarkdown` if the id ends in .md, .mdx or .markdown, otherwise
   * `chunkRecursively`.
   */
  chunker?: SourceChunker<M> | undefined;
  /**
   * Name of the set of sources, for an index with several: chunks of other sets are ignored, and the metadata of each
   * chunk has it as `collection`. Default: chunks without one.
   */
  collection?: string | undefined;
  /**
   * Add chunks again that de-duplication deleted. Default false: they are skipped until their text changes or their
   * representative is deleted.
   */
  restoreDuplicates?: boolean | undefined;
  /** Chunks embedded and committed together. Default 512. */
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

/** Options of `syncFolder(index, folder, options)`: those of `readFolder` and `sync`. */
export interface SyncFolderOptions extends Omit<FolderOptions, 'onInvalid'>, Omit<SyncOptions, 'cleanup'> {
  /** As for `sync`. Default `full`: the chunks of files that are not in the directory any more are deleted. */
  cleanup?: SyncOptions['cleanup'];
}

const { onInvalid: _, ...readDefaults } = folderDefaults;

/** Defaults of {@link SyncFolderOptions}. */
export const syncFolderDefaults = {
  ...readDefaults,
  ...syncDefaults,
  cleanup: 'full',
} satisfies Listed<SyncFolderOptions>;

/** Options of `watch(index, folder, options)`: those of `syncFolder`, and when to look. */
export interface WatchOptions extends Omit<SyncFolderOptions, 'dryRun'> {
  /** Milliseconds without another change after which changes are synchronized. Default 200. */
  debounce?: number | undefined;
  /** Look for changes every so many milliseconds, for network file systems that report none. Default: the system reports them. */
  polling?: number | undefined;
  /** Called with what happens. Default: nothing is called. */
  onEvent?: ((event: WatchEvent) => void) | undefined;
}

const { dryRun: __, ...watchedDefaults } = syncFolderDefaults;

/** Defaults of {@link WatchOptions}. */
export const watchDefaults = {
  ...watchedDefaults,
  debounce: 200,
  polling: undefined,
  onEvent: undefined,
} satisfies Listed<WatchOptions>;

/** {@link WatchOptions}, completed by the defaults. */
export type ResolvedWatchOptions = Resolved<WatchOptions, typeof watchDefaults>;

/** Options of `new Retriever(index, options)` and of `retrieve(question, options)`. */
export interface RetrieverOptions<M extends Metadata = Metadata> {
  /** Max. number of hits in the context. Default 8. */
  k?: number | undefined;
  /** Max. tokens of the context, including headers of passages. Default 2000. */
  maxTokens?: number | undefined;
  /**
   * How to extend a hit within the budget: by adjacent chunks, to its parent passage, or not at all. Default
   * `neighbors`.
   */
  expand?: 'none' | 'neighbors' | 'parent' | undefined;
  /** Max. chunks that `neighbors` adds on each side. Default 1. */
  neighbors?: number | undefined;
  /** Min. similarity to a better hit at which a hit is left out; above 1, only copies are. Default 0.95. */
  threshold?: number | undefined;
  /** Search mode, as in `search`. Default `hybrid`. */
  mode?: 'vector' | 'text' | 'hybrid' | undefined;
  /** Search only documents that match this filter. Default: all. */
  where?: WhereOf<M> | undefined;
  /** As for `search`: factors of scores by age, by a number, or by a filter. Default: none. */
  boost?: readonly Boost<M>[] | undefined;
  /** At most `groupSize` hits for each value of this field, such as `source`. Default: hits are not grouped. */
  groupBy?: string | undefined;
  /** Number of hits of each group. Default 1. */
  groupSize?: number | undefined;
  /** Minimum score of a hit. Default: all hits. */
  minScore?: number | undefined;
  /** As for `search`: rescores the hits. Default: no reranking. */
  rerank?: 'tokens' | Rerank<M> | undefined;
  /** As for `search`. Default 0.35. */
  rerankWeight?: number | undefined;
  /** As for `search`. Default 50. */
  rerankDepth?: number | undefined;
  /** As for `search`: milliseconds that a `rerank` function may take. Default: unlimited. */
  rerankBudget?: number | undefined;
  /** As for `search`: the best window of each hit, in `snippets` of its passage. Default false. */
  snippet?: boolean | SnippetOptions | undefined;
  /** As for `search`: `operators` reads phrases, exclusions and prefixes. Default `plain`. */
  syntax?: 'plain' | 'operators' | undefined;
  /** As for `search`: replace words that occur in no document. Default true. */
  typos?: boolean | undefined;
  /** As for `search`: `text` searches by words when the provider fails. Default `error`. */
  onProviderFailure?: 'error' | 'text' | undefined;
  /** As for `search`: milliseconds that embedding the question may take. Default: unlimited. */
  embedBudget?: number | undefined;
  /** Counts tokens. Default: `estimateTokens`. */
  countTokens?: CountTokens | undefined;
  /** Formats a passage. Default: `[1] source › heading (lines 3-9)`, a line end, and its text. */
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
  boost: undefined,
  groupBy: undefined,
  groupSize: 1,
  minScore: undefined,
  rerank: undefined,
  rerankWeight: searchDefaults.rerankWeight,
  rerankDepth: searchDefaults.rerankDepth,
  rerankBudget: undefined,
  snippet: undefined,
  syntax: 'plain',
  typos: true,
  onProviderFailure: 'error',
  embedBudget: undefined,
  countTokens: undefined,
  format: undefined,
  signal: undefined,
} satisfies Listed<RetrieverOptions>;

/** {@link RetrieverOptions}, completed by the defaults. */
export type ResolvedRetrieverOptions<M extends Metadata = Metadata> = Resolved<
  RetrieverOptions<M>,
  typeof retrieverDefaults
>;
