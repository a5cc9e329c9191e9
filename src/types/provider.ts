/** Role of a text: a stored document, or a query. */
export type EmbeddingRole = 'document' | 'query';

/**
 * Turns texts into vectors. The contract: as many vectors as texts, in their order; all of the same dimension, finite,
 * not all zero; the vector of a text does not depend on the other texts of the call. `testProvider` of
 * `semantic-index/testing` checks an implementation. Batching, retries, parallelism and normalisation are not its business.
 */
export interface EmbeddingProvider {
  /** Names everything that changes a vector: provider, model, revision, dtype, pooling, prefixes, limits, dimensions. */
  readonly id: string;
  /** Length of the vectors, if it is known before the first call. */
  readonly dimensions?: number;
  /** Embedding a text is as fast as looking up its vector on disk: its queries are not kept. Default false. */
  readonly fast?: boolean;
  /** Most texts per call. */
  readonly maxBatchSize?: number;
  /** Most tokens per call, over all texts. */
  readonly maxBatchTokens?: number;
  /** Most tokens of one text. */
  readonly maxInputTokens?: number;
  /** Most calls at the same time. Default 1. */
  readonly maxParallelCalls?: number;
  /** Loads what `countTokens` needs. Called before it, any number of times. */
  ready?(): Promise<void>;
  /** Counts tokens, where limits in tokens are declared. Before `ready` has resolved it may only guess. */
  countTokens?(text: string): number;
  /**
   * The words of each text that the model knows, in a fixed order; empty for a text that it knows less than half of. Texts with
   * the same result, and texts it knows too little of, are never near duplicates by their vectors (`onDuplicate`,
   * `findDuplicates`): such a model cannot tell Korean sentences apart, nor `$100` from `€100`, nor debtor from creditor. Default: the model
   * is taken to see every difference that changes the vector.
   */
  knownWords?(texts: readonly string[]): Promise<readonly string[]>;
  /**
   * Delay before a failed call is retried, in milliseconds; undefined for no retry. `attempt` counts
   * the failures of the call with the same error code, from 1. Also asked about answers that break the contract
   * (PROVIDER_INVALID). Default: never.
   */
  retryAfter?(error: unknown, attempt: number): number | undefined;
  embed(
    texts: readonly string[],
    options: { role: EmbeddingRole; signal?: AbortSignal },
  ): Promise<{ vectors: Float32Array[]; usage?: { tokens: number } }>;
  /** Frees resources. Called by the creator of the provider. */
  close?(): Promise<void>;
}
