import type { Database } from 'better-sqlite3';
import { noteOf } from '../../backend/note-names.js';
import type { DocumentId } from '../../types.js';
import { prepared, type Statement } from '../sqlite/statement.js';
import type { MetadataTable } from './metadata/metadata-table.js';

/** What identifies the content of a stored document. */
export interface IdentityRow {
  key: number;
  hash: Buffer;
  metadata: string | null;
}

/** Changes of stored documents; parts of the caller's transaction. */
export class DocumentWrites {
  readonly #metadata: MetadataTable;
  readonly #identity: Statement<[DocumentId]>;
  readonly #setMetadata: Statement<[string | null, number]>;
  readonly #delete: Statement<[number]>;
  readonly #deleteText: Statement<[number]>;
  readonly #deleteNote: Statement<[string]>;
  readonly #logDeletion: Statement<[number]>;

  constructor(db: Database, metadata: MetadataTable) {
    this.#metadata = metadata;
    this.#identity = prepared(db, 'SELECT key, hash, metadata FROM documents WHERE id = ?');
    this.#setMetadata = prepared(db, 'UPDATE documents SET metadata = ? WHERE key = ?');
    this.#delete = prepared(db, 'DELETE FROM documents WHERE key = ?');
    this.#deleteText = prepared(db, 'DELETE FROM texts WHERE key = ?');
    this.#deleteNote = prepared(db, 'DELETE FROM settings WHERE name = ?');
    this.#logDeletion = prepared(db, 'INSERT INTO deletions (key) VALUES (?)');
  }

  /** The stored document with this id. */
  identity(id: DocumentId): IdentityRow | undefined {
    return this.#identity.get(id) as IdentityRow | undefined;
  }

  changeMetadata(known: IdentityRow, metadata: string | null): void {
    this.#setMetadata.run(metadata, known.key);
    this.#metadata.log(known.key);
    this.forgetNote(known.metadata);
    this.forgetNote(metadata);
  }

  /** Metadata has no key of its own that would show the change: the note of the source goes. */
  forgetNote(metadata: string | null): void {
    const name = noteOf(metadata);
    if (name !== undefined) this.#deleteNote.run(name);
  }

  /** Deletes a document, and logs that. */
  remove(key: number): void {
    this.#delete.run(key);
    this.#deleteText.run(key);
    this.#logDeletion.run(key);
  }
}
