import type { StoredDocument } from '../../backend/documents.js';
import type { KeyedVector } from '../../backend/read-snapshot.js';
import type { DocumentId } from '../../types.js';
import type { Catalog, CatalogChanges, CatalogPosition } from './catalog.js';
import type { SqlFilter } from './document-table.js';

/** Connections that are kept open for the next reads. */
const maxIdle = 2;

/**
 * Read transactions that stay open between calls, each on its own connection: all calls with the same number see the catalog
 * at one point in time. A read begins with its first `changesSince`.
 */
export class HeldReads {
  readonly #open: () => Catalog;
  readonly #held = new Map<number, Catalog>();
  readonly #idle: Catalog[] = [];

  constructor(open: () => Catalog) {
    this.#open = open;
  }

  changesSince(
    read: number,
    position: CatalogPosition,
    known: readonly number[],
    filter: SqlFilter | undefined,
  ): CatalogChanges {
    return (this.#held.get(read) ?? this.#begin(read)).changesSince(position, known, filter);
  }

  byKeys(read: number, keys: readonly number[]): (StoredDocument | undefined)[] {
    return this.#catalog(read).documents.byKeys(keys);
  }

  bytesByKeys(read: number, keys: readonly number[]): number {
    return this.#catalog(read).pages.bytesByKeys(keys);
  }

  vectorsByKeys(read: number, keys: readonly number[], dimensions: number): Float32Array {
    return this.#catalog(read).documents.vectorsByKeys(keys, dimensions);
  }

  vectorOf(read: number, id: DocumentId): KeyedVector | undefined {
    return this.#catalog(read).documents.vectorOf(id);
  }

  setting(read: number, name: string): string | number | undefined {
    return this.#catalog(read).settings.get(name);
  }

  /** Ends a read. No effect for one that has not begun. */
  end(read: number): void {
    const catalog = this.#held.get(read);
    if (catalog === undefined) return;
    this.#held.delete(read);
    catalog.endReading();
    if (this.#idle.length < maxIdle) this.#idle.push(catalog);
    else catalog.close();
  }

  #begin(read: number): Catalog {
    const catalog = this.#idle.pop() ?? this.#open();
    try {
      catalog.requireSameFile();
      catalog.beginReading();
    } catch (error) {
      catalog.close();
      throw error;
    }
    this.#held.set(read, catalog);
    return catalog;
  }

  #catalog(read: number): Catalog {
    const catalog = this.#held.get(read);
    if (catalog === undefined) throw new Error(`Read ${read} has ended`);
    return catalog;
  }

  close(): void {
    for (const catalog of [...this.#held.values(), ...this.#idle]) catalog.close();
    this.#held.clear();
    this.#idle.length = 0;
  }
}
