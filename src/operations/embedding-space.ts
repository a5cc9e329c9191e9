import { setImmediate } from 'node:timers/promises';
import { embeddedTextOf } from '../analysis/fields/stored-text.js';
import type { TextLanguages } from '../analysis/text-preparer.js';
import type { Backend } from '../backend/backend.js';
import { contentHash } from '../backend/content-hash.js';
import type { Space } from '../backend/space.js';
import { areBundledRevisions, embedShortText, loadModelOf, modelFolderOf } from '../embed/bundled/bundled-provider.js';
import { ConcurrencyLimiter } from '../embed/concurrency-limiter.js';
import type { EmbedTextsOptions } from '../embed/embed-texts.js';
import { estimateTokens } from '../embed/estimate-tokens.js';
import { describeDifferences, fingerprintDifferences } from '../embed/fingerprint.js';
import { checkReferenceEmbeddings, makeReferenceEmbeddings } from '../embed/reference-embeddings.js';
import { isWorthThread, textWorkers } from '../embed/text-workers/text-workers.js';
import { SemanticIndexError } from '../errors.js';
import type { EmbeddingProvider } from '../types.js';
import { cosine } from '../vectors/metric.js';
import { type SharedBatch, SharedEmbeddings } from './shared-embeddings.js';

const textsWorthMeasuring = 32;
/** Short texts that are embedded within a fraction of a millisecond. */
const textsEmbeddedNow = 16;

const otherVersionOfPackage =
  'The model of the package changed with its version. Open the index with `provider: null`, which searches words, and call ' +
  '`migrate(bundledProvider())`; afterwards it opens as before.';

/** The vector of a query, and the space that it is in. */
export interface EmbeddedNow {
  readonly vector: Float32Array;
  readonly space: number;
  /**
   * To be awaited before anything that was found by the vector is returned; undefined where the model was recognised before.
   * Rejects with SPACE_MISMATCH.
   */
  readonly recognised: Promise<void> | undefined;
}

/** Holds an index to one space: its provider, its dimensions, and the refusal of everything else. */
export class EmbeddingSpace {
  readonly #backend: Backend;
  /** The way to the provider, through the file that is shared with other indexes. */
  readonly shared: SharedEmbeddings;
  readonly #provider: EmbeddingProvider | undefined;
  /** Providers that the index may be in the space of while this process looks on, by fingerprint. */
  readonly #expected = new Map<string, EmbeddingProvider>();
  readonly #limiters = new WeakMap<EmbeddingProvider, ConcurrencyLimiter>();
  readonly #recognised = new Map<number, Promise<void>>();
  /** Spaces whose model was recognised. */
  readonly #sound = new Set<number>();
  #creating: Promise<Space> | undefined;

  constructor(backend: Backend, provider: EmbeddingProvider | undefined, shared = new SharedEmbeddings(undefined)) {
    this.#backend = backend;
    this.shared = shared;
    this.#provider = provider;
  }

  /** Another provider, whose space the index may be moved to while this process looks on. */
  expect(provider: EmbeddingProvider): void {
    this.#expected.set(provider.id, provider);
  }

  /** The provider of the space that the index is in now. */
  #current(): EmbeddingProvider | undefined {
    const fingerprint = this.#backend.space?.fingerprint;
    if (fingerprint === undefined || fingerprint === this.#provider?.id) return this.#provider;
    return this.#expected.get(fingerprint) ?? this.#provider;
  }

  /**
   * Room for calls of a provider. Of parallel calls, all that is not safe yet is one batch of an add, spread over them; a
   * single one may be followed by the next while its vectors are being stored.
   */
  limiterOf(provider: EmbeddingProvider): ConcurrencyLimiter {
    const parallel = Math.max(1, Math.floor(provider.maxParallelCalls ?? 1));
    const limiter = this.#limiters.get(provider) ?? new ConcurrencyLimiter(parallel, Math.max(parallel, 2));
    this.#limiters.set(provider, limiter);
    return limiter;
  }

  /** Of the space of the index, else of its provider; undefined where neither is known. */
  get fingerprint(): string | undefined {
    return this.#backend.space?.fingerprint ?? this.#current()?.id;
  }

