import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { checkIndex, checkOneOf, checkPositive, isIterable } from '../check-arguments.js';
import { SemanticIndexError } from '../errors.js';
import { describe, resolveOptions } from '../options.js';
import type { SemanticIndex } from '../semantic-index.js';
import { TimeSlice } from '../time-slice.js';
import type { DocumentInput, Metadata } from '../types.js';
import { canonicalJson } from './canonical-json.js';
import { fingerprint } from './chunk-fingerprint.js';
import type { PreparedChunk } from './chunk-messages.js';
import { type ChunkMetadata, chunkDocuments, chunkerFor, type SourceDocument } from './chunking/chunk-documents.js';
import { DismissedChunks } from './dismissed-chunks.js';
import { isSkipped, type OpenedSource, type SkippedSource, type UnreadSource } from './file-source.js';
import { HeldChunks } from './held-chunks.js';
import { type ResolvedSyncOptions, type SyncOptions, syncDefaults } from './options.js';

/** Counts by kind of change. */
export interface SyncCounts {
  readonly added: number;
  /** Sources: at least one chunk differs. Chunks: the same text with another position or other metadata. */
  readonly updated: number;
  readonly unchanged: number;
  readonly deleted: number;
}

/** Result of `sync`; with `dryRun`, the changes that it would make. */
export interface SyncResult {
  readonly dryRun: boolean;
  readonly sources: SyncCounts;
  readonly chunks: SyncCounts;
  /** Texts embedded by the provider; for a dry run, texts without a stored vector. */
  readonly embedded: number;
  /** Tokens reported by the provider; 0 for a dry run. */
  readonly tokens: number;
  /** Files whose bytes were read: the others have the size and the times of the last run. 0 for sources other than files. */
  readonly read: number;
  /** Sources that could not be read, with the reason. Their existing chunks are kept. */
  readonly skipped: readonly SkippedSource[];
  /**
   * Chunks that `Duplicates.apply('delete')` deleted and whose representative still exists: they are not added again.
   */
  readonly duplicates: number;
}

/** Sources as an array, iterable or async iterable. */
export type Sources<M extends Metadata> = Iterable<SourceDocument<M>> | AsyncIterable<SourceDocument<M>>;

/** A source as `sync` takes it: its text, a way to read it, or the reason why it cannot be read. */
type AnySource<M extends Metadata> = SourceDocument<M> | UnreadSource | SkippedSource;

const { version }: { version: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

type Counts = { -readonly [K in keyof SyncCounts]: SyncCounts[K] };

/**
 * Synchronizes the chunks in an index with their sources: embeds and adds new chunks, updates the position of moved
 * ones, and deletes chunks that a source no longer has (see `cleanup`). Unchanged chunks are neither embedded nor
 * written, and an unchanged source is not even chunked, unless `chunker` is set. New chunks are added before old ones
 * are deleted, so a concurrent search misses nothing. A failed or aborted call can be repeated. Documents that are not
 * chunks are ignored. Chunks that de-duplication deleted are not added again until their text changes or their
 * representative is deleted; links of de-duplication are kept.
 *
 * @throws INVALID_ARGUMENT, UNKNOWN_OPTION, DUPLICATE_ID (a source twice), INVALID_TEXT, INVALID_METADATA, and the
 *   errors of `addDocuments`.
 */
export async function sync<M extends Metadata>(
  // An index with only chunks has the type ChunkMetadata; one with other documents may have a wider type.
  index: SemanticIndex<ChunkMetadata> | SemanticIndex,
  sources: Sources<M>,
  options?: SyncOptions<M>,
): Promise<SyncResult> {
  const resolved = resolveOptions('sync', options, syncDefaults);
  checkIndex('sync', index);
  checkOneOf('sync', 'cleanup', resolved.cleanup, ['none', 'incremental', 'full']);
  checkPositive('sync', 'batchSize', resolved.batchSize);
  if (resolved.keep !== undefined && typeof resolved.keep !== 'function') {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `sync: expected a function as keep, got ${describe(resolved.keep)}`,
    );
  }
  if (!isIterable(sources)) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `sync: expected an iterable of sources, got ${describe(sources)}`,
      {
        hint: 'Pass an array or an iterable of { id, text }, such as readFolder(folder).',
      },
    );
  }
  const held = await HeldChunks.read(index as SemanticIndex, resolved.collection);
  const dismissed = await DismissedChunks.read(index as SemanticIndex, resolved.restoreDuplicates);
  return new Synchronization<M>(index as SemanticIndex, resolved, held, dismissed).run(sources);
}

