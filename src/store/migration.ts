import { SemanticIndexError } from '../errors.js';
import type { Metric } from '../types.js';
import { distanceSign } from '../vectors/metric.js';
import { VectorBuffer } from '../vectors/vector-buffer.js';
import type { KeyedVectors } from './catalog/document-table.js';
import { leaseOwner } from './catalog/lease-owner.js';
import type { MissingText, Remainder } from './catalog/migration-table.js';
import type { Space } from './catalog/vector-table.js';
import type { KeyedNeighbor } from './snapshot/snapshot.js';
import type { CatalogClient } from './writer/catalog-client.js';

const rowsPerReading = 4_096;
const leaseName = 'migration';
const leaseMilliseconds = 30_000;

/** What the way of an index to another space asks of the catalog. */
export class Migration {
  readonly #writer: CatalogClient;
  readonly #reader: CatalogClient;
  readonly #metric: Metric;
  readonly #owner = leaseOwner();
  #held = false;

  constructor(writer: CatalogClient, reader: CatalogClient, metric: Metric) {
    this.#writer = writer;
    this.#reader = reader;
    this.#metric = metric;
  }

  /**
   * Does work while no other process migrates the index: two would embed the same texts. A process that died holds nobody up.
   *
   * @throws BUSY when another migration is under way.
   */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    const acquire = (): Promise<number> => this.#writer.leases.acquire(leaseName, this.#owner, leaseMilliseconds);
    if (this.#held || (await acquire()) === 0) {
      throw new SemanticIndexError('BUSY', 'The index is being migrated already', {
        hint: 'Wait for that migration to end, or abort it.',
      });
    }
    this.#held = true;
    // A heartbeat that fails is not the end: the lease lasts for three of them.
    const heartbeat = setInterval(() => acquire().catch(() => {}), leaseMilliseconds / 3);
    heartbeat.unref();
    try {
      return await work();
    } finally {
      this.#held = false;
      clearInterval(heartbeat);
      await this.#writer.leases.release(leaseName, this.#owner).catch(() => {});
    }
  }

  /** Names the space to be filled; one that is known keeps its canaries. */
  begin(fingerprint: string, dimensions: number, canaries: string): Promise<Space> {
    return this.#writer.migration.begin(fingerprint, dimensions, canaries);
  }

  /** The space with this fingerprint, if there ever was one. */
  findSpace(fingerprint: string): Promise<Space | undefined> {
    return this.#reader.vectors.findSpace(fingerprint);
  }

  abandon(): Promise<void> {
    return this.#writer.migration.abandon();
  }

  remainder(space: number): Promise<Remainder> {
    return this.#reader.migration.remainder(space);
  }

  missingAfter(space: number, afterKey: number, limit: number): Promise<MissingText[]> {
    return this.#reader.migration.missingAfter(space, afterKey, limit);
  }

  /** Moves the index to the space, unless anything is missing there. */
  cutOver(space: number): Promise<Remainder> {
    return this.#writer.migration.cutOver(space);
  }

  /** Documents spread over the index, with their vectors in a space. */
  sample(space: number, count: number): Promise<KeyedVectors> {
    return this.#reader.migration.sample(space, count);
  }

  /** The true nearest documents of some vectors (packed) in a space that the index is not in. */
  async nearest({ space, dimensions }: Space, queries: Float32Array, k: number): Promise<KeyedNeighbor[][]> {
    const count = queries.length / dimensions;
    const sign = distanceSign(this.#metric);
    const best: KeyedNeighbor[][] = Array.from({ length: count }, () => []);
    for (let after = 0; ; ) {
      const rows = await this.#reader.migration.vectorsAfter(space, after, rowsPerReading);
      if (rows.keys.length === 0) return best;
      const buffer = new VectorBuffer(dimensions, this.#metric);
      try {
        buffer.append(rows.vectors);
        const wanted = Math.min(k, rows.keys.length);
        const { items, distances } = await buffer.search(queries, wanted);
        best.forEach((list, query) => {
          for (let place = query * wanted; place < (query + 1) * wanted; place++) {
            const key = rows.keys[items[place] as number] as number;
            list.push({ key, distance: distances[place] as number });
          }
          list.sort((a, b) => sign * (a.distance - b.distance) || a.key - b.key);
          list.length = Math.min(list.length, k);
        });
      } finally {
        buffer.close();
      }
      after = rows.keys[rows.keys.length - 1] as number;
    }
  }
}
