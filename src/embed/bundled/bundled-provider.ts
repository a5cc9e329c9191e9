import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BundledProviderOptions, bundledProviderDefaults, resolveOptions } from '../../options.js';
import { TimeSlice } from '../../time-slice.js';
import type { EmbeddingProvider } from '../../types.js';
import { unitVector } from '../check-vectors.js';
import { embedInSlices } from '../embed-in-slices.js';
import { fingerprintOf } from '../fingerprint.js';
import { knownWordsOf } from './known-words.js';
import { readStaticModelConfig, StaticModel, type StaticModelConfig } from './static-model.js';
import { TokenMatcher } from './token-matcher.js';
import { TableKnowledge } from './word-knowledge.js';

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

/** What is known of a provider of this module. */
interface Bundled {
  readonly folder: string;
  /** Undefined until it is loaded. */
  model: StaticModel | undefined;
  load(): Promise<StaticModel>;
}

const bundled = new WeakMap<EmbeddingProvider, Bundled>();
/** Characters of a text that is embedded in a fraction of a millisecond. */
const maxShortText = 1024;

/**
 * The default provider: a static token table that ships with the package. Needs no network, no API key and no runtime;
 * the weights are read at the first call, in tens of milliseconds. The vector of a text is the normalized sum of the
 * rows of its distinct tokens; one that the text repeats counts a little more than the others, not many times as much. A
 * text without any known token gets a vector made from its characters. Yields to the event loop about every millisecond.
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
    loading ??= (folder === undefined ? loadPackaged(config) : StaticModel.load(path, config)).then(
      (model) => {
        known.model = model;
        return model;
      },
      (error: unknown) => {
        loading = undefined;
        throw error;
      },
    );
    return loading;
  };
  const known: Bundled = { folder: path, model: undefined, load };

  const provider: EmbeddingProvider & { readonly dimensions: number } = {
    id: fingerprintOf('bundled', { model: name, revision: config.revision, dimensions: config.dimensions }),
    dimensions: config.dimensions,
    fast: true,
    maxBatchSize: 1024,
    async embed(texts, { signal }) {
      signal?.throwIfAborted();
      const model = await load();
      signal?.throwIfAborted();
      return embedInSlices(texts, (text) => model.embedding(text), signal);
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
      known.model = undefined;
    },
  };
  bundled.set(provider, known);
  return provider;
}

/** Whether two fingerprints are of the model of the package, in different versions of the package. */
export function areBundledRevisions(one: string, other: string): boolean {
  const isPackaged = (fingerprint: string): boolean =>
    fingerprint.startsWith('bundled?') &&
    new URLSearchParams(fingerprint.slice('bundled?'.length)).get('model') === basename(bundledFolder);
  return one !== other && isPackaged(one) && isPackaged(other);
}

let matcher: Promise<TokenMatcher> | undefined;

/** Compares tokens by the rows of the model of the package, whatever the provider of an index is. @throws MODEL_NOT_FOUND, INVALID_FILE. */
export function loadTokenMatcher(): Promise<TokenMatcher> {
  matcher ??= loadPackaged(readStaticModelConfig(bundledFolder)).then(
    (model) => new TokenMatcher(model),
    (error: unknown) => {
      matcher = undefined;
      throw error;
    },
  );
  return matcher;
}

let knowledge: Promise<TableKnowledge> | undefined;

/** Rarity and similarity of words by the model of the package, whatever the provider of an index is. @throws MODEL_NOT_FOUND, INVALID_FILE. */
export function loadWordKnowledge(): Promise<TableKnowledge> {
  knowledge ??= loadPackaged(readStaticModelConfig(bundledFolder)).then(
    (model) => new TableKnowledge(model),
    (error: unknown) => {
      knowledge = undefined;
      throw error;
    },
  );
  return knowledge;
}

/** The directory of the model of a provider that `bundledProvider` made; other threads can load it from there. */
export function modelFolderOf(provider: EmbeddingProvider): string | undefined {
  return bundled.get(provider)?.folder;
}

/** Reads the model of a provider that `bundledProvider` made, unless it is read; does nothing for others. @throws MODEL_NOT_FOUND, INVALID_FILE. */
export async function loadModelOf(provider: EmbeddingProvider): Promise<void> {
  const known = bundled.get(provider);
  if (known?.model === undefined) await known?.load();
}

/**
 * The vector of length 1 of a short text, as the provider gives it, but at once; undefined for long texts, for a model that is not
 * loaded, and for other providers.
 */
export function embedShortText(provider: EmbeddingProvider, text: string): Float32Array | undefined {
  const model = text.length > maxShortText ? undefined : bundled.get(provider)?.model;
  const unit = model && unitVector(model.embed(text).vector);
  return typeof unit === 'string' ? undefined : unit;
}
