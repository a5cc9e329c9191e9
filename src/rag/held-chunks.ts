import { createHash } from 'node:crypto';
import { type SemanticIndex, storedNotes } from '../semantic-index.js';
import type { Metadata } from '../types.js';
import { canonicalJson } from './canonical-json.js';
import { chunkPlace } from './chunking/chunk-documents.js';

/** A chunk that an index holds. */
export interface HeldChunk {
  /** Of the metadata without `duplicateOf`. */
  readonly fingerprint: string;
  /** The document that de-duplication linked it to. */
  readonly duplicateOf: Metadata[string];
}

interface Unnoted {
  readonly strays: ReadonlyMap<string, ReadonlyMap<string, HeldChunk>>;
  readonly sources: ReadonlySet<string>;
}

/** A source that was compared, for the next run: its hash, and the ids of all its chunks. */
export interface ComparedSource {
  readonly source: string;
  readonly hash: string;
  readonly ids: readonly string[];
}

/**
 * The chunks that an index holds of one collection, read as they are asked for: of sources that a note says are unchanged
 * nothing is read.
 */
export class HeldChunks {
  readonly #index: SemanticIndex;
  readonly #collection: string | undefined;
  readonly #notes = new Map<string, { readonly hash: string; readonly chunks: number }>();
  /** Chunks whose ids do not begin with their source, and the sources that there are; read when the first one without a note is met. */
  #unnoted: Unnoted | undefined;
  #compared: ComparedSource[] = [];

  private constructor(index: SemanticIndex, collection: string | undefined) {
    this.#index = index;
    this.#collection = collection;
  }

  static async read(index: SemanticIndex, collection: string | undefined): Promise<HeldChunks> {
    const held = new HeldChunks(index, collection);
    for (const { source, hash, chunks } of await index[storedNotes].notes(collection))
      held.#notes.set(source, { hash, chunks });
    return held;
  }

  /** Sources that are noted. */
  get noted(): number {
    return this.#notes.size;
  }

  /** How many chunks a source has, where it is the very source that they were made from; else undefined. */
  unchanged(source: string, hash: string): number | undefined {
    const note = this.#notes.get(source);
    return note?.hash === hash ? note.chunks : undefined;
  }

  /** The chunks of a source, by id. */
  async of(source: string): Promise<Map<string, HeldChunk>> {
    const held = new Map<string, HeldChunk>();
    // A note that holds says that there are no others.
    if (!this.#notes.has(source)) {
      const { strays, sources } = await this.#readUnnoted();
      if (!sources.has(source)) return held;
      for (const [id, chunk] of strays.get(source) ?? []) held.set(id, chunk);
    }
    for (const { id, metadata } of await this.#index[storedNotes].chunks(this.#collection, source))
      add(held, id, metadata);
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

  /** To be noted once what it leads to is committed. */
  compared(source: ComparedSource): void {
    this.#compared.push(source);
  }

  /** Notes what was compared since the last time. */
  async note(): Promise<void> {
    const compared = this.#compared;
    this.#compared = [];
    if (compared.length > 0) await this.#index[storedNotes].note(this.#collection, compared);
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

/** Equal for metadata that differ in nothing but their link to a duplicate. */
export function fingerprint({ duplicateOf: _, ...metadata }: Metadata): string {
  return createHash('sha256').update(canonicalJson(metadata)).digest('base64url').slice(0, 22);
}
