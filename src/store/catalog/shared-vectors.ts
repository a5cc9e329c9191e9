import type { Database } from 'better-sqlite3';
import type { VectorRole } from '../../backend/documents.js';
import type { FoundVectors, VectorTable } from './vector-table.js';

// A vector counts as used as long ago as this or longer: most readings of a file that is shared write nothing.
const useMilliseconds = 60 * 60 * 1000;
const maxForgotten = 10_000;

/** The vectors of a shared cache file of bounded size; the least recently used are removed first. */
export class SharedVectors {
  readonly #db: Database;
  readonly #vectors: VectorTable;
  #indexed = false;

  constructor(db: Database, vectors: VectorTable) {
    this.#db = db;
    this.#vectors = vectors;
  }

  /** As `lookUp` of the table; marks the vectors that it finds as used now. */
  lookUp(...asked: Parameters<VectorTable['lookUp']>): FoundVectors {
    const found = this.#vectors.lookUp(...asked);
    this.#use(found.numbers);
    return found;
  }

  #use(numbers: readonly number[]): void {
    const now = Date.now();
    const usedAt = this.#db.prepare<[number]>('SELECT used_at FROM vectors WHERE vector = ?').pluck();
    const stale = numbers.filter((number) => number !== 0 && Number(usedAt.get(number)) < now - useMilliseconds);
    if (stale.length === 0) return;
    const touch = this.#db.prepare('UPDATE vectors SET used_at = ? WHERE vector = ?');
    try {
      this.#db
        .transaction(() => {
          for (const number of stale) touch.run(now, number);
        })
        .immediate();
    } catch {
      // Another process writes for long, or the disk is full: the use is recorded next time.
    }
  }

  /**
   * As `put` of the table, then removes vectors while the file has more than `maxBytes`, some in each call. From the
   * database of an index nothing is removed: its documents need their vectors.
   */
  put(space: number, role: VectorRole, hashes: readonly string[], vectors: Float32Array, maxBytes: number): void {
    this.#vectors.put(space, role, hashes, vectors);
    const excess = this.#bytes() - maxBytes;
    if (excess <= 0 || this.#isIndex()) return;
    if (!this.#indexed) this.#db.exec('CREATE INDEX IF NOT EXISTS vectors_by_use ON vectors (used_at)');
    this.#indexed = true;
    // At least as many are removed as were added; their size is estimated from those that were added.
    const surplus = Math.ceil(excess / (vectors.byteLength / hashes.length)) + hashes.length;
    const oldest = 'SELECT vector FROM vectors ORDER BY used_at, vector LIMIT ?';
    this.#db.prepare(`DELETE FROM vectors WHERE vector IN (${oldest})`).run(Math.min(surplus, maxForgotten));
  }

  #isIndex(): boolean {
    return this.#db.prepare("SELECT 1 FROM settings WHERE name = 'index_id'").get() !== undefined;
  }

  /** Pages in use. */
  #bytes(): number {
    const value = (name: string): number => this.#db.pragma(name, { simple: true }) as number;
    return (value('page_count') - value('freelist_count')) * value('page_size');
  }
}
