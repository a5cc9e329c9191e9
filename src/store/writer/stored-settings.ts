import type { Catalog } from '../catalog/catalog.js';
import type { DeclaredFields } from '../catalog/field-indexes.js';
import type { CatalogClient } from './catalog-client.js';
import { StoredNotes } from './stored-notes.js';

/** What an index remembers of itself besides documents. */
export class StoredSettings {
  /** What is remembered of sources and duplicates. */
  readonly notes: StoredNotes;
  readonly #catalog: () => Catalog;
  readonly #writer: CatalogClient;

  constructor(catalog: () => Catalog, writer: CatalogClient, reader: CatalogClient) {
    this.#catalog = catalog;
    this.#writer = writer;
    this.notes = new StoredNotes(writer, reader);
  }

  /** A named value. */
  get(name: string): string | number | undefined {
    return this.#catalog().settings.get(name);
  }

  set(name: string, value: string | number): Promise<void> {
    return this.#writer.settings.set(name, value);
  }

  /** Makes SQL indexes for fields, and drops those of fields that are not named. */
  declareFields(fields: DeclaredFields): Promise<void> {
    return this.#writer.fields.declare(fields);
  }
}
