import type { Database } from 'better-sqlite3';
import type { DocumentRows, StoredDocument } from '../../backend/documents.js';
import { whileWantedSql } from '../sqlite/cancelling.js';
import { prepared, type Statement } from '../sqlite/statement.js';
import { rowBytes, selectDocument } from './document-cache.js';
import type { SqlFilter } from './document-table.js';

/** Reads documents with a look at how large they are. */
export class DocumentPages {
  readonly #db: Database;
  readonly #bytesByKey: Statement<[number]>;

  constructor(db: Database) {
    this.#db = db;
    this.#bytesByKey = prepared<[number]>(
      db,
      `SELECT ${rowBytes} FROM documents d JOIN texts t ON t.key = d.key WHERE d.key = ?`,
    ).pluck();
  }

  /** Bytes of the texts and metadata of these documents; what is gone counts nothing. */
  bytesByKeys(keys: readonly number[]): number {
    let bytes = 0;
    for (const key of keys) bytes += (this.#bytesByKey.get(key) as number | undefined) ?? 0;
    return bytes;
  }

  /**
   * At most `limit` documents in the order of their keys, of those after `afterKey`; fewer when they have `maxBytes` of text and
   * metadata, but at least one.
   */
  list(
    filter: SqlFilter | undefined,
    limit: number,
    afterKey: number,
    maxBytes = Number.POSITIVE_INFINITY,
  ): DocumentRows {
    const condition = filter === undefined ? '' : ` AND ${whileWantedSql(filter.sql)}`;
    const rows: StoredDocument[] = [];
    let bytes = 0;
    const statement = this.#db.prepare(`${selectDocument} WHERE d.key > ?${condition} ORDER BY d.key LIMIT ?`);
    for (const row of statement.iterate(afterKey, ...(filter?.parameters ?? []), limit + 1)) {
      const document = row as StoredDocument;
      bytes += Buffer.byteLength(document.text) + Buffer.byteLength(document.metadata ?? '');
      if (rows.length === limit || (rows.length > 0 && bytes > maxBytes)) return { rows, hasMore: true };
      rows.push(document);
    }
    return { rows, hasMore: false };
  }
}
