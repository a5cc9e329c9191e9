import type { Database } from 'better-sqlite3';
import type { StoredVector, VectorRole } from '../../backend/documents.js';
import type { Space } from '../../backend/space.js';
import { crashPoint } from '../../crash-points.js';
import { inOneTransaction } from '../sqlite/connection.js';
import { prepared, type Statement } from '../sqlite/statement.js';
import { isSound } from './sound-vectors.js';

/** The number of each role in the table. */
export const vectorRoles = { document: 0, query: 1, given: 2 } as const satisfies Record<VectorRole, number>;
const roleNames = Object.keys(vectorRoles) as VectorRole[];

/** The bytes of a content hash, which travels as base64url between threads. */
export function hashBytes(hash: string): Buffer {
  return Buffer.from(hash, 'base64url');
}

/** The vector in a BLOB, copied so that it is aligned and outlives the row. */
export function vectorOf(data: Buffer): Float32Array {
  const vector = new Float32Array(data.byteLength / 4);
  new Uint8Array(vector.buffer).set(data);
  return vector;
}

/** What is stored of some hashes, in their order. */
export interface FoundVectors {
  /** The number of each vector, 0 where there is none. */
  readonly numbers: readonly number[];
  /** One after the other; zeros stand where there is none. */
  readonly vectors: Float32Array;
}

/**
 * Content-addressed vectors: the same table is the durable cache of embeddings, and equal texts share one. A vector
 * that cannot be what was written (see `isSound`) counts as unknown, and is replaced when its content is stored again.
 */
export class VectorTable {
  readonly #db: Database;
  readonly #find: Statement<[Buffer, number, number]>;
  readonly #insert: Statement<[number, number, Buffer, number, Buffer]>;
  readonly #put: Statement<[number, number, Buffer, number, Buffer]>;
  readonly #data: Statement<[number]>;
  readonly #read: Statement<[number]>;
  readonly #spaceByFingerprint: Statement<[string]>;
  readonly #spaceByNumber: Statement<[number]>;
  readonly #addSpace: Statement<[string, number, string | null, number]>;
  readonly #purge: Statement<[]>;

