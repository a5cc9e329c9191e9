import type { DocumentId } from '../../types.js';
import type { KnownDuplicates, Representative } from '../catalog/duplicate-lookup.js';
import type { CatalogClient } from './catalog-client.js';

/** Asks the catalog, in its thread, what is there already. */
export class KnownDocuments {
  readonly #reader: CatalogClient;

  constructor(reader: CatalogClient) {
    this.#reader = reader;
  }

  /** See `DuplicateLookup.look`. */
  look(ids: readonly DocumentId[], vectors: readonly number[], dimensions: number): Promise<KnownDuplicates> {
    return this.#reader.duplicates.look(ids, vectors, dimensions);
  }

  /** See `DuplicateLookup.representatives`. */
  representatives(keys: readonly number[]): Promise<Representative[]> {
    return this.#reader.duplicates.representatives(keys);
  }
}
