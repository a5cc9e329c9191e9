import { basename, resolve } from 'node:path';
import { checkPositive } from '../../check-arguments.js';
import { SemanticIndexError } from '../../errors.js';
import { describe, resolveOptions, type StaticProviderOptions, staticProviderDefaults } from '../../options.js';
import type { EmbeddingProvider } from '../../types.js';
import { embedInSlices } from '../embed-in-slices.js';
import { fallbackVector } from '../fallback-vector.js';
import { fingerprintOf } from '../fingerprint.js';
import { readStaticFolder } from './static-folder.js';
import { TokenAverages } from './token-averages.js';

/**
 * A provider for static embedding models of others: a directory of model2vec, or of sentence-transformers with a StaticEmbedding
 * module. The vector of a text is the mean of the rows of its tokens, equal to what their Python libraries return to five decimals; a
 * text without known tokens, for which they return zeros, gets a vector made from its characters. Needs no runtime. The id contains
 * a hash of the files, so an index refuses another model.
 *
 * @throws MODEL_NOT_FOUND for missing files, INVALID_FILE for another kind of model; the first call throws them for tokenizers and
 * number formats that are not supported. INVALID_ARGUMENT.
 * @example const index = await SemanticIndex.open('my-index', { provider: staticProvider('models/potion-base-8M') })
 */
export function staticProvider(
  folder: string,
  options?: StaticProviderOptions,
): EmbeddingProvider & { readonly dimensions: number } {
  if (typeof folder !== 'string' || folder === '') {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `staticProvider: expected the path of a directory, got ${describe(folder)}`,
      {
        hint: 'Pass the directory of a model2vec or StaticEmbedding model.',
      },
    );
  }
  const { maxTokens } = resolveOptions('staticProvider', options, staticProviderDefaults);
  if (maxTokens !== undefined) checkPositive('staticProvider', 'maxTokens', maxTokens);
  const path = resolve(folder);
  const layout = readStaticFolder(path);
  let loading: Promise<TokenAverages> | undefined;
  const load = (): Promise<TokenAverages> => {
    loading ??= TokenAverages.load(layout, maxTokens).catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  const { dimensions, revision, normalize } = layout;
  return {
    id: fingerprintOf('static', { model: basename(path), revision, dimensions, normalize, maxTokens }),
    dimensions,
    fast: true,
    maxBatchSize: 1024,
    async embed(texts, { signal }) {
      signal?.throwIfAborted();
      const model = await load();
      const { vectors, usage } = await embedInSlices(texts, (text) => model.embedding(text), signal);
      for (const [place, vector] of vectors.entries()) {
        if (vector.every((number) => number === 0)) vectors[place] = fallbackVector(texts[place] as string, dimensions);
      }
      return { vectors, usage };
    },
    async close() {
      loading = undefined;
    },
  };
}
