import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { EmbeddingProvider, IndexEvent, LongWorkOptions, Metadata, Metric, Where } from '../types.js';
import { type Listed, longWorkDefaults } from './resolve-options.js';

/** What a declared field of the metadata holds. */
export type FieldType = 'string' | 'number' | 'boolean';

/** What `SemanticIndex.open(directory, options)` takes. */
export interface OpenOptions<M extends Metadata = Metadata> {
  /**
   * Turns texts into vectors. Default: the bundled English model, offline. `null` for an index that is given all its
   * vectors by the caller.
   */
  provider: EmbeddingProvider | null | undefined;
  /** Distance between vectors, fixed when the index is made. Default that of the index; of a new one angular, the cosine. */
  metric: Metric | undefined;
  /**
   * Fields of the metadata that are filtered by often, with their types: `{ year: 'number', 'author.name': 'string' }`. Each
   * gets an SQL index, and what is added must have that type there, null, or nothing. Default: those the index was last
   * opened with; `{}` drops them.
   */
  fields: Readonly<Record<string, FieldType>> | undefined;
  /**
   * Checks the metadata of every document that is added, and may transform it: a schema of zod, valibot, arktype or another
   * library that speaks Standard Schema. It also gives `where` and hits their types. Default: anything JSON can represent.
   */
  schema: StandardSchemaV1<unknown, M> | undefined;
  /** Whether an index is made where there is none. Default true. */
  create: boolean;
  /** Whether every change is refused. Default false. */
  readonly: boolean;
  /**
   * `process`: what was acknowledged survives the death of the process (kill -9). `full`: also a power cut, at the price of
   * one fsync per commit. Default process.
   */
  durability: 'process' | 'full';
  /** How long a write waits while another process writes, in milliseconds. Default 10,000. */
  busyTimeout: number;
  /** `lazy` maps the file of a segment at its first search, `eager` at once. Default lazy. */
  loadMode: 'lazy' | 'eager';
  /** Whether segments are built and merged in the background. Without it, `build()` does so. Default true. */
  background: boolean;
  /** Documents without a forest that set off the building of one; fewer are scanned, which is exact. Default 20,000. */
  sealAt: number;
  /** Trees of each segment's forest. Default 10. */
  trees: number;
  /** Items looked at in each segment by a search; more is slower and finds more. Default: by k and the number of items. */
  searchK: number | undefined;
  /**
   * Share of the true neighbours that searches by vector find on average, from above 0 to 1. It is measured in the background,
   * kept, shown by `stats()`, and measured anew when the index has changed by a fifth; until then searches are exact. Without
   * `background`, `tune({ targetRecall })` measures. Default: nothing is promised; typically 0.97.
   */
  recall: number | undefined;
  /**
   * A file of vectors that several indexes share, so that a text that one of them has embedded costs the others nothing;
   * made where there is none; it can be deleted at any time. Default: each index has what it embedded itself.
   */
  embeddingCache: string | undefined;
  /**
   * How large that file may become, in bytes. What was used longest ago, to the hour, goes first. Default 4 GiB: two and a
   * half million vectors of 384 dimensions.
   */
  embeddingCacheBytes: number;
  /**
   * How many vectors of queries are kept on disk, so that a query asked again costs nothing; the least recently used go first.
   * 0 keeps none. Providers that are faster than looking up, such as the bundled one, are asked each time. Default 10,000.
   */
  queryCache: number;
  /** Where the random choices of a build start. Default 0. */
  seed: number;
  /** Most threads of a build; -1 means one for each core. Default -1. */
  threads: number;
  /** Told what happens in the background: seals, merges, damage found and healed. Default: nobody. */
  onEvent: ((event: IndexEvent) => void) | undefined;
}

/** Defaults of {@link OpenOptions}. */
export const openDefaults: OpenOptions = {
  provider: undefined,
  metric: undefined,
  fields: undefined,
  schema: undefined,
  create: true,
  readonly: false,
  durability: 'process',
  busyTimeout: 10_000,
  loadMode: 'lazy',
  background: true,
  sealAt: 20_000,
  trees: 10,
  searchK: undefined,
  recall: undefined,
  embeddingCache: undefined,
  embeddingCacheBytes: 4 * 2 ** 30,
  queryCache: 10_000,
  seed: 0,
  threads: -1,
  onEvent: undefined,
};

/** What `addDocuments(documents, options)` takes. */
export interface AddOptions extends Listed<LongWorkOptions> {
  /** Documents that are checked, embedded and committed together. Default 512. */
  batchSize: number;
  /**
   * What happens to a document that says what another one says, in the index or before it in the call: `add` it all the same,
   * `skip` it, let it `replace` the others, or add it with a `link`: its metadata gets `duplicateOf`, the id of the other. A
   * document whose id is known is an update and always added. Default add.
   */
  onDuplicate: 'add' | 'skip' | 'replace' | 'link';
  /**
   * Similarity (the score of the index; for the angular metric the cosine) from which two count as duplicates. Texts with the same
   * words have similarity 1, so with 1 only they do. Texts that differ only in what the model does not see (for the bundled
   * model signs, numbers, names, the order of words, and other languages than English) never do. Default 0.9.
   */
  duplicateThreshold: number;
  /**
   * What happens when a document is invalid, or when the provider refuses its text while it embeds others (too long, no usable
   * vector). `error`: the call fails and names the document; documents that were committed before stay. `skip`: the document is
   * left out and listed in `invalid` of the result, and the rest is added. Default error.
   */
  onInvalid: 'error' | 'skip';
}

