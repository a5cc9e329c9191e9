import { createHash } from 'node:crypto';
import { checkOneOf, checkPositive, isIterable } from '../check-arguments.js';
import { SemanticIndexError } from '../errors.js';
import { describe, type Given, resolveOptions, type SyncOptions, syncDefaults } from '../options.js';
import type { SemanticIndex } from '../semantic-index.js';
import { TimeSlice } from '../time-slice.js';
import type { DocumentInput, Metadata, Where } from '../types.js';
import { canonicalJson } from './canonical-json.js';
import type { Chunk } from './chunk.js';
import { type ChunkMetadata, chunkDocuments, chunkerFor, chunkPlace, type SourceDocument } from './chunk-documents.js';

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
}

/** Sources, all at once or one after the other. */
export type Sources<M extends Metadata> = Iterable<SourceDocument<M>> | AsyncIterable<SourceDocument<M>>;

/** Cuts a source into chunks. */
export type SourceChunker<M extends Metadata = Metadata> = (source: SourceDocument<M>) => Chunk[];

const documentsPerPage = 256;

type Counts = { -readonly [K in keyof SyncCounts]: SyncCounts[K] };

/**
 * Brings the chunks in an index into line with their sources: new chunks are embedded and added, those that only moved get
 * their new place, what a source no longer has is deleted (see `cleanup`). What did not change is neither embedded nor
 * written. New chunks are there before old ones go, so a search meanwhile misses nothing; a call that is aborted or fails can
 * be made again. Documents that are no chunks are left alone.
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
  if (!isIterable(sources)) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `sync: sources is ${describe(sources)}`, {
      hint: 'Pass an array or an iterable of { id, text }, such as readFolder(folder).',
    });
  }
  return new Synchronization<M>(index as SemanticIndex, resolved).run(sources);
}

/** One run of `sync`: what the index holds, what is on its way, and the counts. */
class Synchronization<M extends Metadata> {
  readonly #index: SemanticIndex;
  readonly #options: SyncOptions<SourceChunker<M>>;
  /** Of each source the chunks that the index holds: id and fingerprint of the metadata. */
  readonly #held = new Map<string, Map<string, string>>();
  /** Texts that have a vector, by the name that chunk ids end in. */
  readonly #known = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #slice = new TimeSlice();
  readonly #sources: Counts = { added: 0, updated: 0, unchanged: 0, deleted: 0 };
  readonly #chunks: Counts = { added: 0, updated: 0, unchanged: 0, deleted: 0 };
  #pending: DocumentInput[] = [];
  #stale: string[] = [];
  #embedded = 0;
  #tokens = 0;

  constructor(index: SemanticIndex, options: SyncOptions<SourceChunker<M>>) {
    this.#index = index;
    this.#options = options;
  }

  async run(sources: Sources<M>): Promise<SyncResult> {
    const { signal, onProgress, cleanup, dryRun, batchSize } = this.#options;
    await this.#readHeld();
    for await (const source of sources) {
      signal?.throwIfAborted();
      this.#compare(source);
      if (this.#slice.due()) await this.#slice.breathe(signal);
      if (this.#pending.length + this.#stale.length >= batchSize) await this.#flush();
      onProgress?.({ stage: 'sync', done: this.#seen.size });
    }
    await this.#flush();
    if (cleanup === 'full') {
      for (const [source, chunks] of this.#held) {
        if (this.#seen.has(source)) continue;
        this.#sources.deleted++;
        this.#stale.push(...chunks.keys());
      }
      await this.#flush();
    }
    return {
      dryRun,
      sources: this.#sources,
      chunks: this.#chunks,
      embedded: this.#embedded,
      tokens: this.#tokens,
    };
  }

  /** Only names and fingerprints are kept: a chunk costs some two hundred bytes. */
  async #readHeld(): Promise<void> {
    const { collection, signal, onProgress } = this.#options;
    const where: Where = { collection: collection === undefined ? { $exists: false } : collection };
    const total = await this.#index.count({ where });
    let done = 0;
    let after: string | undefined;
    do {
      signal?.throwIfAborted();
      const page = await this.#index.listDocuments({ where, after, limit: documentsPerPage });
      for (const { id, metadata } of page.documents) {
        const place = chunkPlace(metadata);
        if (place === undefined || typeof id !== 'string') continue;
        const chunks = this.#held.get(place.source) ?? new Map<string, string>();
        chunks.set(id, fingerprint(metadata));
        this.#held.set(place.source, chunks);
        this.#known.add(nameOf(id));
        if (this.#slice.due()) await this.#slice.breathe(signal);
      }
      done += page.documents.length;
      onProgress?.({ stage: 'read', done, total });
      after = page.next;
    } while (after !== undefined);
  }

  #compare(source: SourceDocument<M>): void {
    const { chunker, collection, cleanup } = this.#options;
    const cut = chunker === undefined ? chunkerFor(source.id) : () => chunker(source);
    const documents = chunkDocuments(source, cut, collection);
    if (this.#seen.has(source.id)) {
      throw new SemanticIndexError('DUPLICATE_ID', `sync: the source ${describe(source.id)} was given twice`);
    }
    this.#seen.add(source.id);
    const held = this.#held.get(source.id) ?? new Map<string, string>();
    let changes = 0;
    for (const document of documents) {
      const before = held.get(document.id);
      if (before === fingerprint(document.metadata as Metadata)) {
        this.#chunks.unchanged++;
        continue;
      }
      changes++;
      this.#chunks[before === undefined ? 'added' : 'updated']++;
      this.#pending.push(document);
    }
    if (cleanup !== 'none') {
      const present = new Set(documents.map(({ id }) => id));
      const stale = [...held.keys()].filter((id) => !present.has(id));
      changes += stale.length;
      this.#stale.push(...stale);
    }
    this.#sources[held.size === 0 && documents.length > 0 ? 'added' : changes > 0 ? 'updated' : 'unchanged']++;
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
    }
    if (stale.length > 0) await this.#index.deleteDocuments(stale);
  }
}

/** What a chunk says, as its id has it: the same text in another source has the same name. */
function nameOf(id: string): string {
  return id.slice(id.lastIndexOf('#') + 1).replace(/~\d+$/, '');
}

function fingerprint(metadata: Metadata): string {
  return createHash('sha256').update(canonicalJson(metadata)).digest('base64url').slice(0, 22);
}
