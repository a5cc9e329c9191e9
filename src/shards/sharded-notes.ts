import type { DismissedDuplicate, SourceNote, StoredChunk, StoredNotes } from '../backend/notes.js';
import type { DocumentId } from '../types.js';
import { type Placement, placesByShard, settled } from './placement.js';

/**
 * Notes of the chunks of each shard in that shard, where a commit that changes a chunk ends them. A source is noted in every shard, also
 * in those that have none of its chunks, and its note is valid as long as it is valid in all of them.
 */
export class ShardedNotes implements StoredNotes {
  readonly #placement: Placement;
  readonly #notes: readonly StoredNotes[];

  constructor(placement: Placement, notes: readonly StoredNotes[]) {
    this.#placement = placement;
    this.#notes = notes;
  }

  async notes(collection: string | undefined): Promise<SourceNote[]> {
    const [first = [], ...others] = await settled(this.#notes.map((notes) => notes.notes(collection)));
    const rest = others.map((notes) => new Map(notes.map((note) => [note.source, note])));
    return first.flatMap(({ source, hash, chunks }) => {
      const same = rest.map((notes) => notes.get(source));
      if (same.some((note) => note?.hash !== hash)) return [];
      return [{ source, hash, chunks: same.reduce((sum, note) => sum + (note?.chunks ?? 0), chunks) }];
    });
  }

  async note(
    collection: string | undefined,
    sources: readonly { source: string; hash: string; ids: readonly string[] }[],
  ): Promise<void> {
    const ofShards: { source: string; hash: string; ids: string[] }[][] = this.#notes.map(() => []);
    for (const { source, hash, ids } of sources) {
      const places = placesByShard(this.#placement.ofIds(ids), this.#placement.shards);
      for (const [shard, own] of places.entries()) {
        ofShards[shard]?.push({ source, hash, ids: own.map((place) => ids[place] as string) });
      }
    }
    await settled(this.#notes.map((notes, shard) => notes.note(collection, ofShards[shard] ?? [])));
  }

  async chunks(collection: string | undefined, source: string): Promise<StoredChunk[]> {
    return (await settled(this.#notes.map((notes) => notes.chunks(collection, source)))).flat();
  }

  async strays(collection: string | undefined): Promise<StoredChunk[]> {
    return (await settled(this.#notes.map((notes) => notes.strays(collection)))).flat();
  }

  async sources(collection: string | undefined): Promise<string[]> {
    const all = await settled(this.#notes.map((notes) => notes.sources(collection)));
    return [...new Set(all.flat())].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  async chunkIds(collection: string | undefined): Promise<string[]> {
    return (await settled(this.#notes.map((notes) => notes.chunkIds(collection)))).flat();
  }

  remembered(name: string): Promise<string | undefined> {
    return (this.#notes[0] as StoredNotes).remembered(name);
  }

  remember(name: string, value: string): Promise<void> {
    return (this.#notes[0] as StoredNotes).remember(name, value);
  }

  async dismissed(): Promise<DismissedDuplicate[]> {
    return (await settled(this.#notes.map((notes) => notes.dismissed()))).flat();
  }

  async dismiss(duplicates: readonly DismissedDuplicate[]): Promise<void> {
    const ids = duplicates.map(({ id }) => id);
    await this.#byShard(ids, (notes, places) =>
      notes.dismiss(places.map((place) => duplicates[place] as DismissedDuplicate)),
    );
  }

  async restore(ids: readonly DocumentId[]): Promise<void> {
    await this.#byShard(ids, (notes, places) => notes.restore(places.map((place) => ids[place] as DocumentId)));
  }

  async #byShard(
    ids: readonly DocumentId[],
    work: (notes: StoredNotes, places: readonly number[]) => Promise<void>,
  ): Promise<void> {
    const places = placesByShard(this.#placement.ofIds(ids), this.#placement.shards);
    await settled(
      this.#notes.map(async (notes, shard) => {
        const own = places[shard] as number[];
        if (own.length > 0) await work(notes, own);
      }),
    );
  }
}