/** Defaults of {@link AddOptions}. */
export const addDefaults: AddOptions = {
  ...longWorkDefaults,
  batchSize: 512,
  onDuplicate: 'add',
  duplicateThreshold: 0.9,
  onInvalid: 'error',
};

/** What `plan(documents, options)` takes. */
export interface PlanOptions {
  /** What the provider's service asks for a million tokens, in any currency. Default: no cost is told. */
  pricePerMillionTokens: number | undefined;
  signal: AbortSignal | undefined;
}

/** Defaults of {@link PlanOptions}. */
export const planDefaults: PlanOptions = { pricePerMillionTokens: undefined, signal: undefined };

/**
 * Scores hits for a query, for instance with a cross-encoder: one number for each hit, in their order; large is good.
 */
export type Rerank<Query = unknown, Hit = unknown> = (
  query: Query,
  hits: readonly Hit[],
  options: { signal?: AbortSignal },
) => ArrayLike<number> | Promise<ArrayLike<number>>;

/** What `migrate(provider, options)` takes. */
export interface MigrateOptions extends Listed<LongWorkOptions> {
  /**
   * Whether the index moves to the new model when all is embedded. Without it a later call does so, at once. Default true.
   */
  cutOver: boolean;
  /** Queries for the report of how far both models agree. Default: 100 of the documents, which costs nothing. */
  queries: readonly string[] | undefined;
}

/** Defaults of {@link MigrateOptions}. */
export const migrateDefaults: MigrateOptions = { ...longWorkDefaults, cutOver: true, queries: undefined };

/** What `search(query, options)` takes. */
export interface SearchOptions<Query = unknown, Hit = unknown> {
  /** How many hits at most. Default 10. */
  k: number;
  /** Only documents that match. Default: all. */
  where: Where | undefined;
  /**
   * `vector`: by nearness of meaning; the score is the cosine (of other metrics see `scoreOf`). `text`: by shared words; the
   * score is BM25, from 0 up. `hybrid`: by both; the score is from 0 to 1. A query that is no text is searched by vector
   * whatever the mode. Default hybrid.
   */
  mode: 'vector' | 'text' | 'hybrid';
  /** From 0 (the best hits, alike or not) to 1 (hits as unlike each other as can be): maximal marginal relevance. Default 0. */
  diversity: number;
  /** Only hits with at least this score. Default: all. */
  minScore: number | undefined;
  /** Gives the first hits other scores, which order them from then on. Default: nobody does. */
  rerank: Rerank<Query, Hit> | undefined;
  /** How many hits are reranked, where that is more than k. Default 50. */
  rerankDepth: number;
  /** Whether every vector is compared, which finds the true neighbours. Default false: small parts are, large ones need not. */
  exact: boolean;
  /** Nodes looked at in each forest; more is slower and finds more. Default: that of the index. */
  searchK: number | undefined;
  /**
   * Most bytes that the texts and metadata of all hits may have together, of all queries of `searchMany`; more is TOO_LARGE, before
   * they are read. Default: no limit.
   */
  maxBytes: number | undefined;
  signal: AbortSignal | undefined;
}

/** Defaults of {@link SearchOptions}. */
export const searchDefaults: SearchOptions<never, never> = {
  k: 10,
  where: undefined,
  mode: 'hybrid',
  diversity: 0,
  minScore: undefined,
  rerank: undefined,
  rerankDepth: 50,
  exact: false,
  searchK: undefined,
  maxBytes: undefined,
  signal: undefined,
};

/** What `searchPage(query, options)` takes. */
export interface PageOptions<Query = unknown, Hit = unknown> extends SearchOptions<Query, Hit> {
  /** The `next` of the page before. Default: from the best hit on. */
  after: string | undefined;
}

/** What `listDocuments(options)` takes. */
export interface ListOptions {
  /** Only documents that match. Default: all. */
  where: Where | undefined;
  /** How many at most. Default 100. */
  limit: number;
  /** The `next` of the page before. Default: from the beginning. */
  after: string | undefined;
  /** Bytes of texts and metadata after which a page ends, though it has at least one document. Default: no limit. */
  maxBytes: number | undefined;
  /** Aborting rejects with `signal.reason` and ends the reading. */
  signal: AbortSignal | undefined;
}

/** Defaults of {@link ListOptions}. */
export const listDefaults: ListOptions = {
  where: undefined,
  limit: 100,
  after: undefined,
  maxBytes: undefined,
  signal: undefined,
};

/** What `count(options)` takes. */
export interface CountOptions {
  /** Only documents that match. Default: all. */
  where: Where | undefined;
  /** Aborting rejects with `signal.reason` and ends the reading. */
  signal: AbortSignal | undefined;
}

/** Defaults of {@link CountOptions}. */
export const countDefaults: CountOptions = { where: undefined, signal: undefined };

/** Options of `deleteDocuments(which, options)`. */
export interface DeleteOptions {
  /** Aborting rejects with `signal.reason`: then all of the documents are deleted or none. */
  signal: AbortSignal | undefined;
}

/** Defaults of {@link DeleteOptions}. */
export const deleteDefaults: DeleteOptions = { signal: undefined };

/** Options of `updateMetadata(changes, options)`. */
export interface UpdateOptions {
  /**
   * What happens when no document has an id. `skip`: the other documents are updated. `error`: NOT_FOUND names the ids, and
   * nothing is changed. Default skip.
   */
  onMissing: 'skip' | 'error';
}

/** Defaults of {@link UpdateOptions}. */
export const updateDefaults: UpdateOptions = { onMissing: 'skip' };

/** What `build(options)` takes. */
export type BuildOptions = Listed<LongWorkOptions>;

/** Defaults of {@link BuildOptions}. */
export const buildDefaults: BuildOptions = longWorkDefaults;
