import type { Catalog } from '../catalog/catalog.js';
import { whileWanted } from '../sqlite/cancelling.js';
import { fromSqliteError } from '../sqlite/sqlite-error.js';
import { type CatalogClient, catalogClient } from './catalog-client.js';
import { callTarget, targetsOf } from './catalog-targets.js';
import type { SnapshotGate } from './snapshot-gate.js';

/**
 * Calls a catalog in this thread: a database in memory has only one connection.
 *
 * @param gate delays calls until no snapshot is open; for a client that writes.
 */
export function inlineCatalog(catalog: Catalog, gate?: SnapshotGate): CatalogClient {
  const targets = targetsOf(catalog, () => catalog);
  return catalogClient({
    async send(target, method, args, flag) {
      const call = (): unknown => whileWanted(flag, () => callTarget(targets, target, method, args));
      try {
        return await (gate === undefined ? call() : gate.exclusively(call));
      } catch (error) {
        throw fromSqliteError(error);
      }
    },
    async close() {},
  });
}
