import type { Database } from 'better-sqlite3';
import type { ExportedRows, KeyedVectors, StoredDocument } from '../../backend/documents.js';
import { crashPoint } from '../../crash-points.js';
import type { DocumentId } from '../../types.js';
import { packVectors } from '../../vectors/pack-vectors.js';
import { checkWanted, whileWantedSql } from '../sqlite/cancelling.js';
import { prepared, type Statement } from '../sqlite/statement.js';
import { type DocumentByKey, documentByKey, maxShortBytes, rowBytes, selectDocument } from './document-cache.js';
import type { DocumentWrites } from './document-writes.js';
import { isComparable, unsoundVectors } from './sound-vectors.js';
import type { TailImagesTable } from './tail/tail-images-table.js';
import { vectorOf } from './vector-table.js';

/** A filter as SQL over the row `d` of documents, with its bound parameters. */
export interface SqlFilter {
  readonly sql: string;
  readonly parameters: readonly (string | number | bigint)[];
}

/** Stored vectors, and the documents that were left out. */
export interface ReadVectors extends KeyedVectors {
  /** Keys of documents whose vector cannot be compared: its length is wrong, or a component is not finite. */
  readonly unsound: readonly number[];
}

/** All that is stored of a document, for comparing it with its content hash. */
export interface StoredContent {
  readonly key: number;
  readonly id: DocumentId;
  readonly hash: string;
  readonly metadata: string | null;
  readonly text: string | null;
  readonly role: number | null;
  readonly data: Buffer | null;
}

/** Documents, their texts, and the log of deletions. Every public write is one transaction. */
export class DocumentTable {
  /** The document with a key. */
  readonly byKey: DocumentByKey;
  /** The same if it has at most `maxShortBytes`. */
  readonly shortByKey: DocumentByKey;
  readonly #db: Database;
  readonly #writes: DocumentWrites;
  readonly #tailImages: TailImagesTable;
  readonly #byId: Statement<[DocumentId]>;
  readonly #exists: Statement<[number]>;
  readonly #vectorById: Statement<[DocumentId]>;
  readonly #vectorByKey: Statement<[number]>;
  readonly #vectorsAfter: Statement<[number, number, number]>;
  readonly #deletionsAfter: Statement<[number]>;
  readonly #deletionsBetween: Statement<[number, number]>;
  readonly #dimensions: Statement<[]>;
  readonly #lastKey: Statement<[]>;
  readonly #lastDeletion: Statement<[]>;

