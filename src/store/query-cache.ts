import type { QueryVectors } from '../backend/backend.js';
import { packVectors } from '../vectors/pack-vectors.js';
import type { Catalog } from './catalog/catalog.js';
import type { CatalogClient } from './writer/catalog-client.js';

/** Used vectors that are noted together: one write for so many queries that only found cached vectors. */
const maxTouched = 64;

/**
 * Cached vectors of queries, in the table of all vectors: durable and bounded, the least recently used are evicted first. Writes
 * happen in the background, and a failed one fails no search.
 */
export class QueryCache implements QueryVectors {
  readonly #catalog: () => Catalog;
  readonly #writer: CatalogClient | undefined;
  readonly #maxVectors: number;
  /** Numbers of vectors used since the last write. */
  readonly #touched = new Set<number>();
  /** Vectors that are being written, by space and hash: they are found before they are stored. */
  readonly #pending = new Map<string, Float32Array>();
  #writing: Promise<unknown> = Promise.resolve();

  /** @param writer absent in a read-only index. @param maxVectors 0 disables the cache. */
  constructor(catalog: () => Catalog, writer: CatalogClient | undefined, maxVectors: number) {
    this.#catalog = catalog;
    this.#writer = writer;
    this.#maxVectors = maxVectors;
  }

  async find(space: number, hashes: readonly string[]): Promise<(Float32Array | undefined)[]> {
    if (this.#maxVectors === 0) return hashes.map(() => undefined);
    const { vectors } = this.#catalog();
    const found = vectors.find(space, 'query', hashes).map((number, place) => {
      if (number === 0) return this.#pending.get(pendingKey(space, hashes[place] as string));
      if (this.#writer !== undefined) this.#touched.add(number);
      return vectors.get(number);
    });
    if (this.#touched.size >= maxTouched) this.keep(space, [], []);
    return found;
  }

  keep(space: number, hashes: readonly string[], vectors: readonly Float32Array[]): void {
    if (this.#writer === undefined || this.#maxVectors === 0 || (hashes.length === 0 && this.#touched.size === 0))
      return;
    const touched = [...this.#touched];
    this.#touched.clear();
    const packed = packVectors(vectors);
    const keys = hashes.map((hash) => pendingKey(space, hash));
    for (const [place, key] of keys.entries()) this.#pending.set(key, vectors[place] as Float32Array);
    const written = (): void => {
      for (const [place, key] of keys.entries()) {
        if (this.#pending.get(key) === vectors[place]) this.#pending.delete(key);
      }
    };
    const write = this.#writer.vectors.putQueries(space, hashes, packed, touched, this.#maxVectors);
    this.#writing = Promise.allSettled([this.#writing, write.then(written, written)]);
  }

  /** Waits for pending writes. */
  async settle(): Promise<void> {
    this.keep(0, [], []);
    await this.#writing;
  }
}

function pendingKey(space: number, hash: string): string {
  return `${space} ${hash}`;
}