/** State of one `sync` call: chunks in the index, pending changes, and counts. */
class Synchronization<M extends Metadata> {
  readonly #index: SemanticIndex;
  readonly #options: ResolvedSyncOptions<M>;
  readonly #held: HeldChunks;
  readonly #dismissed: DismissedChunks;
  /** For a dry run: texts that have a vector, by the suffix of chunk ids. */
  readonly #known = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #slice = new TimeSlice();
  readonly #sources: Counts = { added: 0, updated: 0, unchanged: 0, deleted: 0 };
  readonly #chunks: Counts = { added: 0, updated: 0, unchanged: 0, deleted: 0 };
  readonly #skipped: SkippedSource[] = [];
  #pending: DocumentInput[] = [];
  #stale: string[] = [];
  #embedded = 0;
  #tokens = 0;
  #read = 0;

  constructor(index: SemanticIndex, options: ResolvedSyncOptions<M>, held: HeldChunks, dismissed: DismissedChunks) {
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
      read: this.#read,
      skipped: this.#skipped,
      duplicates: this.#dismissed.leftOut,
    };
  }

  /** The sources; keeps the return value of `readFolder`. */
  async *#withSkipped(sources: Sources<M>): AsyncGenerator<AnySource<M>> {
    const all: AsyncIterator<AnySource<M>> | Iterator<AnySource<M>> =
      Symbol.asyncIterator in sources ? sources[Symbol.asyncIterator]() : sources[Symbol.iterator]();
    let ended = false;
    try {
      for (;;) {
        const { done, value } = await all.next();
        ended = done === true;
        if (done !== true) yield value;
        else {
          if (isSkippedList(value)) this.#skipped.push(...value);
          return;
        }
      }
    } catch (error) {
      // The iterator has failed already.
      ended = true;
      throw error;
    } finally {
      if (!ended) await all.return?.();
    }
  }

  /** Deletes chunks of missing sources, except sources that could not be decoded. */
  async #removeOthers(): Promise<void> {
    const { keep, signal } = this.#options;
    const skipped = new Set(this.#skipped.map(({ id }) => id));
    // Nothing is known about what is in a directory that cannot be read.
    const unreadable = this.#skipped.filter(({ code }) => code === 'IO').map(({ id }) => `${id}/`);
    for (const source of await this.#held.sources()) {
      signal?.throwIfAborted();
      if (this.#seen.has(source) || skipped.has(source) || (await keep?.(source)) === true) continue;
      if (unreadable.some((folder) => source.startsWith(folder))) continue;
      const chunks = await this.#held.of(source);
      if (chunks.size === 0) continue;
      this.#sources.deleted++;
      this.#remove([...chunks.keys()]);
    }
    await this.#flush();
  }

  async #compare(given: AnySource<M>): Promise<void> {
    if (isReport(given)) {
      this.#skipped.push(given);
      return;
    }
    const { chunker, dryRun } = this.#options;
    if (this.#seen.has(given?.id)) {
      throw new SemanticIndexError('DUPLICATE_ID', `sync: the source ${describe(given.id)} occurs twice`);
    }
    // Whether a custom chunker is the same as in the last run is unknown.
    const compares = chunker === undefined;
    const stamp = compares && isUnread(given) ? stampOf(given) : undefined;
    const untouched = stamp === undefined ? undefined : this.#held.untouched(given.id, stamp);
    if (untouched !== undefined) return this.#keep(given.id, untouched);
    if (isUnread(given)) this.#read++;
    const opened = isUnread(given) ? await given.open() : given;
    // Whatever the file is called, the source has the id that it was announced with.
    if (isReport(opened)) {
      this.#skipped.push({ ...opened, id: given.id });
      return;
    }
    const hash = !compares ? undefined : isOpened(opened) ? openedHash(given.id, opened) : sourceHash(opened);
    const unchanged = hash === undefined ? undefined : this.#held.unchanged(given.id, hash);
    if (hash !== undefined && unchanged !== undefined) {
      this.#keep(given.id, unchanged);
      if (stamp === undefined || dryRun) return;
      const ids = [...(await this.#held.of(given.id)).keys()];
      this.#held.compared({ source: given.id, hash, stamp, ids });
      return;
    }
    const chunks = await this.#chunksOf(given.id, opened);
    if (isReport(chunks)) this.#skipped.push({ ...chunks, id: given.id });
    else await this.#store(given.id, chunks, hash, stamp);
  }

  /** The chunks of a source; files are read and split in a thread, unless a function of the caller splits them. */
  async #chunksOf(
    id: string,
    opened: SourceDocument<M> | OpenedSource,
  ): Promise<readonly PreparedChunk[] | SkippedSource> {
    const { chunker, collection } = this.#options;
    if (isOpened(opened) && chunker === undefined) return opened.chunk(id, collection);
    const read = isOpened(opened) ? { ...(await opened.read()), id } : opened;
    if (isReport(read)) return read;
    const source = read as SourceDocument<M>;
    const cut = chunker === undefined ? chunkerFor(source) : () => chunker(source);
    const chunks: PreparedChunk[] = [];
    for (const document of chunkDocuments(source, cut, collection)) {
      chunks.push({ document, fingerprint: fingerprint(document.metadata as Metadata) });
      if (this.#slice.due()) await this.#slice.yieldIfDue(this.#options.signal);
    }
    return chunks;
  }

  /** Counts a source that has not changed. */
  #keep(id: string, chunks: number): void {
    this.#seen.add(id);
    this.#sources.unchanged++;
    this.#chunks.unchanged += chunks;
  }

  /** Compares the chunks of a source with those in the index. */
  async #store(
    id: string,
    chunks: readonly PreparedChunk[],
    hash: string | undefined,
    stamp: string | undefined,
  ): Promise<void> {
    const { cleanup, dryRun, signal } = this.#options;
    this.#seen.add(id);
    const held = await this.#held.of(id);
    let [changes, leftOut] = [0, 0];
    for (const { document, fingerprint: own } of chunks) {
      if (this.#slice.due()) await this.#slice.yieldIfDue(signal);
      const before = held.get(document.id);
      if (before === undefined && this.#dismissed.leavesOut(document)) {
        leftOut++;
        continue;
      }
      const { duplicateOf = before?.duplicateOf } = document.metadata as Metadata;
      if (before?.fingerprint === own && duplicateOf === before.duplicateOf) {
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
      const present = new Set(chunks.map(({ document }) => document.id));
      const stale = [...held.keys()].filter((chunk) => !present.has(chunk));
      changes += stale.length;
      this.#remove(stale);
    }
    this.#sources[held.size === 0 && changes > 0 ? 'added' : changes > 0 ? 'updated' : 'unchanged']++;
    if (hash === undefined || dryRun || leftOut > 0) return;
    this.#held.compared({ source: id, hash, stamp, ids: chunks.map(({ document }) => document.id) });
  }

  #remove(ids: readonly string[]): void {
    this.#stale.push(...ids);
    // Texts that were skipped because of these representatives are added again.
    for (const document of this.#dismissed.withoutRepresentatives(ids)) {
      this.#chunks.added++;
      this.#pending.push(document);
    }
  }

  /** Adds pending chunks, then deletes the chunks that they replace. */
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

/**
 * Hash of everything that affects the chunks of a source; undefined if it is not a source, which `chunkDocuments`
 * refuses.
 */
function sourceHash(source: SourceDocument): string | undefined {
  if (typeof source?.id !== 'string') return undefined;
  const { id, text, metadata, blocks } = source;
  if (typeof text !== 'string') return undefined;
  const facts = canonicalJson([version, id, (metadata ?? {}) as Metadata]);
  if (blocks !== undefined) return shortHash(facts, text, JSON.stringify(blocks));
  return createHash('sha256').update(facts).update('\0').update(text).digest('base64url').slice(0, 32);
}

function openedHash(id: string, { hash }: OpenedSource): string {
  return shortHash(canonicalJson([version, id, hash]));
}

/** The stamp of a source with everything else that its chunks depend on. */
function stampOf({ id, stamp }: UnreadSource): string | undefined {
  return stamp === undefined ? undefined : shortHash(canonicalJson([version, id, stamp]));
}

function shortHash(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('base64url').slice(0, 32);
}

function isUnread(source: object): source is UnreadSource {
  return 'open' in source && typeof source.open === 'function' && !('text' in source);
}

function isOpened(source: object): source is OpenedSource {
  return 'read' in source && typeof source.read === 'function' && !('text' in source);
}

function isReport(source: unknown): source is SkippedSource {
  return typeof source === 'object' && source !== null && !('text' in source) && isSkipped(source);
}

function isSkippedList(value: unknown): value is SkippedSource[] {
  return Array.isArray(value) && value.every((one) => typeof one?.id === 'string' && typeof one?.reason === 'string');
}

/** Hash of the text of a chunk, as in its id: the same text has the same hash in every source. */
function nameOf(id: string): string {
  return id.slice(id.lastIndexOf('#') + 1).replace(/~\d+$/, '');
}
