import type { PackedTerms } from '../analysis/packed-terms.js';
import { contentHash } from '../backend/content-hash.js';
import type { Space, VectorCache } from '../backend/space.js';
import { type EmbeddedBatch, type EmbedTextsOptions, embedTexts } from '../embed/embed-texts.js';
import { checkReferenceEmbeddings, makeReferenceEmbeddings } from '../embed/reference-embeddings.js';
import { SemanticIndexError } from '../errors.js';
import type { EmbeddingProvider } from '../types.js';

/** A batch, and whether it came out of the cache: nothing was paid for it. */
export interface SharedBatch extends EmbeddedBatch {
  readonly cached: boolean;
  /** All vectors, one after the other, where they were made in a thread. */
  readonly packed?: Float32Array | undefined;
  /** Languages of all texts, where they were analyzed along the way. */
  readonly languages?: readonly string[] | undefined;
  /** The terms of all texts, where they were analyzed along the way. */
  readonly terms?: PackedTerms | undefined;
}

/** Embeds texts through a file that several indexes share, where there is one; else straight through the provider. */
export class SharedEmbeddings {
  readonly #cache: VectorCache | undefined;
  readonly #spaces = new Map<string, Promise<Space>>();

  constructor(cache: VectorCache | undefined) {
    this.#cache = cache;
  }

  /** As `embedTexts`; what the file knows comes first, what it does not know is stored there as it lands. */
  async *embed(
    provider: EmbeddingProvider,
    texts: readonly string[],
    options: EmbedTextsOptions,
  ): AsyncGenerator<SharedBatch> {
    const cache = provider.fast === true ? undefined : this.#cache;
    if (cache === undefined) {
      for await (const batch of embedTexts(provider, texts, options)) yield { ...batch, cached: false };
      return;
    }
    const { role, signal } = options;
    const space = await this.#space(cache, provider, signal);
    const hashes = texts.map((text) => contentHash(text));
    const found = await cache.find(space, { role, hashes });
    const [known, unknown]: [number[], number[]] = [[], []];
    found.forEach((vector, index) => {
      (vector === undefined ? unknown : known).push(index);
    });
    if (known.length > 0) {
      yield { indices: known, vectors: known.map((index) => found[index] as Float32Array), tokens: 0, cached: true };
    }
    if (unknown.length === 0) return;
    const missing = unknown.map((index) => texts[index] as string);
    const missingOptions: EmbedTextsOptions = { ...options, dimensions: space.dimensions };
    const { onRefused } = options;
    if (onRefused !== undefined) {
      missingOptions.onRefused = ({ index, error }) => onRefused({ index: unknown[index] as number, error });
    }
    for await (const batch of embedTexts(provider, missing, missingOptions)) {
      const indices = batch.indices.map((place) => unknown[place] as number);
      const landed = indices.map((index) => hashes[index] as string);
      await cache.keep(space, { role, hashes: landed }, batch.vectors);
      yield { ...batch, indices, cached: false };
    }
  }

  /** For each content hash of a document, whether the file has its vector. Asks the provider for nothing. */
  async known(provider: EmbeddingProvider | undefined, hashes: readonly string[]): Promise<boolean[]> {
    const cache = provider?.fast === true ? undefined : this.#cache;
    const space = provider === undefined ? undefined : await cache?.findSpace(provider.id);
    if (cache === undefined || space === undefined) return hashes.map(() => false);
    return (await cache.find(space, { role: 'document', hashes })).map((vector) => vector !== undefined);
  }

  /** The space of a provider in the file; once in a process it is made sure that the model is still the same. */
  #space(cache: VectorCache, provider: EmbeddingProvider, signal: AbortSignal | undefined): Promise<Space> {
    const found = this.#spaces.get(provider.id);
    if (found !== undefined) return found;
    const finding = this.#recognise(cache, provider, signal).catch((error: unknown) => {
      this.#spaces.delete(provider.id);
      throw error;
    });
    this.#spaces.set(provider.id, finding);
    return finding;
  }

  async #recognise(cache: VectorCache, provider: EmbeddingProvider, signal: AbortSignal | undefined): Promise<Space> {
    const known = await cache.findSpace(provider.id);
    if (known?.canaries != null) {
      await checkReferenceEmbeddings(provider, known.canaries, { signal }).catch((error: unknown) => {
        if (!SemanticIndexError.is(error, 'SPACE_MISMATCH')) throw error;
        throw new SemanticIndexError('SPACE_MISMATCH', `${cache.path} holds other vectors: ${error.message}`, {
          hint: 'The model behind this id has changed. Use another file as `embeddingCache`, or delete this one.',
          cause: error,
        });
      });
      return known;
    }
    const canaries = await makeReferenceEmbeddings(provider, { signal });
    const { vector } = (JSON.parse(canaries) as { canaries: { vector: string }[] }).canaries[0] ?? { vector: '' };
    const dimensions = provider.dimensions ?? Buffer.from(vector, 'base64').length / 4;
    return cache.addSpace(provider.id, dimensions, canaries);
  }

  async close(): Promise<void> {
    await this.#cache?.close();
  }
}
