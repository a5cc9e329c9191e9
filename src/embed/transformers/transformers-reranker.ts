import { basename, dirname, resolve } from 'node:path';
import { checkPositive } from '../../check-arguments.js';
import { SemanticIndexError } from '../../errors.js';
import {
  defaultCacheFolder,
  describe,
  resolveOptions,
  type TransformersRerankerOptions,
  transformersRerankerDefaults,
} from '../../options.js';
import type { Rerank } from '../../types.js';
import { TransformersClient } from './transformers-client.js';
import { localFolder, packages, weightsIn } from './transformers-provider.js';

/** A cross-encoder as the option `rerank` of a search. */
export interface TransformersReranker extends Rerank {
  /** Frees the model. */
  close(): Promise<void>;
}

/**
 * A cross-encoder with ONNX weights as the option `rerank` of a search, from a local directory or the Hugging Face hub, run by
 * transformers.js (`@huggingface/transformers` or `@xenova/transformers`: optional peers, imported at the first call) in a worker
 * thread. The score of a hit is the output of the model for query and text, or the difference of its two outputs (relevant minus
 * not). Queries must be texts; longer texts are truncated to `maxTokens`. Call `close()` when done.
 *
 * @throws INVALID_ARGUMENT, UNKNOWN_OPTION, MODEL_NOT_FOUND for a directory without a model; searches throw MISSING_PEER,
 *   MODEL_NOT_FOUND, UNSUPPORTED, PROVIDER_FAILED and CLOSED.
 * @example
 * const rerank = transformersReranker({ model: 'Xenova/ms-marco-MiniLM-L-6-v2' });
 * const { hits, reranked } = await index.search(question, { rerank, rerankBudget: 150 });
 */
export function transformersReranker(options: TransformersRerankerOptions): TransformersReranker {
  const settings = resolveOptions('transformersReranker', options, transformersRerankerDefaults);
  const { model, maxTokens, batchSize } = settings;
  if (typeof model !== 'string' || model === '') {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `transformersReranker: expected the name or directory of a model as model, got ${describe(model)}`,
      { hint: 'For example Xenova/ms-marco-MiniLM-L-6-v2.' },
    );
  }
  if (maxTokens !== undefined) checkPositive('transformersReranker', 'maxTokens', maxTokens);
  if (batchSize !== undefined) checkPositive('transformersReranker', 'batchSize', batchSize);
  const folder = localFolder(model);
  const client = new TransformersClient({
    task: 'rank',
    packages: settings.package === undefined ? packages : [settings.package],
    model: folder === undefined ? model : basename(folder),
    localPath: folder === undefined ? undefined : dirname(folder),
    revision: settings.revision,
    dtype: settings.dtype ?? (folder === undefined ? 'fp32' : weightsIn(folder)),
    pooling: undefined,
    familyPooling: 'cls',
    normalize: false,
    maxTokens,
    dimensions: undefined,
    batchSize,
    cacheDir: resolve(settings.cacheDir ?? defaultCacheFolder()),
    offline: settings.offline || folder !== undefined,
    remoteHost: settings.remoteHost,
  });
  const rerank: Rerank = async (query, hits, { signal }) => {
    if (typeof query !== 'string') {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        'transformersReranker: expected a text as query, got a vector or an id',
        { hint: 'Leave rerank out for other queries.' },
      );
    }
    const texts = hits.map(({ text }) => text);
    const { numbers, dimensions } = await client.embed(new Array(hits.length).fill(query), true, signal, texts);
    if (dimensions === 1) return numbers;
    return hits.map((_, place) => (numbers[2 * place + 1] as number) - (numbers[2 * place] as number));
  };
  return Object.assign(rerank, { close: () => client.close() });
}
