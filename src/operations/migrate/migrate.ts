import { embeddedTextOf } from '../../analysis/fields/stored-text.js';
import { documentsPerRead } from '../../backend/batch-sizes.js';
import type { MissingText, Remainder } from '../../backend/migration.js';
import type { Space } from '../../backend/space.js';
import { embedText, embedTexts } from '../../embed/embed-texts.js';
import { checkReferenceEmbeddings, makeReferenceEmbeddings } from '../../embed/reference-embeddings.js';
import { SemanticIndexError } from '../../errors.js';
import type { ResolvedMigrateOptions } from '../../options.js';
import type { DocumentId, EmbeddingProvider, EmbeddingRole, MigrationResult, SpaceOverlap } from '../../types.js';
import { packVectors } from '../../vectors/pack-vectors.js';
import type { OperationContext } from '../context.js';
import { prefetch } from '../prefetch.js';

/** Pages in progress, so that a slow call of the provider does not leave it idle. */
const pagesAhead = 3;
/** Nearest documents compared under both models, as many as a page of hits has. */
const overlapDepth = 10;
/** Documents used as queries: the mean overlap is known to about 0.03. */
const sampledDocuments = 100;

type Tally = { embedded: number; tokens: number };

/**
 * Moves an index to another model: a second space is filled beside the first, batch by batch, and takes its place in
 * one transaction. Until then nothing that a search reads has changed.
 */
export function migrate(
  context: OperationContext,
  provider: EmbeddingProvider,
  options: ResolvedMigrateOptions,
): Promise<MigrationResult> {
  return context.backend.migration.exclusively(() => new ModelMigration(context, provider).run(options));
}

/** One call of `migrate`: the texts that are being embedded. */
class ModelMigration {
  readonly #context: OperationContext;
  readonly #provider: EmbeddingProvider;
  /** Content hashes of texts that are being embedded. */
  readonly #embedding = new Set<string>();

  constructor(context: OperationContext, provider: EmbeddingProvider) {
    this.#context = context;
    this.#provider = provider;
  }

