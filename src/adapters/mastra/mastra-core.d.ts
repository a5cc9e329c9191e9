/** What the adapter uses of Mastra. Its package is not installed here; programs that import the adapter get the types of their own. */
declare module '@mastra/core/vector' {
  type StoredMetric = 'cosine' | 'euclidean' | 'dotproduct';
  interface SparseVector {
    indices: number[];
    values: number[];
  }
  export interface CreateIndexParams {
    indexName: string;
    dimension: number;
    metric?: StoredMetric;
  }
  export interface DescribeIndexParams {
    indexName: string;
  }
  export interface DeleteIndexParams {
    indexName: string;
  }
  export interface IndexStats {
    dimension: number;
    count: number;
    metric?: StoredMetric;
  }
  export interface UpsertVectorParams<Filter> {
    indexName: string;
    vectors: number[][];
    // biome-ignore lint/suspicious/noExplicitAny: as Mastra declares it
    metadata?: Record<string, any>[];
    ids?: string[];
    sparseVectors?: SparseVector[];
    deleteFilter?: Filter;
  }
  export interface QueryVectorParams<Filter> {
    indexName: string;
    queryVector?: number[];
    topK?: number;
    filter?: Filter;
    includeVector?: boolean;
    sparseVector?: SparseVector;
  }
  export interface QueryResult {
    id: string;
    score: number;
    // biome-ignore lint/suspicious/noExplicitAny: as Mastra declares it
    metadata?: Record<string, any>;
    vector?: number[];
    document?: string;
  }
  interface VectorUpdate {
    vector?: number[];
    // biome-ignore lint/suspicious/noExplicitAny: as Mastra declares it
    metadata?: Record<string, any>;
  }
  export type UpdateVectorParams<Filter> =
    | { indexName: string; id: string; filter?: never; update: VectorUpdate }
    | { indexName: string; id?: never; filter: Filter; update: VectorUpdate };
  export interface DeleteVectorParams {
    indexName: string;
    id: string;
  }
  export interface DeleteVectorsParams<Filter> {
    indexName: string;
    ids?: string[];
    filter?: Filter;
  }
  export abstract class MastraVector<Filter> {
    id: string;
    constructor(options: { id: string });
    abstract createIndex(params: CreateIndexParams): Promise<void>;
    abstract listIndexes(): Promise<string[]>;
    abstract describeIndex(params: DescribeIndexParams): Promise<IndexStats>;
    abstract deleteIndex(params: DeleteIndexParams): Promise<void>;
    abstract upsert(params: UpsertVectorParams<Filter>): Promise<string[]>;
    abstract query(params: QueryVectorParams<Filter>): Promise<QueryResult[]>;
    abstract updateVector(params: UpdateVectorParams<Filter>): Promise<void>;
    abstract deleteVector(params: DeleteVectorParams): Promise<void>;
    abstract deleteVectors(params: DeleteVectorsParams<Filter>): Promise<void>;
  }
}
