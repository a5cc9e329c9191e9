import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { checkOneOf, checkPositive, isIterable } from '../check-arguments.js';
import { SemanticIndexError } from '../errors.js';
import { describe, type Given, resolveOptions, type SyncOptions, syncDefaults } from '../options.js';
import type { SemanticIndex } from '../semantic-index.js';
import { TimeSlice } from '../time-slice.js';
import type { DocumentInput, Metadata } from '../types.js';
import { canonicalJson } from './canonical-json.js';
import type { Chunk } from './chunking/chunk.js';
import { type ChunkMetadata, chunkDocuments, chunkerFor, type SourceDocument } from './chunking/chunk-documents.js';
import { DismissedChunks } from './dismissed-chunks.js';
import { fingerprint, HeldChunks } from './held-chunks.js';
import type { SkippedSource } from './read-folder.js';

/** How many of something there were of each kind. */
export interface SyncCounts {
  readonly added: number;
  /** Of sources: some chunk differs. Of chunks: the same text, but another place in the source or other metadata. */
  readonly updated: number;
  readonly unchanged: number;
  readonly deleted: number;
}

/** What `sync` did, or with `dryRun` would do. */
export interface SyncResult {
  readonly dryRun: boolean;
  readonly sources: SyncCounts;
  readonly chunks: SyncCounts;
  /** Texts that the provider turned into vectors; of a dry run those that the index does not have. */
  readonly embedded: number;
  /** Tokens that the provider reports to have used; 0 of a dry run. */
  readonly tokens: number;
  /** Sources that `readFolder` left out, as they are not text. The chunks that they had stay. */
  readonly skipped: readonly SkippedSource[];
  /** Chunks that `Duplicates.apply('delete')` deleted and whose representative is still there: they are not added again. */
  readonly duplicates: number;
}

/** Sources, all at once or one after the other. */
export type Sources<M extends Metadata> = Iterable<SourceDocument<M>> | AsyncIterable<SourceDocument<M>>;

/** Cuts a source into chunks. */
export type SourceChunker<M extends Metadata = Metadata> = (source: SourceDocument<M>) => Chunk[];

const { version }: { version: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

type Counts = { -readonly [K in keyof SyncCounts]: SyncCounts[K] };

/**
 * Brings the chunks in an index into line with their sources: new chunks are embedded and added, those that only moved get
 * their new place, what a source no longer has is deleted (see `cleanup`). What did not change is neither embedded nor
 * written, and a source that is the same as the last time is not even cut into chunks, unless `chunker` is given. New chunks
 * are there before old ones go, so a search meanwhile misses nothing; a call that is aborted or fails can be made again.
 * Documents that are not chunks are left alone. Chunks that de-duplication deleted stay away until their text changes or the
 * document that stayed is gone; links that it made stay.
 *
 * @throws INVALID_ARGUMENT, UNKNOWN_OPTION, DUPLICATE_ID (a source twice), INVALID_TEXT, INVALID_METADATA, and what
 *   `addDocuments` throws.
 */
export async function sync<M extends Metadata>(
  // An index of chunks alone is one of ChunkMetadata; one that holds other documents too may be of a wider type.
  index: SemanticIndex<ChunkMetadata> | SemanticIndex,
  sources: Sources<M>,
  options?: Given<SyncOptions<SourceChunker<M>>>,
): Promise<SyncResult> {
  const resolved = resolveOptions<SyncOptions<SourceChunker<M>>>('sync', options, syncDefaults);
  checkOneOf('sync', 'cleanup', resolved.cleanup, ['none', 'incremental', 'full']);
  checkPositive('sync', 'batchSize', resolved.batchSize);
  if (resolved.keep !== undefined && typeof resolved.keep !== 'function') {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `sync: expected a function as keep, got ${describe(resolved.keep)}`,
    );
  }
  if (!isIterable(sources)) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `sync: sources is ${describe(sources)}`, {
      hint: 'Pass an array or an iterable of { id, text }, such as readFolder(folder).',
    });
  }
  const held = await HeldChunks.read(index as SemanticIndex, resolved.collection);
  const dismissed = await DismissedChunks.read(index as SemanticIndex, resolved.restoreDuplicates);
  return new Synchronization<M>(index as SemanticIndex, resolved, held, dismissed).run(sources);
}