  constructor(db: Database, writes: DocumentWrites, tailImages: TailImagesTable) {
    this.#tailImages = tailImages;
    this.#db = db;
    this.#writes = writes;
    this.#byId = prepared(db, `${selectDocument} WHERE d.id = ?`);
    this.byKey = documentByKey(db);
    this.shortByKey = documentByKey(db, `${rowBytes} <= ${maxShortBytes}`);
    this.#exists = prepared(db, 'SELECT 1 FROM documents WHERE key = ?');
    this.#vectorById = prepared(
      db,
      'SELECT d.key, v.data FROM documents d JOIN vectors v ON v.vector = d.vector WHERE d.id = ?',
    );
    this.#vectorByKey = prepared<[number]>(
      db,
      'SELECT v.data FROM documents d JOIN vectors v ON v.vector = d.vector WHERE d.key = ?',
    ).pluck();
    this.#vectorsAfter = prepared(
      db,
      `SELECT d.key, v.data FROM documents d JOIN vectors v ON v.vector = d.vector
       WHERE d.key > ? AND d.key <= ? ORDER BY d.key LIMIT ?`,
    );
    this.#deletionsAfter = prepared<[number]>(
      db,
      'SELECT key FROM deletions WHERE sequence > ? ORDER BY sequence',
    ).pluck();
    this.#deletionsBetween = prepared<[number, number]>(
      db,
      'SELECT key FROM deletions WHERE key BETWEEN ? AND ?',
    ).pluck();
    this.#dimensions = prepared<[]>(
      db,
      "SELECT dimensions FROM spaces WHERE space = (SELECT value FROM settings WHERE name = 'space')",
    ).pluck();
    this.#lastKey = prepared<[]>(db, "SELECT seq FROM sqlite_sequence WHERE name = 'documents'").pluck();
    this.#lastDeletion = prepared<[]>(db, "SELECT seq FROM sqlite_sequence WHERE name = 'deletions'").pluck();
  }

  /** The highest key ever given. */
  lastKey(): number {
    return (this.#lastKey.get() as number | undefined) ?? 0;
  }

  /** The highest sequence ever given in the log of deletions. */
  lastDeletion(): number {
    return (this.#lastDeletion.get() as number | undefined) ?? 0;
  }

  /** Deletes the documents with these ids; returns how many there were. */
  deleteByIds(ids: readonly DocumentId[]): number {
    return this.#deleting(() =>
      ids.flatMap((id) => {
        const known = this.#writes.identity(id);
        return known === undefined ? [] : [known.key];
      }),
    );
  }

  /** Deletes the documents that match; returns how many there were. */
  deleteWhere(filter: SqlFilter): number {
    return this.#deleting(() => this.#matching(filter));
  }

  #deleting(choose: () => number[]): number {
    const deleted = this.#immediately(() => {
      // The same id may be named twice.
      const keys = new Set(choose());
      for (const key of keys) {
        checkWanted();
        this.#writes.remove(key);
      }
      crashPoint('delete.writing');
      return keys.size;
    });
    crashPoint('delete.committed');
    return deleted;
  }

  byIds(ids: readonly DocumentId[]): (StoredDocument | undefined)[] {
    return ids.map((id) => this.#byId.get(id) as StoredDocument | undefined);
  }

  /** The ids of the documents with these keys; those that are gone are left out. */
  idsOf(keys: readonly number[]): DocumentId[] {
    return this.byKeys(keys).flatMap((document) => document?.id ?? []);
  }

  /** The documents with these keys as they are at one moment; undefined for those that are gone, or do not match. */
  byKeys(keys: readonly number[], filter?: SqlFilter): (StoredDocument | undefined)[] {
    const matches = this.#matcher(filter);
    return this.#db.transaction(() => keys.map((key) => (matches(key) ? this.byKey(key) : undefined)))();
  }

  /** Of each document with one of these keys, whether it matches. */
  whichMatch(keys: readonly number[], filter: SqlFilter): boolean[] {
    return this.#db.transaction(() => keys.map(this.#matcher(filter)))();
  }

  /** Whether all documents with these keys exist. */
  haveAll(keys: readonly number[]): boolean {
    return this.#db.transaction(() => keys.every((key) => this.#exists.get(key) !== undefined))();
  }

  #matcher(filter: SqlFilter | undefined): (key: number) => boolean {
    if (filter === undefined) return () => true;
    const match = this.#db.prepare(`SELECT 1 FROM documents d WHERE d.key = ? AND (${filter.sql})`);
    return (key) => {
      checkWanted();
      return match.get(key, ...filter.parameters) !== undefined;
    };
  }

  /** Key and vector of the document with this id. @throws CORRUPT when the stored vector cannot be compared. */
  vectorOf(id: DocumentId): { key: number; vector: Float32Array } | undefined {
    const row = this.#vectorById.get(id) as { key: number; data: Buffer } | undefined;
    if (row === undefined) return undefined;
    if (!isComparable(row.data, this.#dimensions.get() as number)) throw unsoundVectors([id]).error;
    return { key: row.key, vector: vectorOf(row.data) };
  }

  /** Vectors of these documents, one after the other; zeros where there is none that can be compared. */
  vectorsByKeys(keys: readonly number[], dimensions: number): Float32Array {
    const vectors = new Float32Array(keys.length * dimensions);
    const view = new Uint8Array(vectors.buffer);
    keys.forEach((key, position) => {
      const data = this.#vectorByKey.get(key) as Buffer | undefined;
      if (data !== undefined && isComparable(data, dimensions)) view.set(data, position * dimensions * 4);
    });
    return vectors;
  }

  /** Whether it has none: known at once, while counting reads all keys. */
  isEmpty(): boolean {
    return this.#db.prepare('SELECT 1 FROM documents LIMIT 1').get() === undefined;
  }

  count(filter?: SqlFilter): number {
    const condition = filter === undefined ? '' : ` WHERE ${whileWantedSql(filter.sql)}`;
    return this.#db
      .prepare(`SELECT count(*) FROM documents d${condition}`)
      .pluck()
      .get(...(filter?.parameters ?? [])) as number;
  }

  /** Keys of the documents that match, ascending. */
  keys(filter: SqlFilter): Float64Array {
    return Float64Array.from(this.#matching(filter));
  }

  /** As one text: 200,000 rows of one number each take twice as long. */
  #matching(filter: SqlFilter): number[] {
    const matching = `SELECT d.key FROM documents d WHERE ${whileWantedSql(filter.sql)} ORDER BY d.key`;
    const keys = this.#db.prepare(`SELECT json_group_array(key) FROM (${matching})`).pluck();
    return JSON.parse(keys.get(...filter.parameters) as string) as number[];
  }

  /**
   * Vectors of at most `limit` documents with afterKey < key <= lastKey, in the order of their keys; fewer only where
   * no more follow. What cannot be compared is left out.
   */
  vectorsAfter(afterKey: number, lastKey: number, limit: number): ReadVectors {
    const dimensions = (this.#dimensions.get() as number | undefined) ?? 0;
    const sound: { key: number; data: Buffer }[] = [];
    const unsound: number[] = [];
    let after = afterKey;
    for (let wanted = limit; wanted > 0; wanted = limit - sound.length) {
      const rows = this.#vectorsAfter.all(after, lastKey, wanted) as { key: number; data: Buffer }[];
      for (const row of rows) {
        if (isComparable(row.data, dimensions)) sound.push(row);
        else unsound.push(row.key);
      }
      if (rows.length < wanted) break;
      after = (rows[rows.length - 1] as { key: number }).key;
    }
    const vectors = new Float32Array(sound.length * dimensions);
    const view = new Uint8Array(vectors.buffer);
    sound.forEach(({ data }, position) => {
      view.set(data, position * dimensions * 4);
    });
    return { keys: Float64Array.from(sound, ({ key }) => key), vectors, unsound };
  }

  /** Number of entries of the log of deletions, at most `most`. */
  countDeletions(most: number): number {
    const some = 'SELECT count(*) FROM (SELECT 1 FROM deletions LIMIT ?)';
    return this.#db.prepare<[number]>(some).pluck().get(most) as number;
  }

  /** Keys between these two (inclusive) that are in the log of deletions. */
  deletionsBetween(firstKey: number, lastKey: number): Float64Array {
    return Float64Array.from(this.#deletionsBetween.all(firstKey, lastKey) as number[]);
  }

  /** Texts of at most `limit` documents after this key whose vector was made from the text. */
  textsAfter(afterKey: number, limit: number): { key: number; text: string }[] {
    return this.#db
      .prepare(
        `SELECT d.key, t.text FROM documents d JOIN texts t ON t.key = d.key JOIN vectors v ON v.vector = d.vector
         WHERE d.key > ? AND v.role = 0 ORDER BY d.key LIMIT ?`,
      )
      .all(afterKey, limit) as { key: number; text: string }[];
  }

  /** Replaces the vectors of documents in a space by others (packed), in one transaction. */
  replaceVectors(space: number, keys: readonly number[], vectors: Float32Array): void {
    const replace = this.#db.prepare(
      'UPDATE vectors SET data = ? WHERE vector = (SELECT vector FROM documents WHERE key = ?) AND space = ?',
    );
    const bytes = vectors.byteLength / keys.length;
    this.#immediately(() => {
      keys.forEach((key, position) => {
        replace.run(Buffer.from(vectors.buffer, vectors.byteOffset + position * bytes, bytes), key, space);
      });
      this.#tailImages.retire();
      crashPoint('rebuild.vectors-replacing');
    });
    crashPoint('rebuild.vectors-replaced');
  }

  /**
   * At most `limit` documents after this key with all that belongs to them.
   *
   * @throws CORRUPT when a vector among them cannot be compared.
   */
  exportAfter(afterKey: number, limit: number): ExportedRows {
    const rows = this.#db
      .prepare(
        `SELECT d.key, d.id, t.text, d.metadata, v.role = 2 AS given, v.data FROM documents d
         JOIN texts t ON t.key = d.key JOIN vectors v ON v.vector = d.vector WHERE d.key > ? ORDER BY d.key LIMIT ?`,
      )
      .all(afterKey, limit) as (StoredDocument & { given: number; data: Buffer })[];
    const dimensions = (this.#dimensions.get() as number | undefined) ?? 0;
    const unsound = rows.filter(({ data }) => !isComparable(data, dimensions));
    if (unsound.length > 0) throw unsoundVectors(unsound.map(({ id }) => id)).error;
    return {
      documents: rows.map(({ key, id, text, metadata, given }) => ({ key, id, text, metadata, given: given === 1 })),
      vectors: packVectors(rows.map(({ data }) => vectorOf(data))),
    };
  }

  /**
   * At most `limit` documents after this key with the hashes of what belongs to them; null stands for what is missing.
   */
  contentsAfter(afterKey: number, limit: number): StoredContent[] {
    const rows = this.#db
      .prepare(
        `SELECT d.key, d.id, d.hash, d.metadata, t.text, v.role, v.data FROM documents d
         LEFT JOIN texts t ON t.key = d.key LEFT JOIN vectors v ON v.vector = d.vector
         WHERE d.key > ? ORDER BY d.key LIMIT ?`,
      )
      .all(afterKey, limit) as (Omit<StoredContent, 'hash'> & { hash: Buffer })[];
    return rows.map((row) => ({ ...row, hash: row.hash.toString('base64url') }));
  }

  /** Keys that were deleted after this position of the log, in its order. */
  deletionsAfter(sequence: number): Float64Array {
    return Float64Array.from(this.#deletionsAfter.all(sequence) as number[]);
  }

  #immediately<T>(work: () => T): T {
    return this.#db.transaction(work).immediate();
  }
}
