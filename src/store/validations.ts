import type { ValidationReport } from '../types.js';
import type { CatalogOptions } from './sqlite/connection.js';
import type { ValidationRequest } from './validate/validator.js';
import { validateCatalog } from './validate-catalog.js';
import type { CatalogClient } from './writer/catalog-client.js';
import { catalogThread } from './writer/catalog-thread.js';

/**
 * Validations of a catalog, one at a time, in a thread of their own: SQLite's check of a large database takes minutes and cannot be
 * interrupted, so nothing else may wait behind it.
 */
export class Validations {
  readonly #catalog: CatalogOptions;
  readonly #reader: CatalogClient;
  #last: Promise<unknown> = Promise.resolve();

  /** @param reader validates a catalog in memory, which has one connection. */
  constructor(catalog: CatalogOptions, reader: CatalogClient) {
    this.#catalog = catalog;
    this.#reader = reader;
  }

  /** @throws the reason of the signal when it aborts. */
  run(request: ValidationRequest, signal: AbortSignal | undefined): Promise<ValidationReport> {
    if (this.#catalog.path === ':memory:') return validateCatalog(this.#reader, request, signal);
    const report = this.#last.then(async () => {
      signal?.throwIfAborted();
      const thread = catalogThread(this.#catalog);
      try {
        return await validateCatalog(thread, request, signal);
      } finally {
        await thread.close();
      }
    });
    this.#last = report.catch(() => {});
    return report;
  }
}
