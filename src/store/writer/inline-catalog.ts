import type { Catalog } from '../catalog/catalog.js';
import { whileWanted } from '../sqlite/cancelling.js';
import { fromSqliteError } from '../sqlite/sqlite-error.js';
import { type CatalogClient, catalogClient } from './catalog-client.js';
import { callTarget, targetsOf } from './catalog-targets.js';

/** Calls a catalog in this thread: a database in memory has only one connection. */
export function inlineCatalog(catalog: Catalog): CatalogClient {
  const targets = targetsOf(catalog);
  return catalogClient({
    async send(target, method, args, flag) {
      try {
        return await whileWanted(flag, () => callTarget(targets, target, method, args));
      } catch (error) {
        throw fromSqliteError(error);
      }
    },
    async close() {},
  });
}
