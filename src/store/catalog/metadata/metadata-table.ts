import type { Database } from 'better-sqlite3';
import { MetadataPacker } from '../../../columns/metadata-packer.js';
import { checkWanted } from '../../sqlite/cancelling.js';
import { prepared, type Statement } from '../../sqlite/statement.js';

/** The packed metadata of documents, see `PackedMetadata`. */
export interface MetadataBatch {
  readonly firstKey: number;
  readonly data: Uint8Array;
  /** Changes of metadata up to this one are in it, and none after it. */
  readonly lastChange: number;
}

/** Entries of the log that are kept at least: after more changes, all metadata is read again. */
export const keptChanges = 2 ** 16;
/** A range with fewer keys than this per wanted document is read as a whole: a look-up takes longer than reading the next row. */
const denseShare = 4;
const changesPerPurge = 2 ** 10;

/**
 * The metadata of documents, and the log of its changes: a document whose metadata alone is replaced keeps its key, so columns are
 * updated from the log.
 */
export class MetadataTable {
  readonly #db: Database;
  readonly #log: Statement<[number]>;
  readonly #purge: Statement<[number]>;
  readonly #last: Statement<[]>;
  readonly #first: Statement<[]>;
  readonly #after: Statement<[number, number]>;
  readonly #metadata: Statement<[number]>;
  readonly #range: Statement<[number, number]>;

  constructor(db: Database) {
    this.#db = db;
    this.#log = prepared(db, 'INSERT INTO metadata_changes (key) VALUES (?)');
    this.#purge = prepared(db, 'DELETE FROM metadata_changes WHERE sequence <= ?');
    this.#last = prepared<[]>(db, "SELECT seq FROM sqlite_sequence WHERE name = 'metadata_changes'").pluck();
    this.#first = prepared<[]>(db, 'SELECT min(sequence) FROM metadata_changes').pluck();
    this.#after = prepared<[number, number]>(
      db,
      'SELECT key FROM metadata_changes WHERE sequence > ? ORDER BY sequence LIMIT ?',
    ).pluck();
    this.#metadata = prepared<[number]>(db, 'SELECT metadata FROM documents WHERE key = ?').pluck();
    this.#range = prepared<[number, number]>(
      db,
      'SELECT key, metadata FROM documents WHERE key BETWEEN ? AND ? ORDER BY key',
    ).raw();
  }

  /** Notes that the metadata of a document was replaced. Part of the caller's transaction. */
  log(key: number): void {
    const sequence = Number(this.#log.run(key).lastInsertRowid);
    if (sequence % changesPerPurge === 0) this.#purge.run(sequence - keptChanges);
  }

  /** The number of the last change of metadata. */
  lastChange(): number {
    return (this.#last.get() as number | undefined) ?? 0;
  }

  /**
   * Keys of the documents whose metadata changed after this change, ascending; undefined when there are more than `limit`, or some
   * are not in the log any more.
   */
  changedAfter(change: number, limit: number): Float64Array | undefined {
    if (this.lastChange() === change) return new Float64Array(0);
    if (((this.#first.get() as number | null) ?? Number.POSITIVE_INFINITY) > change + 1) return undefined;
    const keys = this.#after.all(change, limit + 1) as number[];
    return keys.length > limit ? undefined : Float64Array.from(new Set(keys)).sort();
  }

  /** The metadata of the documents with these keys (ascending) as it is now; one that is gone has none. */
  pack(keys: readonly number[] | Float64Array): MetadataBatch {
    return this.#db.transaction((): MetadataBatch => {
      const packer = new MetadataPacker();
      const [first, last] = [keys[0] ?? 0, keys.at(-1) ?? 0];
      if (last - first < denseShare * keys.length) this.#packRange(packer, keys, first, last);
      else this.#packEach(packer, keys);
      return { firstKey: first, data: packer.take(), lastChange: this.lastChange() };
    })();
  }

  #packEach(packer: MetadataPacker, keys: readonly number[] | Float64Array): void {
    for (const key of keys) {
      checkWanted();
      packer.add(key, (this.#metadata.get(key) as string | null | undefined) ?? null);
    }
  }

  #packRange(packer: MetadataPacker, keys: readonly number[] | Float64Array, first: number, last: number): void {
    let position = 0;
    for (const [key, metadata] of this.#range.all(first, last) as [key: number, metadata: string | null][]) {
      for (; (keys[position] as number) < key; position++) packer.add(keys[position] as number, null);
      if (keys[position] !== key) continue;
      checkWanted();
      packer.add(key, metadata);
      position++;
    }
    for (; position < keys.length; position++) packer.add(keys[position] as number, null);
  }
}
