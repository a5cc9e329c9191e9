import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BundledProviderOptions, bundledProviderDefaults, resolveOptions } from '../../options.js';
import { TimeSlice } from '../../time-slice.js';
import type { EmbeddingProvider } from '../../types.js';
import { fingerprintOf } from '../fingerprint.js';
import { knownWordsOf } from './known-words.js';
import { readStaticModelConfig, StaticModel, type StaticModelConfig } from './static-model.js';

/** Relative to `dist/embed/bundled/`, both in a checkout and in an installed package. */
const bundledFolder = fileURLToPath(new URL('../../../models/semantic-index-en', import.meta.url));

/** The model of the package, as long as a provider of this process uses it: reading it takes longer than a search. */
let packaged: WeakRef<StaticModel> | undefined;

async function loadPackaged(config: StaticModelConfig): Promise<StaticModel> {
  const known = packaged?.deref();
  if (known !== undefined) return known;
  const model = await StaticModel.load(bundledFolder, config);
  packaged = new WeakRef(model);
  return model;
}

const folders = new WeakMap<EmbeddingProvider, string>();

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
    loading ??= (folder === undefined ? loadPackaged(config) : StaticModel.load(path, config)).catch(
      (error: unknown) => {
        loading = undefined;
        throw error;
      },
    );
    return loading;
  };

  const provider: EmbeddingProvider & { readonly dimensions: number } = {
    id: fingerprintOf('bundled', { model: name, revision: config.revision, dimensions: config.dimensions }),
    dimensions: config.dimensions,
    fast: true,
    maxBatchSize: 1024,
    async embed(texts, { signal }) {
      signal?.throwIfAborted();
      const model = await load();
      signal?.throwIfAborted();
      const slice = new TimeSlice();
      const vectors: Float32Array[] = [];
      let tokens = 0;
      for (const text of texts) {
        const steps = model.embedding(text);
        for (;;) {
          if (slice.due()) await slice.yieldIfDue(signal);
          const { done, value } = steps.next();
          if (done !== true) continue;
          vectors.push(value.vector);
          tokens += value.tokens;
          break;
        }
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
  folders.set(provider, path);
  return provider;
}

/** The directory of the model of a provider that `bundledProvider` made; other threads can load it from there. */
export function modelFolderOf(provider: EmbeddingProvider): string | undefined {
  return folders.get(provider);
}
