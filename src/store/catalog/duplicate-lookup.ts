import type { Database } from 'better-sqlite3';
import type { KnownDuplicates, Representative } from '../../backend/documents.js';
import type { DocumentId } from '../../types.js';
import { prepared, type Statement } from '../sqlite/statement.js';

const maxOfTheSame = 16;

/** Look-ups for `onDuplicate`. */
export class DuplicateLookup {
  readonly #byId: Statement<[DocumentId]>;
  readonly #data: Statement<[number]>;
  readonly #byVector: Statement<[number, number]>;
  readonly #representative: Statement<[number]>;

  constructor(db: Database) {
    this.#byId = prepared(db, 'SELECT 1 FROM documents WHERE id = ?');
    this.#data = prepared<[number]>(db, 'SELECT data FROM vectors WHERE vector = ?').pluck();
    this.#byVector = prepared<[number, number]>(
      db,
      'SELECT key FROM documents WHERE vector = ? ORDER BY key LIMIT ?',
    ).pluck();
    this.#representative = prepared(
      db,
      `SELECT d.key, d.id, t.text FROM documents d JOIN texts t ON t.key = d.key
       WHERE d.key = ? AND json_type(d.metadata, '$."duplicateOf"') IS NULL`,
    );
  }

  /** `vectors` are numbers of the vector table, 0 for none. */
  look(ids: readonly DocumentId[], vectors: readonly number[], dimensions: number): KnownDuplicates {
    const packed = new Float32Array(ids.length * dimensions);
    const bytes = new Uint8Array(packed.buffer);
    vectors.forEach((vector, row) => {
      const data = vector === 0 ? undefined : (this.#data.get(vector) as Buffer | undefined);
      if (data !== undefined) bytes.set(data, row * dimensions * 4);
    });
    return {
      known: ids.map((id) => this.#byId.get(id) !== undefined),
      vectors: packed,
      same: vectors.map((vector) => (vector === 0 ? [] : (this.#byVector.all(vector, maxOfTheSame) as number[]))),
    };
  }

  /** Those of the documents with these keys that exist and are not linked to another one. */
  representatives(keys: readonly number[]): Representative[] {
    return keys.flatMap((key) => (this.#representative.get(key) as Representative | undefined) ?? []);
  }
}
