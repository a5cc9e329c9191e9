import type { Database } from 'better-sqlite3';
import { encodeTexts } from '../../analysis/text-preparer.js';
import {
  type DocumentChange,
  type DocumentOutcome,
  type DocumentTerms,
  type FreshVectors,
  freshVector,
  type IncomingDocument,
} from '../../backend/documents.js';
import { isCounted } from '../../backend/note-names.js';
import { crashPoint } from '../../crash-points.js';
import type { DocumentId } from '../../types.js';
import { inOneTransaction } from '../sqlite/connection.js';
import { prepared, type Statement } from '../sqlite/statement.js';
import type { DocumentWrites } from './document-writes.js';
import type { InsertedText, TermsBatch, TermsTable } from './terms-table.js';
import { hashBytes, type VectorTable } from './vector-table.js';

/** Documents to be committed, in columns: few objects have to be copied between threads. */
export interface DocumentColumns {
  readonly ids: readonly DocumentId[];
  /** Content hashes, base64url. */
  readonly hashes: readonly string[];
  /** JSON, or null for none. */
  readonly metadata: readonly (string | null)[];
  /** UTF-8 of the texts, one after the other, and where each ends. */
  readonly texts: Uint8Array;
  readonly ends: Uint32Array;
  /** Numbers of vectors, see `IncomingDocument`. */
  readonly vectors: Float64Array;
}

/** The columns of some documents. */
export function columnsOf(documents: readonly IncomingDocument[]): DocumentColumns {
  const { bytes, ends } = encodeTexts(documents.map(({ text }) => text));
  return {
    ids: documents.map(({ id }) => id),
    hashes: documents.map(({ hash }) => hash),
    metadata: documents.map(({ metadata }) => metadata),
    texts: bytes,
    ends,
    vectors: Float64Array.from(documents, ({ vector }) => vector),
  };
}

/** What a commit inserted; only for commits with all their vectors and terms. */
export interface InsertedRows {
  readonly firstKey: number;
  readonly lastKey: number;
  /** Packed, in the order of the keys. */
  readonly vectors: Float32Array;
  readonly terms: TermsBatch;
}

/** The effect of a commit. */
export interface DocumentCommit {
  readonly outcomes: readonly DocumentOutcome[];
  /** Keys of documents that were replaced, in the order of the log of deletions. */
  readonly deletedKeys: readonly number[];
  /** Undefined where a reader has to read it from the catalog. */
  readonly inserted: InsertedRows | undefined;
}

/** A document as it is stored. */
interface WholeRow {
  readonly id: DocumentId;
  readonly hash: Buffer;
  readonly vector: number;
  readonly metadata: string | null;
  readonly text: string;
}

/** Compares and commits added documents. */
export class DocumentCommits {
  readonly #db: Database;
  readonly #writes: DocumentWrites;
  readonly #terms: TermsTable;
  readonly #vectors: VectorTable;
  readonly #insert: Statement<[DocumentId, Buffer, number, string | null]>;
  readonly #whole: Statement<[number]>;
  readonly #insertText: Statement<[number | bigint, Uint8Array]>;
  readonly #vectorExists: Statement<[number, Buffer]>;
  readonly #space: Statement<[]>;

