import type { CatalogOptions } from '../sqlite/connection.js';
import type { CatalogCaller } from './catalog-calls.js';
import { CatalogThread } from './catalog-thread.js';

/** Runs a long reading on a connection of its own, which sees the catalog as it is at one moment. */
export async function* consistentRead<T>(
  catalog: CatalogOptions,
  read: (caller: CatalogCaller) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  const thread = new CatalogThread({ catalog: { ...catalog, readonly: true } });
  try {
    await thread.call('catalog', 'beginReading');
    yield* read(thread);
    await thread.call('catalog', 'endReading');
  } finally {
    await thread.close();
  }
}