  async run(options: ResolvedMigrateOptions): Promise<MigrationResult> {
    const { signal, onProgress } = options;
    signal?.throwIfAborted();
    const { migration } = this.#context.backend;
    const from = this.#context.backend.space;
    const documents = await this.#context.backend.count();
    const tally: Tally = { embedded: 0, tokens: 0 };
    if (from === undefined) {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'migrate: the index has no vectors yet', {
        hint: 'Open it with the other provider.',
      });
    }
    const ends = { from: from.fingerprint, to: this.#provider.id, documents };
    if (from.fingerprint === this.#provider.id) {
      await migration.abandon();
      return { ...ends, ...tally, reused: documents, cutOver: false };
    }
    this.#context.space.expect(this.#provider);
    const to = await this.#begin(signal);
    const before = this.#refuseGiven(await migration.remainder(to.space));
    await this.#fill(to, documents - before.missing, documents, tally, options);
    const overlap = await this.#overlap(from, to, options);
    const result = {
      ...ends,
      ...tally,
      reused: documents - before.missing,
      ...(overlap === undefined ? {} : { overlap }),
    };
    if (!options.cutOver) return { ...result, cutOver: false };
    // Documents that were added meanwhile are fewer in each round.
    for (;;) {
      signal?.throwIfAborted();
      const { missing } = this.#refuseGiven(await migration.cutOver(to.space));
      if (missing === 0) break;
      await this.#fill(to, documents - missing, documents, tally, options);
    }
    (await this.#context.backend.snapshot())?.close();
    onProgress?.({ stage: 'migrate', done: documents, total: documents });
    return { ...result, ...tally, cutOver: true };
  }

  /** The space to be filled; one that was begun earlier has to be of this very model. */
  async #begin(signal: AbortSignal | undefined): Promise<Space> {
    const { id, dimensions } = this.#provider;
    const known = await this.#context.backend.migration.findSpace(id);
    if (known !== undefined) {
      if (known.canaries !== null) await checkReferenceEmbeddings(this.#provider, known.canaries, { signal });
      return this.#context.backend.migration.begin(id, known.dimensions, known.canaries ?? '');
    }
    const width = dimensions ?? (await this.#embedOne('dimensions', 'document', signal)).length;
    return this.#context.backend.migration.begin(id, width, await makeReferenceEmbeddings(this.#provider, { signal }));
  }

  #refuseGiven(remainder: Remainder): Remainder {
    if (remainder.given === 0) return remainder;
    throw new SemanticIndexError(
      'UNSUPPORTED',
      `migrate: ${remainder.given} documents have vectors that the caller gave, which no model can make again`,
      {
        hint: 'Add those documents again without vectors, or with vectors to a separate index.',
        details: { documents: remainder.given },
      },
    );
  }

  /** Every text that is missing is embedded once; each batch is durable as soon as it lands. */
  async #fill(
    to: Space,
    done: number,
    total: number,
    tally: Tally,
    { signal, onProgress }: ResolvedMigrateOptions,
  ): Promise<void> {
    let ready = done;
    const embed = async (page: MissingText[]): Promise<number> => {
      const texts = new Map(page.map(({ hash, id, text }) => [hash, { text: embeddedTextOf(text), id }]));
      for (const hash of [...texts.keys()]) if (this.#embedding.has(hash)) texts.delete(hash);
      for (const hash of texts.keys()) this.#embedding.add(hash);
      const hashes = [...texts.keys()];
      const [all, ids] = [[...texts.values()].map(({ text }) => text), [...texts.values()].map(({ id }) => id)];
      const limiter = this.#context.space.limiterOf(this.#provider);
      const { dimensions } = to;
      const options = { role: 'document', signal, limiter, dimensions } as const;
      const batches = this.#context.space.shared.embed(this.#provider, all, options);
      for await (const { indices, vectors, tokens, cached } of batches) {
        const landed = indices.map((index) => hashes[index] as string);
        const owners = indices.map((index) => ids[index] as DocumentId);
        await this.#context.backend.putVectors(to.space, 'document', landed, vectors, owners);
        if (!cached) tally.embedded += landed.length;
        tally.tokens += tokens;
      }
      return page.length;
    };
    for await (const { item, prepared } of prefetch(this.#pages(to.space), pagesAhead, embed)) {
      signal?.throwIfAborted();
      for (const { hash } of item) this.#embedding.delete(hash);
      ready = Math.min(total, ready + prepared);
      onProgress?.({ stage: 'embed', done: ready, total });
    }
  }

  async *#pages(space: number): AsyncGenerator<MissingText[]> {
    for (let after = 0; ; ) {
      const page = await this.#context.backend.migration.missingAfter(space, after, documentsPerRead);
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.key;
      yield page;
    }
  }

  /** How many of the nearest documents are the same under both models. */
  async #overlap(
    from: Space,
    to: Space,
    { queries, signal }: ResolvedMigrateOptions,
  ): Promise<SpaceOverlap | undefined> {
    const { migration } = this.#context.backend;
    const [old, next, own] =
      queries === undefined ? await this.#sampledDocuments(from, to) : await this.#embeddedQueries(queries, signal);
    if (old.length === 0) return undefined;
    const lists = await Promise.all(
      [from, to].map((space, side) => {
        const vectors = packVectors(side === 0 ? old : next);
        return migration.nearest(space, vectors, overlapDepth + (own === undefined ? 0 : 1));
      }),
    );
    const shares = old.map((_, query) => {
      const [left, right] = lists.map((list) =>
        (list[query] ?? [])
          .map(({ key }) => key)
          .filter((key) => key !== own?.[query])
          .slice(0, overlapDepth),
      ) as [number[], number[]];
      const shared = left.filter((key) => right.includes(key)).length;
      return left.length === 0 ? 1 : shared / left.length;
    });
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    return { k: overlapDepth, queries: shares.length, mean, least: Math.min(...shares) };
  }

  async #sampledDocuments(from: Space, to: Space): Promise<[Float32Array[], Float32Array[], number[]]> {
    const [old, next] = await Promise.all(
      [from, to].map(({ space }) => this.#context.backend.migration.sample(space, sampledDocuments)),
    );
    const rowsOf = (vectors: Float32Array, { dimensions }: Space): Float32Array[] =>
      Array.from({ length: vectors.length / dimensions }, (_, row) =>
        vectors.subarray(row * dimensions, (row + 1) * dimensions),
      );
    const [left, right] = [
      rowsOf(old?.vectors ?? new Float32Array(0), from),
      rowsOf(next?.vectors ?? new Float32Array(0), to),
    ];
    // Documents added or deleted between the two reads are skipped.
    const places = new Map([...(next?.keys ?? [])].map((key, place) => [key, place]));
    const both = [...(old?.keys ?? [])].flatMap((key, place) => {
      const other = places.get(key);
      return other === undefined
        ? []
        : [{ key, left: left[place] as Float32Array, right: right[other] as Float32Array }];
    });
    return [both.map((pair) => pair.left), both.map((pair) => pair.right), both.map((pair) => pair.key)];
  }

  async #embeddedQueries(
    queries: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<[Float32Array[], Float32Array[], undefined]> {
    const old: Float32Array[] = [];
    for await (const { indices, vectors } of this.#context.space.embed(queries, { role: 'query', signal })) {
      indices.forEach((index, place) => {
        old[index] = vectors[place] as Float32Array;
      });
    }
    const next: Float32Array[] = [];
    for await (const { indices, vectors } of embedTexts(this.#provider, queries, { role: 'query', signal })) {
      indices.forEach((index, place) => {
        next[index] = vectors[place] as Float32Array;
      });
    }
    return [old, next, undefined];
  }

  async #embedOne(text: string, role: EmbeddingRole, signal: AbortSignal | undefined): Promise<Float32Array> {
    return (await embedText(this.#provider, text, { role, signal })).vector;
  }
}