  /** Whether several calls of the provider run at the same time. */
  get parallel(): boolean {
    return (this.#current()?.maxParallelCalls ?? 1) > 1;
  }

  /** Whether many documents are embedded in a thread, which can analyze them along the way. */
  get embedsInThread(): boolean {
    const provider = this.#current();
    return provider !== undefined && modelFolderOf(provider) !== undefined;
  }

  /** How fast adds have embedded so far; undefined before the first one. */
  async charactersPerSecond(): Promise<number | undefined> {
    const space = this.#backend.space?.space;
    const figure = space === undefined ? undefined : await this.#backend.settings.get(`characters_per_second:${space}`);
    return figure === undefined ? undefined : Number(figure);
  }

  /** Remembers how fast an add embedded; the latest ones weigh most. Too short a run says nothing. */
  async measured(texts: number, characters: number, seconds: number): Promise<void> {
    const space = this.#backend.space?.space;
    if (space === undefined || texts < textsWorthMeasuring || seconds <= 0) return;
    const before = await this.charactersPerSecond();
    const now = characters / seconds;
    const figure = before === undefined ? now : (before + now) / 2;
    await this.#backend.settings.set(`characters_per_second:${space}`, Math.max(1, Math.round(figure)));
  }

  /** For each content hash of a document, whether the file shared with other indexes has its vector. */
  knownElsewhere(hashes: readonly string[]): Promise<boolean[]> {
    return this.shared.known(this.#current(), hashes);
  }

  /** Counts tokens as the provider does, or else about. */
  async tokenCounter(): Promise<{ exact: boolean; tokens: (text: string) => number }> {
    const provider = this.#current();
    if (provider?.countTokens === undefined) return { exact: false, tokens: estimateTokens };
    await provider.ready?.();
    return { exact: true, tokens: (text) => provider.countTokens?.(text) ?? 0 };
  }

  /** See `EmbeddingProvider.knownWords`; undefined for each text where the provider does not declare it. */
  async knownWords(texts: readonly string[]): Promise<readonly (string | undefined)[]> {
    const provider = this.#current();
    if (provider?.knownWords === undefined) return texts.map(() => undefined);
    this.check();
    return provider.knownWords(texts);
  }

  /** Whether texts are compared in this process at next to no cost: by the bundled model. */
  get comparesLocally(): boolean {
    const provider = this.#current();
    return provider !== undefined && modelFolderOf(provider) !== undefined;
  }

  /** The cosine of a query, a text or a vector, with each of some texts, by the provider, of which nothing is kept. */
  async similarities(
    query: string | Float32Array,
    texts: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<number[]> {
    const provider = this.#current();
    if (provider === undefined) return texts.map(() => 0);
    const asked = typeof query === 'string' ? [query, ...texts] : texts;
    const now = asked.length <= textsEmbeddedNow ? asked.map((text) => embedShortText(provider, text)) : [undefined];
    const vectors = now.every((vector) => vector !== undefined)
      ? now
      : (await provider.embed(asked, { role: 'document', ...(signal !== undefined && { signal }) })).vectors;
    const [own, rows] = typeof query === 'string' ? [vectors[0], vectors.slice(1)] : [query, vectors];
    return rows.map((vector) => cosine(own as Float32Array, vector as Float32Array) || 0);
  }

  /** Whether there is a provider that turns texts into vectors. */
  get canEmbed(): boolean {
    return this.#provider !== undefined;
  }

  /** Length of the vectors; undefined before the first one. */
  get dimensions(): number | undefined {
    return this.#backend.space?.dimensions;
  }

  /**
   * Vectors of two models are never compared: the provider must be the one that made the index.
   *
   * @throws SPACE_MISMATCH
   */
  check(): void {
    const { space } = this.#backend;
    const provider = this.#current();
    if (space === undefined || provider === undefined || space.fingerprint === provider.id) return;
    const [expected, actual] = [space.fingerprint, provider.id];
    const differences = fingerprintDifferences(expected, actual);
    throw new SemanticIndexError(
      'SPACE_MISMATCH',
      `The index was made with another model: ${describeDifferences(differences)}`,
      {
        ...(areBundledRevisions(expected, actual) && { hint: otherVersionOfPackage }),
        details: { expected, actual, differences },
      },
    );
  }

  /** @throws DIMENSION_MISMATCH when the index has vectors of another length. */
  checkDimensions(actual: number, expected: number | undefined = this.dimensions): void {
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
    const fingerprint = this.#current()?.id ?? `given:${dimensions}`;
    const space = this.#backend.space ?? (await this.#createOnce(fingerprint, dimensions));
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
    const provider = this.#current();
    const canaries = provider === undefined ? null : await makeReferenceEmbeddings(provider);
    const space = await this.#backend.chooseSpace(fingerprint, dimensions, canaries);
    if (space.canaries === canaries) this.#sound.add(space.space);
    return space;
  }

  /** Reads the model of the bundled provider where that is not done yet. @throws MODEL_NOT_FOUND, INVALID_FILE. */
  async loadModel(): Promise<void> {
    const provider = this.#current();
    if (provider !== undefined) await loadModelOf(provider);
  }

  /**
   * The vector of a query at once, for a short text and a model that is loaded in this process; undefined otherwise.
   *
   * @throws SPACE_MISMATCH
   */
  embedNow(text: string): EmbeddedNow | undefined {
    this.check();
    const provider = this.#current();
    const { space } = this.#backend;
    if (provider === undefined || space === undefined) return undefined;
    const vector = embedShortText(provider, text);
    if (vector === undefined) return undefined;
    const recognised = this.#sound.has(space.space) ? undefined : this.#recogniseSoon(provider, space);
    // Its error is thrown where it is awaited; this avoids an unhandled rejection meanwhile.
    recognised?.catch(() => {});
    return { vector, space: space.space, recognised };
  }

  /**
   * Embeds texts with the provider of the index; see `embedTexts`. Before the first one the model is recognised by the
   * canaries of the space: a model that changed behind an unchanged name is refused before it does harm. Each batch comes
   * with the space that its vectors are in, where the index had one when it was begun.
   *
   * Many documents are embedded by a static model in a thread, which analyzes them, too, if `analyze` is set. Texts of documents are
   * as they are stored.
   *
   * @throws INVALID_ARGUMENT when the index was opened without a provider, SPACE_MISMATCH, and what the provider causes.
   */
  async *embed(
    texts: readonly string[],
    options: Pick<EmbedTextsOptions, 'role' | 'signal' | 'onRefused'> & {
      readonly analyze?: TextLanguages | undefined;
    },
  ): AsyncGenerator<SharedBatch & { readonly space: number | undefined }> {
    this.check();
    const provider = this.#current();
    const { space } = this.#backend;
    if (provider === undefined) {
      throw new SemanticIndexError('INVALID_ARGUMENT', `The index has no embedding provider for a ${options.role}`, {
        hint:
          options.role === 'query'
            ? "Pass a vector, search with `mode: 'text'`, or open the index with the provider it was made with."
            : 'Pass vectors, or open the index with the provider it was made with.',
      });
    }
    if (options.role === 'query' && space !== undefined && provider.fast !== true) {
      yield* this.#embedQueries(provider, space, texts, options.signal);
      return;
    }
    if (space !== undefined) await this.#recognise(provider, space);
    const model = options.role === 'document' ? modelFolderOf(provider) : undefined;
    if (model !== undefined && isWorthThread(texts)) {
      const request = { texts, model, analyze: options.analyze };
      const { vectors: packed, tokens, terms, languages } = await textWorkers().prepare(request, options.signal);
      yield {
        indices: [...texts.keys()],
        // Rarely needed: what has all of them takes the packed ones.
        get vectors() {
          return rowsOf(packed ?? new Float32Array(0), texts.length);
        },
        packed,
        tokens,
        terms,
        languages,
        cached: false,
        space: space?.space,
      };
      return;
    }
    const embedded = options.role === 'document' ? texts.map(embeddedTextOf) : texts;
    // A query does not wait behind documents.
    const limiter = options.role === 'document' ? this.limiterOf(provider) : undefined;
    for await (const batch of this.shared.embed(provider, embedded, { ...options, limiter })) {
      yield { ...batch, space: space?.space };
    }
  }

  /** Queries that were asked before are looked up; for them alone the provider is not even reached for. */
  async *#embedQueries(
    provider: EmbeddingProvider,
    space: Space,
    texts: readonly string[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<SharedBatch & { readonly space: number }> {
    const { queries } = this.#backend;
    const hashes = texts.map((text) => contentHash(text));
    const found = await queries.find(space.space, hashes);
    const [known, unknown]: [number[], number[]] = [[], []];
    found.forEach((vector, index) => {
      (vector === undefined ? unknown : known).push(index);
    });
    const vectors = known.map((index) => found[index] as Float32Array);
    if (known.length > 0) yield { indices: known, vectors, tokens: 0, cached: true, space: space.space };
    if (unknown.length === 0) return;
    await this.#recognise(provider, space);
    const missing = unknown.map((index) => texts[index] as string);
    for await (const batch of this.shared.embed(provider, missing, { role: 'query', signal })) {
      const indices = batch.indices.map((place) => unknown[place] as number);
      const landed = indices.map((index) => hashes[index] as string);
      queries.keep(space.space, landed, batch.vectors);
      yield { ...batch, indices, space: space.space };
    }
  }

  /** As `#recognise`, from the next turn of the event loop on: the search that needs it has begun by then, in another thread. */
  async #recogniseSoon(provider: EmbeddingProvider, space: Space): Promise<void> {
    await setImmediate();
    await this.#recognise(provider, space);
  }

  #recognise(provider: EmbeddingProvider, { space, canaries }: Space): Promise<void> {
    if (canaries === null) this.#sound.add(space);
    if (canaries === null || this.#sound.has(space)) return Promise.resolve();
    const recognised =
      this.#recognised.get(space) ??
      checkReferenceEmbeddings(provider, canaries).then(
        () => void this.#sound.add(space),
        (error: unknown) => {
          // A model that is another one stays so; one that could not be reached is asked again.
          if (!SemanticIndexError.is(error, 'SPACE_MISMATCH')) this.#recognised.delete(space);
          throw error;
        },
      );
    this.#recognised.set(space, recognised);
    return recognised;
  }
}

/** Vectors of a batch as views. */
function rowsOf(vectors: Float32Array, count: number): Float32Array[] {
  const dimensions = vectors.length / count;
  return Array.from({ length: count }, (_, row) => vectors.subarray(row * dimensions, (row + 1) * dimensions));
}
