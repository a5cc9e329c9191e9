import { type SemanticIndex, storedNotes } from '../semantic-index.js';
import { TimeSlice } from '../time-slice.js';
import type { Metadata } from '../types.js';
import { fingerprint } from './chunk-fingerprint.js';
import { chunkPlace } from './chunking/chunk-documents.js';

/** A chunk in the index. */
export interface HeldChunk {
  /** Hash of the metadata without `duplicateOf`. */
  readonly fingerprint: string;
  /** The document that de-duplication linked it to. */
  readonly duplicateOf: Metadata[string];
}

interface Unnoted {
  readonly strays: ReadonlyMap<string, ReadonlyMap<string, HeldChunk>>;
  readonly sources: ReadonlySet<string>;
}

/** Record of a compared source for the next run: its hash, its stamp if it has one, and the ids of all its chunks. */
export interface ComparedSource {
  readonly source: string;
  readonly hash: string;
  readonly stamp?: string | undefined;
  readonly ids: readonly string[];
}

/**
 * The chunks of one collection in the index, loaded on demand. Chunks of sources that are unchanged according to their
 * record are not loaded.
 */
export class HeldChunks {
  readonly #index: SemanticIndex;
  readonly #collection: string | undefined;
  readonly #notes = new Map<
    string,
    { readonly hash: string; readonly stamp: string | undefined; readonly chunks: number }
  >();
  /** Chunks whose ids do not begin with their source, and all sources; loaded for the first source without a record. */
  #unnoted: Unnoted | undefined;
  #compared: ComparedSource[] = [];

  private constructor(index: SemanticIndex, collection: string | undefined) {
    this.#index = index;
    this.#collection = collection;
  }

  static async read(index: SemanticIndex, collection: string | undefined): Promise<HeldChunks> {
    const held = new HeldChunks(index, collection);
    for (const { source, hash: noted, chunks } of await index[storedNotes].notes(collection)) {
      const [hash = '', stamp] = noted.split(' ');
      held.#notes.set(source, { hash, stamp, chunks });
    }
    return held;
  }

  /** Sources with a record. */
  get noted(): number {
    return this.#notes.size;
  }

  /** Number of chunks of a source that has not changed since they were made; otherwise undefined. */
  unchanged(source: string, hash: string): number | undefined {
    const note = this.#notes.get(source);
    return note?.hash === hash ? note.chunks : undefined;
  }

  /** As `unchanged`, by the stamp of its file. */
  untouched(source: string, stamp: string): number | undefined {
    const note = this.#notes.get(source);
    return note?.stamp === stamp ? note.chunks : undefined;
  }

  /** The chunks of a source, by id. */
  async of(source: string): Promise<Map<string, HeldChunk>> {
    const held = new Map<string, HeldChunk>();
    // A valid record lists all of them.
    if (!this.#notes.has(source)) {
      const { strays, sources } = await this.#readUnnoted();
      if (!sources.has(source)) return held;
      for (const [id, chunk] of strays.get(source) ?? []) held.set(id, chunk);
    }
    const slice = new TimeSlice();
    for (const { id, metadata } of await this.#index[storedNotes].chunks(this.#collection, source)) {
      add(held, id, metadata);
      if (slice.due()) await slice.yieldIfDue();
    }
    return held;
  }

  /** Ids of the sources that have chunks. */
  sources(): Promise<string[]> {
    return this.#index[storedNotes].sources(this.#collection);
  }

  /** Ids of all chunks. */
  ids(): Promise<string[]> {
    return this.#index[storedNotes].chunkIds(this.#collection);
  }

  /** Queues a record, to be written after its changes are committed. */
  compared(source: ComparedSource): void {
    this.#compared.push(source);
  }

  /** Writes the queued records. */
  async note(): Promise<void> {
    const compared = this.#compared;
    this.#compared = [];
    if (compared.length === 0) return;
    const notes = compared.map(({ source, hash, stamp, ids }) => {
      // A source without a stamp is compared by its hash.
      return { source, hash: stamp === undefined ? hash : `${hash} ${stamp}`, ids };
    });
    await this.#index[storedNotes].note(this.#collection, notes);
  }

  async #readUnnoted(): Promise<Unnoted> {
    if (this.#unnoted !== undefined) return this.#unnoted;
    const strays = new Map<string, Map<string, HeldChunk>>();
    for (const { id, metadata } of await this.#index[storedNotes].strays(this.#collection)) {
      const { source } = JSON.parse(metadata) as { source: string };
      const chunks = strays.get(source) ?? new Map<string, HeldChunk>();
      add(chunks, id, metadata);
      strays.set(source, chunks);
    }
    this.#unnoted = { strays, sources: new Set(await this.sources()) };
    return this.#unnoted;
  }
}

function add(held: Map<string, HeldChunk>, id: string, json: string): void {
  const metadata = JSON.parse(json) as Metadata;
  if (chunkPlace(metadata) === undefined) return;
  held.set(id, { fingerprint: fingerprint(metadata), duplicateOf: metadata.duplicateOf });
}
