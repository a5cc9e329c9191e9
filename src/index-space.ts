import { CallSlots } from './embed/call-slots.js';
import { checkCanaries, makeCanaries } from './embed/canaries.js';
import { type EmbeddedBatch, embedTexts } from './embed/embed-texts.js';
import { estimateTokens } from './embed/estimate-tokens.js';
import { describeDifferences, fingerprintDifferences } from './embed/fingerprint.js';
import { SemanticIndexError } from './errors.js';
import type { Store } from './store/store.js';
import type { Space } from './store/vector-table.js';
import type { EmbeddingProvider, EmbeddingRole } from './types.js';

const textsWorthMeasuring = 32;

/** Holds an index to one space: its provider, its dimensions, and the refusal of everything else. */
export class IndexSpace {
  readonly #store: Store;
  readonly #provider: EmbeddingProvider | undefined;
  readonly #slots: CallSlots;
  #recognised: Promise<void> | undefined;
  #creating: Promise<Space> | undefined;

  constructor(store: Store, provider: EmbeddingProvider | undefined) {
    this.#store = store;
    this.#provider = provider;
    // Of parallel calls, all that is not safe yet is one batch of an add, spread over them; a single one may be followed
    // by the next while its vectors are being stored.
    const parallel = Math.max(1, Math.floor(provider?.maxParallelCalls ?? 1));
    this.#slots = new CallSlots(parallel, Math.max(parallel, 2));
  }

  /** Of the space of the index, else of its provider; undefined where neither is known. */
  get fingerprint(): string | undefined {
    return this.#store.space?.fingerprint ?? this.#provider?.id;
  }

  /** Whether several calls of the provider run at the same time. */
  get parallel(): boolean {
    return (this.#provider?.maxParallelCalls ?? 1) > 1;
  }

  /** How fast adds have embedded so far; undefined before the first one. */
  get charactersPerSecond(): number | undefined {
    const space = this.#store.space?.space;
    return space === undefined ? undefined : this.#store.figure(`characters_per_second:${space}`);
  }

  /** Remembers how fast an add embedded; the latest ones weigh most. Too short a run says nothing. */
  async measured(texts: number, characters: number, seconds: number): Promise<void> {
    const space = this.#store.space?.space;
    if (space === undefined || texts < textsWorthMeasuring || seconds <= 0) return;
    const before = this.charactersPerSecond;
    const now = characters / seconds;
    const figure = before === undefined ? now : (before + now) / 2;
    await this.#store.setFigure(`characters_per_second:${space}`, Math.max(1, Math.round(figure)));
  }

  /** Counts tokens as the provider does, or else about. */
  async tokenCounter(): Promise<{ exact: boolean; tokens: (text: string) => number }> {
    const provider = this.#provider;
    if (provider?.countTokens === undefined) return { exact: false, tokens: estimateTokens };
    await provider.ready?.();
    return { exact: true, tokens: (text) => provider.countTokens?.(text) ?? 0 };
  }

  /** Whether there is a provider that turns texts into vectors. */
  get canEmbed(): boolean {
    return this.#provider !== undefined;
  }

  /** Length of the vectors; undefined before the first one. */
  get dimensions(): number | undefined {
    return this.#store.space?.dimensions;
  }

  /**
   * Vectors of two models are never compared: the provider must be the one that made the index.
   *
   * @throws SPACE_MISMATCH
   */
  check(): void {
    const { space } = this.#store;
    if (space === undefined || this.#provider === undefined || space.fingerprint === this.#provider.id) return;
    const [expected, actual] = [space.fingerprint, this.#provider.id];
    const differences = fingerprintDifferences(expected, actual);
    throw new SemanticIndexError(
      'SPACE_MISMATCH',
      `The index was made with another model: ${describeDifferences(differences)}`,
      {
        details: { expected, actual, differences },
      },
    );
  }

  /** @throws DIMENSION_MISMATCH when the index has vectors of another length. */
  checkDimensions(actual: number): void {
    const expected = this.dimensions;
    if (expected === undefined || expected === actual) return;
    throw new SemanticIndexError(
      'DIMENSION_MISMATCH',
      `The vector has ${actual} numbers, those of the index have ${expected}`,
      { details: { expected, actual } },
    );
  }

  /**
   * The number of the space; the first vector decides which one it is.
   *
   * @throws SPACE_MISMATCH, DIMENSION_MISMATCH when another process decided otherwise.
   */
  async choose(dimensions: number): Promise<number> {
    const fingerprint = this.#provider?.id ?? `given:${dimensions}`;
    const space = this.#store.space ?? (await this.#createOnce(fingerprint, dimensions));
    this.check();
    this.checkDimensions(dimensions);
    return space.space;
  }

  /** Batches that land at the same time choose together. */
  #createOnce(fingerprint: string, dimensions: number): Promise<Space> {
    this.#creating ??= this.#create(fingerprint, dimensions).finally(() => {
      this.#creating = undefined;
    });
    return this.#creating;
  }

  /** A new space remembers a few texts with their vectors, by which the model is recognised later. */
  async #create(fingerprint: string, dimensions: number): Promise<Space> {
    const canaries = this.#provider === undefined ? null : await makeCanaries(this.#provider);
    const space = await this.#store.chooseSpace(fingerprint, dimensions, canaries);
    this.#recognised = Promise.resolve();
    return space;
  }

  /**
   * Embeds texts with the provider of the index; see `embedTexts`. Before the first one the model is recognised by the
   * canaries of the space: a model that changed behind an unchanged name is refused before it does harm.
   *
   * @throws INVALID_ARGUMENT when the index was opened without a provider, SPACE_MISMATCH, and what the provider causes.
   */
  async *embed(
    texts: readonly string[],
    options: { role: EmbeddingRole; signal: AbortSignal | undefined },
  ): AsyncGenerator<EmbeddedBatch> {
    const provider = this.#provider;
    if (provider === undefined) {
      throw new SemanticIndexError('INVALID_ARGUMENT', `The index has no embedding provider for a ${options.role}`, {
        hint: 'Pass vectors, or open the index with the provider it was made with.',
      });
    }
    await this.#recognise(provider);
    // A query does not wait behind documents.
    yield* embedTexts(provider, texts, options.role === 'document' ? { ...options, slots: this.#slots } : options);
  }

  #recognise(provider: EmbeddingProvider): Promise<void> {
    const canaries = this.#store.space?.canaries;
    if (canaries === undefined || canaries === null) return Promise.resolve();
    this.#recognised ??= checkCanaries(provider, canaries).catch((error: unknown) => {
      // A model that is another one stays so; one that could not be reached is asked again.
      if (!SemanticIndexError.is(error, 'SPACE_MISMATCH')) this.#recognised = undefined;
      throw error;
    });
    return this.#recognised;
  }
}
