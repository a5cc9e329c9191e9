/** An embedding space as stored: the fingerprint of the model and the dimensions of its vectors. */
export interface Space {
  readonly space: number;
  readonly fingerprint: string;
  readonly dimensions: number;
  /** JSON of the reference embeddings: a few texts with their vectors, by which the model is recognised. */
  readonly canaries: string | null;
}

/** Identifies cached vectors: content hashes of texts, under a role. */
export interface CacheKeys {
  readonly role: 'document' | 'query';
  readonly hashes: readonly string[];
}

/** Vectors by (space, role, content hash), shared by several indexes and processes. */
export interface VectorCache {
  readonly path: string;
  /** The space of a model; undefined when the cache has no vectors of it. */
  findSpace(fingerprint: string): Promise<Space | undefined>;
  addSpace(fingerprint: string, dimensions: number, canaries: string): Promise<Space>;
  /** The vector of each hash, undefined where there is none. */
  find(space: Space, keys: CacheKeys): Promise<(Float32Array | undefined)[]>;
  /** Makes vectors durable under their hashes. */
  keep(space: Space, keys: CacheKeys, vectors: readonly Float32Array[]): Promise<void>;
  close(): Promise<void>;
}
