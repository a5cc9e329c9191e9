import { type Command, Option } from 'commander';
import {
  type SearchOptions,
  SemanticIndexError,
  type TransformersReranker,
  transformersReranker,
} from '../../index.js';
import { finiteNumber, positiveInteger } from '../arguments.js';

/** Flags that name a model that reranks. */
export interface RerankModelFlags {
  readonly rerankModel?: string;
  readonly rerankBudget?: number;
}

/** Flags that say how hits are reranked. */
export interface RerankFlags extends RerankModelFlags {
  readonly rerank?: 'tokens';
  readonly rerankWeight?: number;
}

/** Options of a search that reranks, and the model that does. */
export interface Reranking extends AsyncDisposable {
  readonly options: Pick<SearchOptions, 'rerank' | 'rerankWeight' | 'rerankBudget'>;
}

/** Adds the flags that say how hits are reranked to a command. */
export function withRerankFlags(command: Command): Command {
  const withHow = command
    .addOption(
      new Option('--rerank <how>', 'rescore the first 50 hits: by the most similar words of each text')
        .choices(['tokens'])
        .conflicts('rerankModel'),
    )
    .option('--rerank-weight <number>', 'share of the new score, from 0 to 1', finiteNumber);
  return withRerankModelFlags(withHow, 'rescore them');
}

/** Adds the flags that name a model that reranks to a command. @param what it does. */
export function withRerankModelFlags(command: Command, what: string): Command {
  return command
    .option('--rerank-model <model>', `${what} by a cross-encoder: a directory, or a name at Hugging Face`)
    .option('--rerank-budget <milliseconds>', 'with --rerank-model: time that it may take', positiveInteger);
}

/** What the flags ask for. @throws MODEL_NOT_FOUND for a directory without a model. */
export function rerankingOf({ rerank, rerankModel, rerankWeight, rerankBudget }: RerankFlags): Reranking {
  const reranker = rerankModel === undefined ? undefined : transformersReranker({ model: rerankModel });
  return {
    options: { rerank: reranker ?? rerank, rerankWeight, rerankBudget },
    [Symbol.asyncDispose]: async () => reranker?.close(),
  };
}

/** The model that the flags name, for requests that ask for it. @throws MODEL_NOT_FOUND for a directory without one; INVALID_ARGUMENT. */
export function rerankerOf({ rerankModel, rerankBudget }: RerankModelFlags): TransformersReranker | undefined {
  if (rerankModel !== undefined) return transformersReranker({ model: rerankModel });
  if (rerankBudget === undefined) return undefined;
  throw new SemanticIndexError('INVALID_ARGUMENT', '--rerank-budget is for a model: --rerank-model is missing', {
    hint: 'Name the model, or leave the budget out.',
  });
}
