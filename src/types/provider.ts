/** Role of a text: a stored document, or a query. */
export type EmbeddingRole = 'document' | 'query';

/**
 * Turns texts into vectors. The contract: one vector per text, in order, all with the same dimensions, finite and not
 * all zero, each in memory of its own; the vector of a text does not depend on the other texts of the call.
 * `testProvider` of `semantic-index/testing` checks an implementation. Batching, retries, parallel calls and
 * normalization are done by the caller.
 */
export interface EmbeddingProvider {
  /**
   * Identifies everything that changes a vector: provider, model, revision, dtype, pooling, prefixes, limits,
   * dimensions.
   */
  readonly id: string;
  /** Length of the vectors, if known before the first call. */
  readonly dimensions?: number;
  /** Embedding is as fast as reading a vector from disk, so queries are not cached. Default false. */
  readonly fast?: boolean;
  /** Max. texts per call. Default 256. */
  readonly maxBatchSize?: number;
  /** Max. tokens per call, over all texts. Default: no limit. */
  readonly maxBatchTokens?: number;
  /** Max. tokens of one text. Default: no limit. */
  readonly maxInputTokens?: number;
  /** Max. concurrent calls. Default 1. */
  readonly maxParallelCalls?: number;
  /** Prepares `countTokens`. Called before it, any number of times. */
  ready?(): Promise<void>;
  /** Counts tokens, for token limits. May estimate before `ready` has resolved. */
  countTokens?(text: string): number;
  /**
   * Returns the words of each text that the model knows, in a fixed order; an empty string for a text with less than
   * half known words. Texts with the same or an empty result are never near duplicates by their vectors (`onDuplicate`,
   * `findDuplicates`): the model cannot distinguish them, such as `$100` and `€100`. Default: every difference changes
   * the vector.
   */
  knownWords?(texts: readonly string[]): Promise<readonly string[]>;
  /**
   * Returns the milliseconds to wait before a failed call is retried, or undefined if it is not retried. `attempt`
   * counts the failures of the call with the same error code, from 1. Also called for responses that break the contract
   * (PROVIDER_INVALID). Default: no retries.
   */
  retryAfter?(error: unknown, attempt: number): number | undefined;
  embed(
    texts: readonly string[],
    options: { role: EmbeddingRole; signal?: AbortSignal },
  ): Promise<{ vectors: Float32Array[]; usage?: { tokens: number } }>;
  /** Frees the resources of the provider. Called by its owner. */
  close?(): Promise<void>;
}
