import type { Database } from 'better-sqlite3';
import { duplicateName, duplicatePrefix, noteName, notePrefix } from '../../backend/note-names.js';
import type { DismissedDuplicate, SourceNote, StoredChunk } from '../../backend/notes.js';
import { parseStored } from '../../backend/stored-json.js';
import type { DocumentId } from '../../types.js';
import { prepared, type Statement } from '../sqlite/statement.js';

const isChunk =
  "typeof(d.id) = 'text' AND json_type(d.metadata, '$.chunk') = 'object' AND json_type(d.metadata, '$.source') = 'text'";
const ofCollection = "json_extract(d.metadata, '$.collection') IS ?";

/**
 * State that `sync` and de-duplication keep between runs: which sources are unchanged, and which documents are not added again.
 * Rows of the settings table, which every format has.
 *
 * A note of a source holds number and sum of the keys of the documents whose ids begin with it. Keys only grow, so any chunk
 * that was added, replaced or deleted changes one of the two; whatever changes metadata alone removes the note.
 */
export class ChunkNotes {
  readonly #db: Database;
  readonly #range: Statement<[string, string]>;
  readonly #set: Statement<[string, string]>;
  readonly #delete: Statement<[string]>;
  readonly #held: Statement<[string, string]>;
  readonly #exists: Statement<[string]>;

  constructor(db: Database) {
    this.#db = db;
    this.#range = prepared(db, 'SELECT name, value FROM settings WHERE name >= ? AND name < ?');
    this.#set = prepared(
      db,
      'INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    );
    this.#delete = prepared(db, 'DELETE FROM settings WHERE name = ?');
    this.#held = prepared(
      db,
      'SELECT count(*) AS count, coalesce(sum(key), 0) AS keys FROM documents WHERE id >= ? AND id < ?',
    );
    this.#exists = prepared<[string]>(db, 'SELECT 1 FROM documents WHERE id = ?').pluck();
  }

  /** The notes of a collection that are still valid. */
  notes(collection: string | null): SourceNote[] {
    const prefix = `${notePrefix}[${JSON.stringify(collection)},`;
    return this.#db.transaction(() =>
      this.#rows(prefix).flatMap(({ name, value }): SourceNote[] => {
        const { hash, count, keys } = parseStored(value, 'The note of a source') as {
          hash: string;
          count: number;
          keys: number;
        };
        const [, source] = parseStored(name.slice(notePrefix.length), 'The name of a source') as [
          string | null,
          string,
        ];
        const held = this.#heldOf(source);
        return held.count === count && held.keys === keys ? [{ source, hash, chunks: count }] : [];
      }),
    )();
  }

  /** Notes sources whose chunks are exactly these. A source that another writer changed meanwhile is left out. */
  note(collection: string | null, sources: readonly { source: string; hash: string; ids: readonly string[] }[]): void {
    this.#immediately(() => {
      for (const { source, hash, ids } of sources) {
        const { count, keys } = this.#heldOf(source);
        const exact = count === ids.length && ids.every((id) => this.#exists.get(id) !== undefined);
        if (exact) this.#set.run(noteName(collection, source), JSON.stringify({ hash, count, keys }));
        else this.#delete.run(noteName(collection, source));
      }
    });
  }

  /** The chunks of a source whose ids begin with it. */
  chunks(collection: string | null, source: string): StoredChunk[] {
    return this.#db
      .prepare(
        `SELECT d.id, d.metadata FROM documents d WHERE d.id >= ? AND d.id < ? AND ${isChunk} AND ${ofCollection}
         AND json_extract(d.metadata, '$.source') = ?`,
      )
      .all(`${source}#`, `${source}$`, collection, source) as StoredChunk[];
  }

  /** Chunks whose ids do not begin with their source: another program named them. */
  strays(collection: string | null): StoredChunk[] {
    return this.#db
      .prepare(
        `SELECT d.id, d.metadata FROM documents d WHERE ${isChunk} AND ${ofCollection}
         AND substr(d.id, 1, length(json_extract(d.metadata, '$.source')) + 1) <> json_extract(d.metadata, '$.source') || '#'`,
      )
      .all(collection) as StoredChunk[];
  }

  /** Ids of all sources that have chunks. */
  sources(collection: string | null): string[] {
    return this.#db
      .prepare(
        `SELECT DISTINCT json_extract(d.metadata, '$.source') FROM documents d WHERE ${isChunk} AND ${ofCollection} ORDER BY 1`,
      )
      .pluck()
      .all(collection) as string[];
  }

  /** Ids of all chunks. */
  chunkIds(collection: string | null): string[] {
    const sql = `SELECT d.id FROM documents d WHERE ${isChunk} AND ${ofCollection}`;
    return this.#db.prepare(sql).pluck().all(collection) as string[];
  }

  /** All documents that are not added again. */
  dismissed(): DismissedDuplicate[] {
    return this.#rows(duplicatePrefix).map(
      ({ value }) => parseStored(value, 'A dismissed duplicate') as DismissedDuplicate,
    );
  }

  dismiss(duplicates: readonly DismissedDuplicate[]): void {
    this.#immediately(() => {
      for (const duplicate of duplicates) this.#set.run(duplicateName(duplicate.id), JSON.stringify(duplicate));
    });
  }

  /** Allows these documents to be added again. */
  restore(ids: readonly DocumentId[]): void {
    this.#immediately(() => {
      for (const id of ids) this.#delete.run(duplicateName(id));
    });
  }

  #heldOf(source: string): { count: number; keys: number } {
    return this.#held.get(`${source}#`, `${source}$`) as { count: number; keys: number };
  }

  #rows(prefix: string): { name: string; value: string }[] {
    return this.#range.all(prefix, `${prefix}\u{10ffff}`) as { name: string; value: string }[];
  }

  #immediately(work: () => void): void {
    this.#db.transaction(work).immediate();
  }
}
