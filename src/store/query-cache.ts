import { packVectors } from '../vectors/pack-vectors.js';
import type { Catalog } from './catalog/catalog.js';
import type { CatalogClient } from './writer/catalog-client.js';

const maxTouched = 64;

/**
 * The vectors of queries that were asked before, in the table of all vectors: durable, bounded, the least recently used
 * go first. Writing it is nobody's business to wait for, and no search fails because it failed.
 */
export class QueryCache {
  readonly #catalog: () => Catalog;
  readonly #writer: CatalogClient | undefined;
  readonly #most: number;
  /** Numbers of vectors that were used since the last writing. */
  readonly #touched = new Set<number>();
  #writing: Promise<unknown> = Promise.resolve();

  /** @param most how many vectors are kept; 0 keeps and finds none. @param writer absent where nothing may be written. */
  constructor(catalog: () => Catalog, writer: CatalogClient | undefined, most: number) {
    this.#catalog = catalog;
    this.#writer = writer;
    this.#most = most;
  }

  /** The vector of each content hash in a space, undefined where it is not known. */
  find(space: number, hashes: readonly string[]): (Float32Array | undefined)[] {
    if (this.#most === 0) return hashes.map(() => undefined);
    const { vectors } = this.#catalog();
    const found = vectors.find(space, 'query', hashes).map((number) => {
      if (number === 0) return undefined;
      if (this.#writer !== undefined) this.#touched.add(number);
      return vectors.get(number);
    });
    if (this.#touched.size >= maxTouched) this.keep(space, [], []);
    return found;
  }

  /** Remembers vectors under their content hashes, soon. */
  keep(space: number, hashes: readonly string[], vectors: readonly Float32Array[]): void {
    if (this.#writer === undefined || this.#most === 0 || (hashes.length === 0 && this.#touched.size === 0)) return;
    const touched = [...this.#touched];
    this.#touched.clear();
    const packed = packVectors(vectors);
    const write = this.#writer.vectors.putQueries(space, hashes, packed, touched, this.#most);
    this.#writing = Promise.allSettled([this.#writing, write]);
  }

  /** Waits until all is written. */
  async settle(): Promise<void> {
    this.keep(0, [], []);
    await this.#writing;
  }
}
