import { randomUUID } from 'node:crypto';
import type {
  CreateIndexParams,
  DeleteIndexParams,
  DeleteVectorParams,
  DeleteVectorsParams,
  DescribeIndexParams,
  IndexStats,
  QueryResult,
  QueryVectorParams,
  UpdateVectorParams,
  UpsertVectorParams,
} from '@mastra/core/vector';
import {
  type Document,
  type DocumentId,
  type DocumentInput,
  type Metadata,
  type Metric,
  type OpenOptions,
  type SemanticIndex,
  SemanticIndexError,
  type Where,
} from '../../index.js';
import { describe } from '../../options.js';
import { jsonMetadata } from '../foreign-documents.js';
import { type MastraFilter, whereOf } from './mastra-filter.js';
import { NamedIndexes } from './named-indexes.js';

const metrics = { cosine: 'angular', euclidean: 'euclidean', dotproduct: 'dot' } as const;
type StoredMetric = keyof typeof metrics;
/** Documents that an update reads and writes at once. */
const updatedAtOnce = 512;

/** The operations of a vector store of Mastra over indexes in a directory. */
export class MastraVectorStore {
  readonly #indexes: NamedIndexes;
  readonly #textField: string;

  constructor(directory: string, textField: string, options: OpenOptions) {
    this.#indexes = new NamedIndexes(directory, options);
    this.#textField = textField;
  }

