import { documentsPerRead, vectorsPerRead } from '../backend/batch-sizes.js';
import type { KeyedVectors } from '../backend/documents.js';
import type { MissingText, Remainder, SpaceMigration } from '../backend/migration.js';
import type { KeyedNeighbor } from '../backend/read-snapshot.js';
import type { Space } from '../backend/space.js';
import { SemanticIndexError } from '../errors.js';
import type { Metric } from '../types.js';
import { distanceSign } from '../vectors/metric.js';
import { VectorBuffer } from '../vectors/vector-buffer.js';
import { leaseOwner } from './catalog/lease-owner.js';
import type { CatalogClient } from './writer/catalog-client.js';
import { acquireLease, type LeaseRequest, whileHeld } from './writer/held-lease.js';

/** Moves an index to another space, by way of the catalog. */
export class Migration implements SpaceMigration {
  readonly #writer: CatalogClient;
  readonly #reader: CatalogClient;
  readonly #metric: Metric;
  readonly #lease: LeaseRequest;
  #held = false;
  #areTermsKept = false;

  constructor(writer: CatalogClient, reader: CatalogClient, metric: Metric) {
    this.#writer = writer;
    this.#reader = reader;
    this.#metric = metric;
    this.#lease = { writer, name: 'migration', owner: leaseOwner(), onError: () => {} };
  }

  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (this.#held) throw isRunning();
    this.#held = true;
    try {
      if ((await acquireLease(this.#lease)) === undefined) throw isRunning();
      return await whileHeld(this.#lease, work);
    } finally {
      this.#held = false;
    }
  }

  begin(fingerprint: string, dimensions: number, canaries: string): Promise<Space> {
    this.#areTermsKept = false;
    return this.#writer.migration.begin(fingerprint, dimensions, canaries);
  }

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

  async cutOver(space: number): Promise<Remainder> {
    await this.#keepTerms();
    return this.#writer.migration.cutOver(space);
  }

  /**
   * The segments are left behind, and the terms of their documents with them: they are stored as those of a tail. Documents that
   * are added later have their terms there.
   */
  async #keepTerms(): Promise<void> {
    for (let after = 0; !this.#areTermsKept; ) {
      const last = await this.#writer.terms.complete(after, documentsPerRead);
      if (last === undefined) this.#areTermsKept = true;
      else after = last;
    }
  }

  sample(space: number, count: number): Promise<KeyedVectors> {
    return this.#reader.migration.sample(space, count);
  }

  async nearest({ space, dimensions }: Space, queries: Float32Array, k: number): Promise<KeyedNeighbor[][]> {
    const count = queries.length / dimensions;
    const sign = distanceSign(this.#metric);
    const best: KeyedNeighbor[][] = Array.from({ length: count }, () => []);
    for (let after = 0; ; ) {
      const rows = await this.#reader.migration.vectorsAfter(space, after, vectorsPerRead);
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

function isRunning(): SemanticIndexError {
  return new SemanticIndexError('BUSY', 'Another migration of this index is running', {
    hint: 'Wait for it to finish, or abort it.',
  });
}
