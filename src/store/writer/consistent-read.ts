import type { CatalogOptions } from '../sqlite/connection.js';
import type { CatalogClient } from './catalog-client.js';
import { catalogThread } from './catalog-thread.js';

/** Runs a long read on a connection of its own, which sees the catalog at one point in time. */
export async function* consistentRead<T>(
  options: CatalogOptions,
  read: (catalog: CatalogClient) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  const thread = catalogThread({ ...options, readonly: true });
  try {
    await thread.catalog.beginReading();
    yield* read(thread);
    await thread.catalog.endReading();
  } finally {
    await thread.close();
  }
}