  constructor(db: Database, writes: DocumentWrites, terms: TermsTable, vectors: VectorTable) {
    this.#db = db;
    this.#writes = writes;
    this.#terms = terms;
    this.#vectors = vectors;
    this.#insert = prepared(db, 'INSERT INTO documents (id, hash, vector, metadata) VALUES (?, ?, ?, ?)');
    this.#whole = prepared(
      db,
      'SELECT d.id, d.hash, d.vector, d.metadata, t.text FROM documents d JOIN texts t ON t.key = d.key WHERE d.key = ?',
    );
    this.#insertText = prepared(db, 'INSERT INTO texts VALUES (?, CAST(? AS TEXT))');
    this.#vectorExists = prepared(
      db,
      `SELECT 1 FROM vectors WHERE vector = ? AND hash = ?
       AND space = (SELECT value FROM settings WHERE name = 'space')`,
    );
    this.#space = prepared<[]>(db, "SELECT value FROM settings WHERE name = 'space'").pluck();
  }

  /** Compares documents with the stored ones of the same ids. */
  classify(ids: readonly DocumentId[], hashes: readonly string[]): DocumentChange[] {
    const change = (id: DocumentId, place: number): DocumentChange => {
      const known = this.#writes.identity(id);
      if (known === undefined) return 'new';
      return known.hash.equals(hashBytes(hashes[place] as string)) ? 'unchanged' : 'changed';
    };
    // A look-up of its own locks and unlocks the database, which takes longer than the look-up.
    return inOneTransaction(this.#db, () => ids.map(change));
  }

  /**
   * Adds or replaces documents, as part of the caller's transaction. Same text and metadata: unchanged. Same text, other
   * metadata: only the metadata is replaced, unless it names another
   * language. Other text: the document gets a new key, and the old key is deleted.
   *
   * @param terms those of the documents with a vector; without them the texts are analyzed here.
   * @param fresh vectors that are stored in the same transaction.
   * @returns undefined, having changed nothing, when a document was changed, its vector forgotten, or the index moved
   *   to another space meanwhile: the caller has to compare again.
   */
  commit(documents: DocumentColumns, terms?: DocumentTerms, fresh?: FreshVectors): DocumentCommit | undefined {
    const rows = new Map(fresh?.hashes.map((hash, row) => [hash, row]));
    const identities = documents.ids.map((id) => this.#writes.identity(id));
    const hashes = documents.hashes.map(hashBytes);
    const isSame = identities.map((known, place) => known?.hash.equals(hashes[place] as Buffer) === true);
    const isStale =
      (fresh !== undefined && fresh.space !== this.#space.get()) ||
      isSame.some((same, place) => !same && !this.#hasVector(documents, hashes, rows, place));
    if (isStale) return undefined;
    const numbers =
      fresh === undefined ? [] : this.#vectors.insert(fresh.space, fresh.role, fresh.hashes, fresh.vectors);

    const commit = { outcomes: [] as DocumentOutcome[], deletedKeys: [] as number[] };
    const inserted: InsertedText[] = [];
    const isInserted: boolean[] = [];
    /** Rows of `fresh.vectors`, in the order of the keys; undefined as soon as one is not among them. */
    let order: number[] | undefined = [];
    const added = new Set<DocumentId>();
    const renamed: number[] = [];
    for (const [place, id] of documents.ids.entries()) {
      const metadata = documents.metadata[place] as string | null;
      // An id may occur twice: the row that was inserted first counts.
      const isKnown = identities[place] !== undefined || added.has(id);
      const known = isKnown ? this.#writes.identity(id) : undefined;
      const hash = hashes[place] as Buffer;
      const number = documents.vectors[place] as number;
      if (known?.hash.equals(hash)) {
        if (number !== 0) isInserted.push(false);
        if (known.metadata === metadata) commit.outcomes.push('unchanged');
        else {
          this.#writes.changeMetadata(known, metadata);
          if (this.#terms.isOtherLanguage(known.metadata, metadata)) renamed.push(known.key);
          commit.outcomes.push('updated');
        }
        continue;
      }
      if (known !== undefined) {
        this.#writes.remove(known.key);
        commit.deletedKeys.push(known.key);
      }
      if (!isCounted(id, metadata)) this.#writes.forgetNote(metadata);
      const row = number === freshVector ? rows.get(documents.hashes[place] as string) : undefined;
      const vector = row === undefined ? number : (numbers[row] as number);
      const { lastInsertRowid } = this.#insert.run(id, hash, vector, metadata);
      added.add(id);
      const text = documents.texts.subarray(
        place === 0 ? 0 : (documents.ends[place - 1] as number),
        documents.ends[place] as number,
      );
      this.#insertText.run(lastInsertRowid, text);
      inserted.push({ key: Number(lastInsertRowid), text, metadata });
      isInserted.push(true);
      commit.outcomes.push(known === undefined ? 'added' : 'updated');
      if (row === undefined) order = undefined;
      else order?.push(row);
    }
    const batch = this.#terms.insert(inserted, terms, isInserted);
    this.#insertAgain(renamed);
    crashPoint('add.writing');
    const isWhole = renamed.length === 0;
    return { ...commit, inserted: isWhole ? insertedRows(batch, inserted.length, fresh, order) : undefined };
  }

  /** Replaces metadata (JSON) in one transaction; returns how many of the documents there were. */
  setMetadata(changes: readonly { id: DocumentId; metadata: string | null }[]): number {
    return this.#db
      .transaction(() => {
        const renamed: number[] = [];
        let changed = 0;
        for (const { id, metadata } of changes) {
          const known = this.#writes.identity(id);
          if (known === undefined) continue;
          this.#writes.changeMetadata(known, metadata);
          if (this.#terms.isOtherLanguage(known.metadata, metadata)) renamed.push(known.key);
          changed++;
        }
        this.#insertAgain(renamed);
        return changed;
      })
      .immediate();
  }

  /** Inserts documents again under new keys: their words are those of another language now. */
  #insertAgain(keys: readonly number[]): void {
    const inserted: InsertedText[] = [];
    for (const key of keys) {
      const row = this.#whole.get(key) as WholeRow | undefined;
      if (row === undefined) continue;
      this.#writes.remove(key);
      const { lastInsertRowid } = this.#insert.run(row.id, row.hash, row.vector, row.metadata);
      const text = Buffer.from(row.text);
      this.#insertText.run(lastInsertRowid, text);
      inserted.push({ key: Number(lastInsertRowid), text, metadata: row.metadata });
    }
    this.#terms.insert(inserted, undefined, []);
  }

  /** Whether the vector of a document is in the space of the index, or about to be stored there. */
  #hasVector(
    { vectors, hashes: names }: DocumentColumns,
    hashes: readonly Buffer[],
    rows: ReadonlyMap<string, number>,
    place: number,
  ): boolean {
    const vector = vectors[place] as number;
    if (vector === freshVector) return rows.has(names[place] as string);
    return vector !== 0 && this.#vectorExists.get(vector, hashes[place] as Buffer) !== undefined;
  }
}

function insertedRows(
  terms: TermsBatch | undefined,
  count: number,
  fresh: FreshVectors | undefined,
  order: readonly number[] | undefined,
): InsertedRows | undefined {
  if (terms === undefined || fresh === undefined || order === undefined) return undefined;
  const { firstKey, lastKey } = terms;
  if (lastKey - firstKey !== count - 1) return undefined;
  const dimensions = fresh.vectors.length / fresh.hashes.length;
  if (order.length === fresh.hashes.length && order.every((row, place) => row === place)) {
    return { firstKey, lastKey, vectors: fresh.vectors, terms };
  }
  const vectors = new Float32Array(count * dimensions);
  for (const [place, row] of order.entries()) {
    vectors.set(fresh.vectors.subarray(row * dimensions, (row + 1) * dimensions), place * dimensions);
  }
  return { firstKey, lastKey, vectors, terms };
}
