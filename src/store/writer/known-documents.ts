import type { DocumentId } from '../../types.js';
import type { KnownDuplicates, Representative } from '../catalog/duplicate-lookup.js';
import type { CatalogCaller } from './catalog-calls.js';

/** Asks the catalog, in its thread, what is there already. */
export class KnownDocuments {
  readonly #reader: CatalogCaller;

  constructor(reader: CatalogCaller) {
    this.#reader = reader;
  }

  /** See `DuplicateLookup.look`. */
  look(ids: readonly DocumentId[], vectors: readonly number[], dimensions: number): Promise<KnownDuplicates> {
    return this.#reader.call('duplicates', 'look', ids, vectors, dimensions);
  }

  /** See `DuplicateLookup.representatives`. */
  representatives(keys: readonly number[]): Promise<Representative[]> {
    return this.#reader.call('duplicates', 'representatives', keys);
  }
}
