import { Catalog } from './catalog/catalog.js';
import { GatedReads, type LocalReads, TransactionReads } from './snapshot/reads.js';
import type { CatalogOptions } from './sqlite/connection.js';
import type { CatalogClient } from './writer/catalog-client.js';
import { catalogThread } from './writer/catalog-thread.js';
import { inlineCatalog } from './writer/inline-catalog.js';
import { SnapshotGate } from './writer/snapshot-gate.js';

/**
 * Pages of a connection that looks documents up, in KiB: the documents that are read again are in a cache of their own, and more pages
 * would not make the others faster.
 */
const pageCache = 4_096;

/** The ways to a catalog: clients that write and read, and reads in this thread. */
export interface CatalogAccess {
  readonly writer: CatalogClient;
  readonly reader: CatalogClient;
  readonly reads: LocalReads;
}

/** Access to a catalog that is open in this thread; `current` checks that its file is still the one at its path. */
export function catalogAccess(catalog: Catalog, connection: CatalogOptions, current: () => Catalog): CatalogAccess {
  if (connection.path === ':memory:') {
    const gate = new SnapshotGate();
    return {
      writer: inlineCatalog(catalog, gate),
      reader: inlineCatalog(catalog),
      reads: new GatedReads(current, gate),
    };
  }
  const readonly: CatalogOptions = { ...connection, readonly: true };
  return {
    writer: catalogThread(connection),
    reader: catalogThread(connection),
    reads: new TransactionReads(current, () => Catalog.open({ ...readonly, pageCache })),
  };
}
