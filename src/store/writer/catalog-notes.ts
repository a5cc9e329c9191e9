import type { DismissedDuplicate, SourceNote, StoredChunk, StoredNotes } from '../../backend/notes.js';
import type { DocumentId } from '../../types.js';
import type { CatalogClient } from './catalog-client.js';

/** The notes in the catalog, read and written in its threads: see `ChunkNotes`. */
export class CatalogNotes implements StoredNotes {
  readonly #writer: CatalogClient;
  readonly #reader: CatalogClient;

  constructor(writer: CatalogClient, reader: CatalogClient) {
    this.#writer = writer;
    this.#reader = reader;
  }

  notes(collection: string | undefined): Promise<SourceNote[]> {
    return this.#reader.notes.notes(collection ?? null);
  }

  note(
    collection: string | undefined,
    sources: readonly { source: string; hash: string; ids: readonly string[] }[],
  ): Promise<void> {
    return this.#writer.notes.note(collection ?? null, sources);
  }

  chunks(collection: string | undefined, source: string): Promise<StoredChunk[]> {
    return this.#reader.notes.chunks(collection ?? null, source);
  }

  strays(collection: string | undefined): Promise<StoredChunk[]> {
    return this.#reader.notes.strays(collection ?? null);
  }

  sources(collection: string | undefined): Promise<string[]> {
    return this.#reader.notes.sources(collection ?? null);
  }

  chunkIds(collection: string | undefined): Promise<string[]> {
    return this.#reader.notes.chunkIds(collection ?? null);
  }

  async remembered(name: string): Promise<string | undefined> {
    const value = await this.#reader.settings.get(`remembered:${name}`);
    return value === undefined ? undefined : String(value);
  }

  remember(name: string, value: string): Promise<void> {
    return this.#writer.settings.set(`remembered:${name}`, value);
  }

  dismissed(): Promise<DismissedDuplicate[]> {
    return this.#reader.notes.dismissed();
  }

  dismiss(duplicates: readonly DismissedDuplicate[]): Promise<void> {
    return this.#writer.notes.dismiss(duplicates);
  }

  restore(ids: readonly DocumentId[]): Promise<void> {
    return this.#writer.notes.restore(ids);
  }
}