  constructor(db: Database) {
    this.#db = db;
    db.function('is_sound', { deterministic: true }, (data: Buffer, bytes: number, role: number) =>
      isSound(data, bytes / 4, roleNames[role] as VectorRole) ? 1 : 0,
    );
    this.#find = prepared<[Buffer, number, number]>(
      db,
      'SELECT vector, data FROM vectors WHERE hash = ? AND space = ? AND role = ?',
    );
    // Most are new: this takes half the time of a statement that returns.
    this.#insert = prepared(
      db,
      'INSERT INTO vectors (space, role, hash, used_at, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT (hash, space, role) DO NOTHING',
    );
    this.#put = prepared<[number, number, Buffer, number, Buffer]>(
      db,
      `INSERT INTO vectors (space, role, hash, used_at, data) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (hash, space, role) DO UPDATE SET used_at = excluded.used_at,
           data = iif(is_sound(data, length(excluded.data), role), data, excluded.data) RETURNING vector`,
    ).pluck();
    this.#data = prepared<[number]>(db, 'SELECT data FROM vectors WHERE vector = ?').pluck();
    this.#read = prepared(db, 'SELECT space, role, hash, data FROM vectors WHERE vector = ?');
    this.#spaceByFingerprint = prepared(db, 'SELECT * FROM spaces WHERE fingerprint = ?');
    this.#spaceByNumber = prepared(db, 'SELECT * FROM spaces WHERE space = ?');
    this.#addSpace = prepared(
      db,
      'INSERT INTO spaces (fingerprint, dimensions, canaries, created_at) VALUES (?, ?, ?, ?) RETURNING *',
    );
    this.#purge = prepared(
      db,
      `DELETE FROM vectors WHERE role <> 1
       AND space IS NOT (SELECT value FROM settings WHERE name = 'migrating_to')
       AND NOT EXISTS (SELECT 1 FROM documents WHERE documents.vector = vectors.vector)`,
    );
  }

  space(space: number): Space | undefined {
    return this.#spaceByNumber.get(space) as Space | undefined;
  }

  findSpace(fingerprint: string): Space | undefined {
    return this.#spaceByFingerprint.get(fingerprint) as Space | undefined;
  }

  /** Part of the caller's transaction. */
  addSpace(fingerprint: string, dimensions: number, canaries: string | null): Space {
    return this.#addSpace.get(fingerprint, dimensions, canaries, Date.now()) as Space;
  }

  /** The space with this fingerprint, made where there is none. */
  ensureSpace(fingerprint: string, dimensions: number, canaries: string): Space {
    const ensure = (): Space => this.findSpace(fingerprint) ?? this.addSpace(fingerprint, dimensions, canaries);
    return this.#db.transaction(ensure).immediate();
  }

  /** The number of the sound vector of each hash, 0 where there is none. */
  find(space: number, role: VectorRole, hashes: readonly string[]): number[] {
    const dimensions = this.space(space)?.dimensions ?? 0;
    const number = (hash: string): number => this.#sound(space, role, hash, dimensions)?.vector ?? 0;
    // As for `DocumentCommits.classify`.
    return inOneTransaction(this.#db, () => hashes.map(number));
  }

  #sound(
    space: number,
    role: VectorRole,
    hash: string,
    dimensions: number,
  ): { vector: number; data: Buffer } | undefined {
    const row = this.#find.get(hashBytes(hash), space, vectorRoles[role]) as
      | { vector: number; data: Buffer }
      | undefined;
    return row !== undefined && isSound(row.data, dimensions, role) ? row : undefined;
  }

  /** The vectors of hashes, each looked up once. */
  lookUp(space: number, role: VectorRole, hashes: readonly string[], dimensions: number): FoundVectors {
    const vectors = new Float32Array(hashes.length * dimensions);
    const number = (hash: string, position: number): number => {
      const found = this.#sound(space, role, hash, dimensions);
      if (found === undefined) return 0;
      vectors.set(vectorOf(found.data), position * dimensions);
      return found.vector;
    };
    const numbers = inOneTransaction(this.#db, () => hashes.map(number));
    return { numbers, vectors };
  }

  /**
   * Stores vectors (packed, one after the other, float32 little-endian) under their hashes in one transaction and
   * returns their numbers; a hash already there keeps its vector
   * if that is sound.
   */
  put(space: number, role: VectorRole, hashes: readonly string[], vectors: Float32Array): number[] {
    const numbers = this.#db
      .transaction(() => {
        const numbers = this.insert(space, role, hashes, vectors);
        crashPoint('add.vectors-writing');
        return numbers;
      })
      .immediate();
    crashPoint('add.vectors-stored');
    return numbers;
  }

  /** As `put`; part of the caller's transaction. */
  insert(space: number, role: VectorRole, hashes: readonly string[], vectors: Float32Array): number[] {
    const now = Date.now();
    const bytes = vectors.byteLength / hashes.length;
    return hashes.map((hash, position) => {
      const data = Buffer.from(vectors.buffer, vectors.byteOffset + position * bytes, bytes);
      const name = hashBytes(hash);
      const { changes, lastInsertRowid } = this.#insert.run(space, vectorRoles[role], name, now, data);
      if (changes > 0) return Number(lastInsertRowid);
      return this.#put.get(space, vectorRoles[role], name, now, data) as number;
    });
  }

  /**
   * Stores vectors of queries as `put` does, marks others as used, and forgets those used longest ago while there are
   * more than `most`: in one transaction.
   */
  putQueries(
    space: number,
    hashes: readonly string[],
    vectors: Float32Array,
    used: readonly number[],
    most: number,
  ): void {
    this.#db
      .transaction(() => {
        const touch = this.#db.prepare('UPDATE vectors SET used_at = ? WHERE vector = ? AND role = 1');
        for (const vector of used) touch.run(Date.now(), vector);
        if (hashes.length > 0) this.put(space, 'query', hashes, vectors);
        const count = this.#db.prepare('SELECT count(*) FROM vectors WHERE role = 1').pluck().get() as number;
        if (count <= most) return;
        // A tenth more than needed, so that not every new query pays for this.
        const surplus = count - most + Math.floor(most / 10);
        const oldest = 'SELECT vector FROM vectors WHERE role = 1 ORDER BY used_at, vector LIMIT ?';
        this.#db.prepare(`DELETE FROM vectors WHERE vector IN (${oldest})`).run(surplus);
      })
      .immediate();
  }

  /** Vectors by their numbers, with what they are stored under; undefined for unknown numbers. */
  read(numbers: readonly number[]): (StoredVector | undefined)[] {
    return numbers.map((number) => {
      const row = this.#read.get(number) as { space: number; role: number; hash: Buffer; data: Buffer } | undefined;
      if (row === undefined) return undefined;
      const role = roleNames[row.role] as VectorRole;
      return { space: row.space, role, hash: row.hash.toString('base64url'), vector: vectorOf(row.data) };
    });
  }

  get(vector: number): Float32Array | undefined {
    const data = this.#data.get(vector) as Buffer | undefined;
    return data === undefined ? undefined : vectorOf(data);
  }

  /**
   * Deletes document vectors that no document uses, except those of a space that is being filled; returns their number.
   */
  purge(): number {
    return this.#purge.run().changes;
  }
}