  async index(name: string): Promise<SemanticIndex> {
    return (await this.#indexes.open(name)).index;
  }

  async createIndex({ indexName, dimension, metric = 'cosine' }: CreateIndexParams): Promise<void> {
    if (!Number.isSafeInteger(dimension) || dimension < 1) {
      throw invalid(`createIndex: expected a positive integer as dimension, got ${describe(dimension)}`);
    }
    if (!Object.hasOwn(metrics, metric)) {
      throw invalid(`createIndex: expected cosine, euclidean or dotproduct as metric, got ${describe(metric)}`);
    }
    await this.#indexes.create(indexName, { dimension, metric: metrics[metric] });
  }

  listIndexes(): Promise<string[]> {
    return this.#indexes.names();
  }

  async describeIndex({ indexName }: DescribeIndexParams): Promise<IndexStats> {
    const { index, dimension } = await this.#indexes.open(indexName);
    const { documents, metric } = await index.stats();
    const named = metricOf(metric);
    return { dimension, count: documents, ...(named !== undefined && { metric: named }) };
  }

  deleteIndex({ indexName }: DeleteIndexParams): Promise<void> {
    return this.#indexes.delete(indexName);
  }

  async upsert(params: UpsertVectorParams<MastraFilter>): Promise<string[]> {
    const { indexName, vectors, metadata, ids, sparseVectors, deleteFilter } = params;
    refuseSparse(sparseVectors);
    const { index, dimension } = await this.#indexes.open(indexName);
    if (!Array.isArray(vectors) || vectors.length === 0) {
      throw invalid('upsert: expected at least one vector, got an empty vectors array');
    }
    checkCount('ids', ids, vectors);
    // Mastra passes an empty list where there is none.
    const described = metadata?.length === 0 ? undefined : metadata;
    checkCount('metadata objects', described, vectors);
    for (const vector of vectors) checkDimension(vector, dimension);
    const documents = vectors.map((vector, position) =>
      this.#inputOf(ids?.[position] ?? randomUUID(), vector, jsonMetadata(described?.[position])),
    );
    const replaced = deleteFilter === undefined ? [] : await idsOf(index, narrow('upsert', deleteFilter));
    const added = (await index.addDocuments(documents)).ids.map(String);
    const kept = new Set(added);
    const gone = replaced.filter((id) => !kept.has(String(id)));
    if (gone.length > 0) await index.deleteDocuments(gone);
    return added;
  }

  async query(params: QueryVectorParams<MastraFilter>): Promise<QueryResult[]> {
    const { indexName, queryVector, topK = 10, filter, includeVector = false, sparseVector } = params;
    refuseSparse(sparseVector);
    const { index, dimension } = await this.#indexes.open(indexName);
    const where = whereOf(filter);
    const found = await this.#find(index, dimension, queryVector, topK, where);
    const vectors = includeVector ? await index.getVectors(found.map(({ id }) => id)) : [];
    return found.map(({ id, score, metadata }, position) => {
      const [vector, text] = [vectors[position], this.#textOf(metadata)];
      return {
        id: String(id),
        score,
        metadata,
        ...(vector !== undefined && { vector: Array.from(vector) }),
        ...(text !== undefined && { document: text }),
      };
    });
  }

  async #find(
    index: SemanticIndex,
    dimension: number,
    vector: number[] | undefined,
    topK: number,
    where: Where | undefined,
  ): Promise<{ id: DocumentId; score: number; metadata: Metadata }[]> {
    if (vector !== undefined) {
      checkDimension(vector, dimension);
      return (await index.search(vector, { k: topK, where })).hits;
    }
    if (where === undefined) throw invalid('query: expected a queryVector, a filter, or both, got neither');
    const { documents } = await index.listDocuments({ where, limit: topK });
    return documents.map(({ id, metadata }) => ({ id, score: 0, metadata }));
  }

  async updateVector({ indexName, id, filter, update }: UpdateVectorParams<MastraFilter>): Promise<void> {
    const { index, dimension } = await this.#indexes.open(indexName);
    const ids = await selection('updateVector', index, id, filter);
    const { vector, metadata } = update ?? {};
    if (vector === undefined && metadata === undefined) {
      throw invalid('updateVector: expected a vector, metadata, or both as update, got neither');
    }
    if (vector !== undefined) checkDimension(vector, dimension);
    const changed = metadata === undefined ? undefined : jsonMetadata(metadata);
    for (let at = 0; at < ids.length; at += updatedAtOnce) {
      const some = ids.slice(at, at + updatedAtOnce);
      const [documents, vectors] = [await index.getDocuments(some), await index.getVectors(some)];
      const inputs = documents.flatMap((document, position): DocumentInput[] => {
        const stored = vectors[position];
        // Deleted meanwhile, or never there.
        if (document === undefined || stored === undefined) return [];
        return [this.#inputOf(document.id, vector ?? stored, changed ?? document.metadata, document)];
      });
      await index.addDocuments(inputs);
    }
  }

  async deleteVector({ indexName, id }: DeleteVectorParams): Promise<void> {
    const { index } = await this.#indexes.open(indexName);
    await index.deleteDocuments(id);
  }

  async deleteVectors({ indexName, ids, filter }: DeleteVectorsParams<MastraFilter>): Promise<void> {
    const { index } = await this.#indexes.open(indexName);
    checkOneOf('deleteVectors', 'ids', ids, filter);
    if (ids === undefined) {
      await index.deleteDocuments({ where: narrow('deleteVectors', filter) });
      return;
    }
    if (ids.length === 0) throw invalid('deleteVectors: expected at least one id, got an empty ids array');
    await index.deleteDocuments(ids);
  }

  close(): Promise<void> {
    return this.#indexes.close();
  }

  /** Every document of an index has a text: that of its metadata, else the one that it has, else its id. */
  #inputOf(
    id: DocumentId,
    vector: readonly number[] | Float32Array,
    metadata: Metadata,
    document?: Document,
  ): DocumentInput {
    return { id, vector, metadata, text: this.#textOf(metadata) ?? document?.text ?? String(id) };
  }

  #textOf(metadata: Metadata): string | undefined {
    const text = metadata[this.#textField];
    return typeof text === 'string' && text.trim() !== '' ? text : undefined;
  }
}

function metricOf(metric: Metric): StoredMetric | undefined {
  return (Object.keys(metrics) as StoredMetric[]).find((name) => metrics[name] === metric);
}

function invalid(message: string, hint?: string): SemanticIndexError {
  return new SemanticIndexError('INVALID_ARGUMENT', message, hint === undefined ? {} : { hint });
}

function refuseSparse(sparse: unknown): void {
  if (sparse === undefined) return;
  throw new SemanticIndexError('UNSUPPORTED', 'Sparse vectors are not supported', {
    hint: "The words of texts are indexed themselves: search with `(await store.index(name)).search(text, { mode: 'text' })`.",
  });
}

function checkCount(name: string, values: readonly unknown[] | undefined, vectors: readonly unknown[]): void {
  if (values === undefined || values.length === vectors.length) return;
  throw invalid(`upsert: expected as many ${name} as vectors: ${vectors.length}, got ${values.length}`);
}

function checkDimension(vector: unknown, expected: number): void {
  if (!Array.isArray(vector)) {
    throw new SemanticIndexError('INVALID_VECTOR', `Expected an array of numbers as vector, got ${describe(vector)}`);
  }
  if (vector.length === expected) return;
  throw new SemanticIndexError(
    'DIMENSION_MISMATCH',
    `The vector has ${vector.length} numbers, those of the index have ${expected}`,
    { details: { expected, actual: vector.length } },
  );
}

/** @throws INVALID_ARGUMENT unless exactly one of both is there. */
function checkOneOf(method: string, name: 'id' | 'ids', ids: unknown, filter: unknown): void {
  if (ids !== undefined && filter !== undefined) throw invalid(`${method}: ${name} and filter are mutually exclusive`);
  if (ids === undefined && filter === undefined) {
    throw invalid(`${method}: Either ${name === 'id' ? 'id or filter' : 'filter or ids'} must be provided`);
  }
}

/** A filter that must not match every document by its form. */
function narrow(method: string, filter: MastraFilter): Where {
  const where = whereOf(filter);
  if (where !== undefined && Object.keys(where).length > 0) return where;
  throw invalid(`${method}: expected a filter with a condition, got an empty filter`, 'It would match every vector.');
}

async function selection(
  method: string,
  index: SemanticIndex,
  id: string | undefined,
  filter: MastraFilter,
): Promise<DocumentId[]> {
  checkOneOf(method, 'id', id, filter);
  return id === undefined ? idsOf(index, narrow(method, filter)) : [id];
}

async function idsOf(index: SemanticIndex, where: Where): Promise<DocumentId[]> {
  const ids: DocumentId[] = [];
  let after: string | undefined;
  do {
    const { documents, next } = await index.listDocuments({ where, limit: 1000, after });
    for (const { id } of documents) ids.push(id);
    after = next;
  } while (after !== undefined);
  return ids;
}
