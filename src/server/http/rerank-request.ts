import type { Rerank, SearchOptions } from '../../index.js';

/** The model that reranks for clients, which name it `model`. */
export interface ServedReranker {
  readonly reranker?: Rerank | undefined;
  /** Milliseconds that it may take where the request has no `rerankBudget`. */
  readonly rerankBudget?: number | undefined;
}

/** What a client may ask of reranking. */
export interface RerankRequest {
  readonly rerank?: 'tokens' | 'model' | undefined;
  readonly rerankBudget?: number | undefined;
}

/** The ways to rerank that a client can name. */
export function rerankNames({ reranker }: ServedReranker): ['tokens', ...'model'[]] {
  return reranker === undefined ? ['tokens'] : ['tokens', 'model'];
}

/** The options of the search that a client asks for. */
export function rerankOptions(
  { rerank, rerankBudget }: RerankRequest,
  served: ServedReranker,
): Pick<SearchOptions, 'rerank' | 'rerankBudget'> {
  if (rerank !== 'model') return { rerank, rerankBudget };
  return { rerank: served.reranker, rerankBudget: rerankBudget ?? served.rerankBudget };
}
