import {
  type CreateIndexParams,
  type DeleteIndexParams,
  type DeleteVectorParams,
  type DeleteVectorsParams,
  type DescribeIndexParams,
  type IndexStats,
  MastraVector,
  type QueryResult,
  type QueryVectorParams,
  type UpdateVectorParams,
  type UpsertVectorParams,
} from '@mastra/core/vector';
import { checkPath } from '../check-arguments.js';
import { type OpenOptions, type SemanticIndex, SemanticIndexError } from '../index.js';
import { resolveOptions } from '../options/resolve-options.js';
import type { MastraFilter } from './mastra/mastra-filter.js';
import { MastraVectorStore } from './mastra/vector-store.js';

export type { MastraFilter } from './mastra/mastra-filter.js';

/** Options of `SemanticIndexVector`. */
export interface SemanticIndexVectorConfig {
  /** Name of the store in Mastra. */
  readonly id: string;
  /** Directory with a folder for each index. Created with the first index. */
  readonly directory: string;
  /**
   * Field of the metadata whose string is the text of a vector: its words are indexed, and results return it as `document`. Default
   * `text`, where Mastra's chunks have it.
   */
  readonly textField?: string;
  /** Options with which the indexes are opened, such as `fields`, `language` or `storage`. Default: none. */
  readonly open?: Omit<OpenOptions, 'provider' | 'metric' | 'create' | 'schema' | 'textFields' | 'textTemplate'>;
}

const configDefaults = {
  id: undefined as string | undefined,
  directory: undefined as string | undefined,
  textField: 'text',
  open: undefined as SemanticIndexVectorConfig['open'],
};

/**
 * Indexes in a directory as a vector store of Mastra, for agents, memory and RAG. Vectors are durable when `upsert` resolves. Higher
 * scores are better; with `cosine` they are cosines. Filters are those of `where`, and `$nor`.
 *
 * All methods reject with a `SemanticIndexError`: NOT_FOUND without an index of that name, DIMENSION_MISMATCH, INVALID_VECTOR,
 * INVALID_FILTER, INVALID_METADATA, INVALID_ARGUMENT.
 *
 * @example
 * const vectors = new SemanticIndexVector({ id: 'vectors', directory: 'vectors' });
 * await vectors.createIndex({ indexName: 'docs', dimension: 1536 });
 * await vectors.upsert({ indexName: 'docs', vectors: embeddings, metadata: chunks.map(({ text }) => ({ text })) });
 * const results = await vectors.query({ indexName: 'docs', queryVector, topK: 5, filter: { year: { $gte: 2020 } } });
 */
export class SemanticIndexVector extends MastraVector<MastraFilter> {
  readonly #store: MastraVectorStore;

  /** @throws INVALID_ARGUMENT without a directory, UNKNOWN_OPTION; MastraError without an id. */
  constructor(config: SemanticIndexVectorConfig) {
    super({ id: config?.id });
    const { directory, textField, open = {} } = resolveOptions('SemanticIndexVector', config, configDefaults);
    if (directory === ':memory:') {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'SemanticIndexVector: expected a directory, got :memory:', {
        hint: 'Pass a temporary directory: mkdtempSync(join(tmpdir(), prefix)) of node:fs.',
      });
    }
    checkPath('SemanticIndexVector', directory);
    this.#store = new MastraVectorStore(directory as string, textField, open);
  }

  /**
   * The index with a name, for what Mastra has no method for: search by words, facets, backups, maintenance. The store closes it.
   *
   * @throws NOT_FOUND
   * @example
   * const { hits } = await (await vectors.index('docs')).search('E1234', { mode: 'text' });
   */
  index(indexName: string): Promise<SemanticIndex> {
    return this.#store.index(indexName);
  }

  /** Creates an index, or does nothing where it exists with that dimension and metric; default `cosine`. */
  async createIndex(params: CreateIndexParams): Promise<void> {
    await this.#store.createIndex(params);
  }

  /** Returns the names of the indexes, sorted. */
  listIndexes(): Promise<string[]> {
    return this.#store.listIndexes();
  }

  /** Returns dimension, metric and number of vectors of an index. */
  describeIndex(params: DescribeIndexParams): Promise<IndexStats> {
    return this.#store.describeIndex(params);
  }

  /** Deletes an index and its folder. */
  deleteIndex(params: DeleteIndexParams): Promise<void> {
    return this.#store.deleteIndex(params);
  }

  /**
   * Adds vectors, or replaces those with the same ids, and returns the ids; default: random ones. With `deleteFilter` the vectors that
   * matched it before are deleted after the new ones are added, so that a crash leaves some of both rather than none.
   */
  upsert(params: UpsertVectorParams<MastraFilter>): Promise<string[]> {
    return this.#store.upsert(params);
  }

  /** Returns the `topK` (10) nearest vectors; without `queryVector` those that match the filter, oldest first, with score 0. */
  query(params: QueryVectorParams<MastraFilter>): Promise<QueryResult[]> {
    return this.#store.query(params);
  }

  /** Replaces vector, metadata or both of the vector with an id, or of all that match a filter. Ids that do not exist are skipped. */
  updateVector(params: UpdateVectorParams<MastraFilter>): Promise<void> {
    return this.#store.updateVector(params);
  }

  /** Deletes a vector, if it exists. */
  deleteVector(params: DeleteVectorParams): Promise<void> {
    return this.#store.deleteVector(params);
  }

  /** Deletes vectors by ids, or those that match a filter. */
  deleteVectors(params: DeleteVectorsParams<MastraFilter>): Promise<void> {
    return this.#store.deleteVectors(params);
  }

  /** Closes the indexes. The next call opens them again. */
  close(): Promise<void> {
    return this.#store.close();
  }
}
