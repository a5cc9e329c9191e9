import { type Command, Option } from 'commander';
import { type SearchOptions, transformersReranker } from '../../index.js';
import { finiteNumber, positiveInteger } from '../arguments.js';

/** Flags that say how hits are reranked. */
export interface RerankFlags {
  readonly rerank?: 'tokens';
  readonly rerankModel?: string;
  readonly rerankWeight?: number;
  readonly rerankBudget?: number;
}

/** Options of a search that reranks, and the model that does. */
export interface Reranking extends AsyncDisposable {
  readonly options: Pick<SearchOptions, 'rerank' | 'rerankWeight' | 'rerankBudget'>;
}

/** Adds the flags that say how hits are reranked to a command. */
export function withRerankFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--rerank <how>', 'rescore the first 50 hits: by the most similar words of each text')
        .choices(['tokens'])
        .conflicts('rerankModel'),
    )
    .option('--rerank-model <model>', 'rescore them by a cross-encoder: a directory, or a name at Hugging Face')
    .option('--rerank-weight <number>', 'share of the new score, from 0 to 1', finiteNumber)
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
