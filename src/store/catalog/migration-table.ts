import type { Database } from 'better-sqlite3';
import type { KeyedVectors } from '../../backend/documents.js';
import type { MissingText, Remainder } from '../../backend/migration.js';
import type { Space } from '../../backend/space.js';
import { crashPoint } from '../../crash-points.js';
import type { DocumentId } from '../../types.js';
import type { SettingsTable } from './settings-table.js';
import type { VectorTable } from './vector-table.js';

// The vector of a document in another space than that of the index: found by content, as in the cache.
const inSpace = 'n.hash = d.hash AND n.space = ? AND n.role = 0';
const isGiven = 'EXISTS (SELECT 1 FROM vectors v WHERE v.vector = d.vector AND v.role = 2)';

/** A second space beside that of the index, filled at leisure, and the one transaction that puts it in its place. */
export class MigrationTable {
  readonly #db: Database;
  readonly #settings: SettingsTable;
  readonly #vectors: VectorTable;

  constructor(db: Database, settings: SettingsTable, vectors: VectorTable) {
    this.#db = db;
    this.#settings = settings;
    this.#vectors = vectors;
  }

  /** Names the space to be filled, a new one or one that is known; its vectors are kept from being purged. */
  begin(fingerprint: string, dimensions: number, canaries: string): Space {
    const space = this.#db
      .transaction(() => {
        const found = this.#vectors.findSpace(fingerprint);
        const space = found ?? this.#vectors.addSpace(fingerprint, dimensions, canaries);
        this.#settings.set('migrating_to', space.space);
        return space;
      })
      .immediate();
    crashPoint('migrate.begun');
    return space;
  }

  /** No space is being filled any more. */
  abandon(): void {
    this.#settings.set('migrating_to', 0);
  }

  /** Documents after this key whose texts have no vector in a space yet. */
  missingAfter(space: number, afterKey: number, limit: number): MissingText[] {
    const rows = this.#db
      .prepare(
        `SELECT d.key, d.id, d.hash, t.text FROM documents d JOIN texts t ON t.key = d.key
         WHERE d.key > ? AND NOT EXISTS (SELECT 1 FROM vectors n WHERE ${inSpace}) AND NOT ${isGiven}
         ORDER BY d.key LIMIT ?`,
      )
      .all(afterKey, space, limit) as { key: number; id: DocumentId; hash: Buffer; text: string }[];
    return rows.map(({ key, id, hash, text }) => ({ key, id, hash: hash.toString('base64url'), text }));
  }

  /** Vectors in a space of documents after this key; what cannot be compared is left out. */
  vectorsAfter(space: number, afterKey: number, limit: number): KeyedVectors {
    const bytes = (this.#vectors.space(space)?.dimensions ?? 0) * 4;
    const rows = this.#db
      .prepare(
        `SELECT d.key, n.data FROM documents d JOIN vectors n ON ${inSpace}
         WHERE d.key > ? AND is_sound(n.data, ?, 0) ORDER BY d.key LIMIT ?`,
      )
      .all(space, afterKey, bytes, limit) as { key: number; data: Buffer }[];
    const vectors = new Float32Array((rows.length * bytes) / 4);
    rows.forEach(({ data }, position) => {
      new Uint8Array(vectors.buffer).set(data, position * bytes);
    });
    return { keys: Float64Array.from(rows, ({ key }) => key), vectors };
  }

  /** At most `count` documents, spread evenly over all that have a vector in a space, with it. */
  sample(space: number, count: number): KeyedVectors {
    const total = this.#db.prepare('SELECT count(*) FROM documents').pluck().get() as number;
    const stride = Math.max(1, Math.floor(total / count));
    const keys = this.#db
      .prepare(
        `SELECT key FROM (SELECT key, row_number() OVER (ORDER BY key) - 1 AS place FROM documents)
         WHERE place % ? = 0 LIMIT ?`,
      )
      .pluck()
      .all(stride, count) as number[];
    const parts = keys.map((key) => this.vectorsAfter(space, key - 1, 1)).filter(({ keys }) => keys.length > 0);
    return {
      keys: Float64Array.from(parts, (part) => part.keys[0] as number),
      vectors: Float32Array.from(parts.flatMap((part) => [...part.vectors])),
    };
  }

  remainder(space: number): Remainder {
    const given = this.#db.prepare(`SELECT count(*) FROM documents d WHERE ${isGiven}`).pluck().get() as number;
    const missing = this.#db
      .prepare(`SELECT count(*) FROM documents d WHERE NOT EXISTS (SELECT 1 FROM vectors n WHERE ${inSpace})`)
      .pluck()
      .get(space) as number;
    return { missing: missing - given, given };
  }

  /**
   * Moves every document to its vector in another space and makes that the space of the index, in one transaction. The
   * segments are left behind: their files hold vectors of the old space. Nothing changes while anything is missing.
   */
  cutOver(space: number): Remainder {
    const remainder = this.#db
      .transaction(() => {
        const remainder = this.remainder(space);
        if (remainder.missing > 0 || remainder.given > 0) return remainder;
        this.#db
          .prepare(`UPDATE documents AS d SET vector = (SELECT n.vector FROM vectors n WHERE ${inSpace})`)
          .run(space);
        this.#db.prepare('INSERT OR IGNORE INTO retired SELECT file, ? FROM segments').run(Date.now());
        this.#db.prepare('DELETE FROM segments').run();
        this.#settings.set('space', space);
        this.#settings.set('migrating_to', 0);
        this.#settings.increment('generation');
        this.#settings.increment('cutovers');
        crashPoint('migrate.switching');
        return remainder;
      })
      .immediate();
    crashPoint('migrate.switched');
    return remainder;
  }
}
