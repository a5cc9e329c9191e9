import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BundledProviderOptions, bundledProviderDefaults, resolveOptions } from '../../options.js';
import { TimeSlice } from '../../time-slice.js';
import type { EmbeddingProvider } from '../../types.js';
import { fallbackVector } from '../fallback-vector.js';
import { fingerprintOf } from '../fingerprint.js';
import { knownWordsOf } from './known-words.js';
import { readStaticModelConfig, StaticModel } from './static-model.js';

/** Relative to `dist/embed/bundled/`, both in a checkout and in an installed package. */
const bundledFolder = fileURLToPath(new URL('../../../models/semantic-index-en', import.meta.url));

/**
 * The default provider: a static token table that ships with the package. Needs no network, no API key and no runtime;
 * the weights are read at the first call, in tens of milliseconds. The vector of a text is the normalized sum of the
 * rows of its tokens; a text without any known token gets a vector made from its characters. Yields to the event loop
 * about every millisecond.
 *
 * @throws MODEL_NOT_FOUND or INVALID_FILE when config.json is missing or invalid; the first call throws them for the
 * other files.
 */
export function bundledProvider(options?: BundledProviderOptions): EmbeddingProvider & { readonly dimensions: number } {
  const { folder } = resolveOptions('bundledProvider', options, bundledProviderDefaults);
  const path = folder === undefined ? bundledFolder : resolve(folder);
  const config = readStaticModelConfig(path);
  const name = folder === undefined ? basename(bundledFolder) : basename(path);
  let loading: Promise<StaticModel> | undefined;
  const load = (): Promise<StaticModel> => {
    loading ??= StaticModel.load(path, config).catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };

  return {
    id: fingerprintOf('bundled', { model: name, revision: config.revision, dimensions: config.dimensions }),
    dimensions: config.dimensions,
    fast: true,
    maxBatchSize: 1024,
    async embed(texts, { signal }) {
      signal?.throwIfAborted();
      const model = await load();
      signal?.throwIfAborted();
      const { tokenizer, table } = model;
      const slice = new TimeSlice();
      const vectors: Float32Array[] = [];
      let tokens = 0;
      for (const text of texts) {
        if (slice.due()) await slice.yieldIfDue(signal);
        table.clear();
        let left = config.maxTokens;
        for (let position = 0; ; ) {
          const ids: number[] = [];
          position = tokenizer.step(text, position, ids);
          if (ids.length > left) ids.length = left;
          left -= ids.length;
          table.add(ids, tokenizer.unknown);
          if (position === text.length || left === 0) break;
          if (!slice.due()) continue;
          // The table holds one running sum; another call may use it meanwhile.
          const sums = table.sums();
          await slice.yieldIfDue(signal);
          table.resume(sums);
        }
        tokens += config.maxTokens - left;
        vectors.push(table.unit() ?? fallbackVector(text, config.dimensions));
      }
      return { vectors, usage: { tokens } };
    },
    async knownWords(texts) {
      const { tokenizer } = await load();
      const slice = new TimeSlice();
      const found: string[] = [];
      for (const text of texts) {
        if (slice.due()) await slice.yieldIfDue(undefined);
        found.push(knownWordsOf(text, (word) => tokenizer.isOneToken(word)));
      }
      return found;
    },
    async close() {
      loading = undefined;
    },
  };
}
