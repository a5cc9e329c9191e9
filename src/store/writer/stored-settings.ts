import type { Catalog } from '../catalog/catalog.js';
import type { DeclaredFields } from '../catalog/field-indexes.js';
import type { CatalogCaller } from './catalog-calls.js';
import { StoredNotes } from './stored-notes.js';

/** What an index remembers of itself besides documents. */
export class StoredSettings {
  /** What is remembered of sources and duplicates. */
  readonly notes: StoredNotes;
  readonly #catalog: () => Catalog;
  readonly #writer: CatalogCaller;

  constructor(catalog: () => Catalog, writer: CatalogCaller, reader: CatalogCaller) {
    this.#catalog = catalog;
    this.#writer = writer;
    this.notes = new StoredNotes(writer, reader);
  }

  /** A named value. */
  get(name: string): string | number | undefined {
    return this.#catalog().settings.get(name);
  }

  set(name: string, value: string | number): Promise<void> {
    return this.#writer.call('settings', 'set', name, value);
  }

  /** Makes SQL indexes for fields, and drops those of fields that are not named. */
  declareFields(fields: DeclaredFields): Promise<void> {
    return this.#writer.call('fields', 'declare', fields);
  }
}
