/** Weights of a search. */
export interface Weights {
  readonly vectorWeight: number;
  /** Undefined without reranking. */
  readonly rerankWeight: number | undefined;
}

/** The measure of each question with some weights. */
export interface Trial extends Weights {
  readonly values: readonly number[];
}