/** One run of `sync`: what the index holds, what is on its way, and the counts. */
class Synchronization<M extends Metadata> {
  readonly #index: SemanticIndex;
  readonly #options: SyncOptions<SourceChunker<M>>;
  readonly #held: HeldChunks;
  readonly #dismissed: DismissedChunks;
  /** Texts that have a vector, by the name that chunk ids end in; of a dry run. */
  readonly #known = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #slice = new TimeSlice();
  readonly #sources: Counts = { added: 0, updated: 0, unchanged: 0, deleted: 0 };
  readonly #chunks: Counts = { added: 0, updated: 0, unchanged: 0, deleted: 0 };
  #skipped: readonly SkippedSource[] = [];
  #pending: DocumentInput[] = [];
  #stale: string[] = [];
  #embedded = 0;
  #tokens = 0;

  constructor(
    index: SemanticIndex,
    options: SyncOptions<SourceChunker<M>>,
    held: HeldChunks,
    dismissed: DismissedChunks,
  ) {
    this.#index = index;
    this.#options = options;
    this.#held = held;
    this.#dismissed = dismissed;
  }

  async run(sources: Sources<M>): Promise<SyncResult> {
    const { signal, onProgress, cleanup, dryRun, batchSize } = this.#options;
    if (dryRun) for (const id of await this.#held.ids()) this.#known.add(nameOf(id));
    onProgress?.({ stage: 'read', done: this.#held.noted, total: this.#held.noted });
    for await (const source of this.#withSkipped(sources)) {
      signal?.throwIfAborted();
      await this.#compare(source);
      if (this.#slice.due()) await this.#slice.yieldIfDue(signal);
      if (this.#pending.length + this.#stale.length >= batchSize) await this.#flush();
      onProgress?.({ stage: 'sync', done: this.#seen.size });
    }
    await this.#flush();
    if (cleanup === 'full') await this.#removeOthers();
    return {
      dryRun,
      sources: this.#sources,
      chunks: this.#chunks,
      embedded: this.#embedded,
      tokens: this.#tokens,
      skipped: this.#skipped,
      duplicates: this.#dismissed.leftOut,
    };
  }

  /** The sources; what `readFolder` returns at its end is kept. */
  async *#withSkipped(sources: Sources<M>): AsyncGenerator<SourceDocument<M>> {
    const all = Symbol.asyncIterator in sources ? sources[Symbol.asyncIterator]() : sources[Symbol.iterator]();
    let ended = false;
    try {
      for (;;) {
        const { done, value } = await all.next();
        ended = done === true;
        if (done !== true) yield value;
        else {
          if (isSkippedList(value)) this.#skipped = value;
          return;
        }
      }
    } catch (error) {
      // What failed needs no end.
      ended = true;
      throw error;
    } finally {
      if (!ended) await all.return?.();
    }
  }

  /** Removes chunks of sources that were not given, except sources that could not be read as text. */
  async #removeOthers(): Promise<void> {
    const { keep, signal } = this.#options;
    const skipped = new Set(this.#skipped.map(({ id }) => id));
    for (const source of await this.#held.sources()) {
      signal?.throwIfAborted();
      if (this.#seen.has(source) || skipped.has(source) || (await keep?.(source)) === true) continue;
      const chunks = await this.#held.of(source);
      if (chunks.size === 0) continue;
      this.#sources.deleted++;
      this.#remove([...chunks.keys()]);
    }
    await this.#flush();
  }

  async #compare(source: SourceDocument<M>): Promise<void> {
    const { chunker, collection, cleanup, dryRun } = this.#options;
    if (this.#seen.has(source?.id)) {
      throw new SemanticIndexError('DUPLICATE_ID', `sync: the source ${describe(source.id)} was given twice`);
    }
    // Nothing shows whether a function of the caller's is the one of the last time.
    const hash = chunker === undefined ? sourceHash(source) : undefined;
    const unchanged = hash === undefined ? undefined : this.#held.unchanged(source.id, hash);
    if (unchanged !== undefined) {
      this.#seen.add(source.id);
      this.#sources.unchanged++;
      this.#chunks.unchanged += unchanged;
      return;
    }
    const cut = chunker === undefined ? chunkerFor(source.id) : () => chunker(source);
    const documents = chunkDocuments(source, cut, collection);
    this.#seen.add(source.id);
    const held = await this.#held.of(source.id);
    let [changes, leftOut] = [0, 0];
    for (const document of documents) {
      const before = held.get(document.id);
      if (before === undefined && this.#dismissed.leavesOut(document)) {
        leftOut++;
        continue;
      }
      const { duplicateOf = before?.duplicateOf } = document.metadata as Metadata;
      if (before?.fingerprint === fingerprint(document.metadata as Metadata) && duplicateOf === before.duplicateOf) {
        this.#chunks.unchanged++;
        continue;
      }
      changes++;
      this.#chunks[before === undefined ? 'added' : 'updated']++;
      this.#pending.push(
        duplicateOf === undefined ? document : { ...document, metadata: { ...document.metadata, duplicateOf } },
      );
    }
    if (cleanup !== 'none') {
      const present = new Set(documents.map(({ id }) => id));
      const stale = [...held.keys()].filter((id) => !present.has(id));
      changes += stale.length;
      this.#remove(stale);
    }
    this.#sources[held.size === 0 && changes > 0 ? 'added' : changes > 0 ? 'updated' : 'unchanged']++;
    if (hash === undefined || dryRun || leftOut > 0) return;
    this.#held.compared({ source: source.id, hash, ids: documents.map(({ id }) => id) });
  }

  #remove(ids: readonly string[]): void {
    this.#stale.push(...ids);
    // Texts that were left out for the sake of these come back.
    for (const document of this.#dismissed.withoutRepresentatives(ids)) {
      this.#chunks.added++;
      this.#pending.push(document);
    }
  }

  /** Adds what is on its way, and only then deletes what it replaces. */
  async #flush(): Promise<void> {
    const { dryRun, batchSize, signal } = this.#options;
    const [pending, stale] = [this.#pending, this.#stale];
    this.#pending = [];
    this.#stale = [];
    this.#chunks.deleted += stale.length;
    if (dryRun) {
      const names = new Set(pending.map(({ id }) => nameOf(id as string)));
      for (const name of names) if (!this.#known.has(name)) this.#embedded++;
      for (const name of names) this.#known.add(name);
      return;
    }
    if (pending.length > 0) {
      const { embedded, tokens } = await this.#index.addDocuments(pending, { batchSize, signal });
      this.#embedded += embedded;
      this.#tokens += tokens;
      await this.#dismissed.restore(pending);
    }
    if (stale.length > 0) await this.#index.deleteDocuments(stale);
    await this.#held.note();
  }
}

/** Of all that decides which chunks a source has; undefined of what is not a source, which `chunkDocuments` refuses. */
function sourceHash({ id, text, metadata }: SourceDocument): string | undefined {
  if (typeof id !== 'string' || typeof text !== 'string') return undefined;
  const facts = canonicalJson([version, id, (metadata ?? {}) as Metadata]);
  return createHash('sha256').update(facts).update('\0').update(text).digest('base64url').slice(0, 32);
}

function isSkippedList(value: unknown): value is SkippedSource[] {
  return Array.isArray(value) && value.every((one) => typeof one?.id === 'string' && typeof one?.reason === 'string');
}

/** What a chunk says, as its id has it: the same text in another source has the same name. */
function nameOf(id: string): string {
  return id.slice(id.lastIndexOf('#') + 1).replace(/~\d+$/, '');
}
