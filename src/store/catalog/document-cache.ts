import type { Database } from 'better-sqlite3';
import type { StoredDocument } from '../../backend/documents.js';
import type { DocumentId } from '../../types.js';
import { prepared } from '../sqlite/statement.js';

/** What a `StoredDocument` is read by. */
export const selectDocument = 'SELECT d.key, d.id, t.text, d.metadata FROM documents d JOIN texts t ON t.key = d.key';

/** Bytes of text and metadata of a row. Lengths are in its header: the text itself is not read for them. */
export const rowBytes = 'octet_length(t.text) + coalesce(octet_length(d.metadata), 0)';

/** Looks up a document by its key; undefined if it is gone, or does not pass. */
export type DocumentByKey = (key: number) => StoredDocument | undefined;

/** Looks documents up. Arrays take less time than objects whose members are named by SQLite. */
export function documentByKey(db: Database, condition = 'true'): DocumentByKey {
  const statement = prepared<[number]>(db, `${selectDocument} WHERE d.key = ? AND ${condition}`).raw();
  return (key) => {
    const row = statement.get(key) as [number, DocumentId, string, string | null] | undefined;
    return row && { key: row[0], id: row[1], text: row[2], metadata: row[3] };
  };
}

/** Bytes of a document that is read without asking first how many it has. */
export const maxShortBytes = 2 ** 16;

/** Characters of texts and metadata in each of the two generations. */
const maxCharacters = 2 ** 23;

/**
 * Documents that were read lately, for as long as nothing is committed. Bounded: of two generations, the older one is dropped when
 * the younger one is full.
 */
export class DocumentCache {
  readonly #read: DocumentByKey;
  readonly #readShort: DocumentByKey;
  #young = new Map<number, StoredDocument>();
  #old = new Map<number, StoredDocument>();
  #characters = 0;

  /** @param readShort reads documents of at most `maxShortBytes`. */
  constructor(read: DocumentByKey, readShort: DocumentByKey) {
    this.#read = read;
    this.#readShort = readShort;
  }

  /** The documents with these keys; undefined for those that are gone. To be called in the read transaction. */
  byKeys(keys: readonly number[]): (StoredDocument | undefined)[] {
    return keys.map((key) => this.#young.get(key) ?? this.#remember(this.#old.get(key) ?? this.#read(key)));
  }

  /** The documents with these keys that are in memory or short: to be asked for those that are about to be read. */
  short(keys: readonly number[]): (StoredDocument | undefined)[] {
    return keys.map((key) => this.#young.get(key) ?? this.#remember(this.#old.get(key) ?? this.#readShort(key)));
  }

  #remember(document: StoredDocument | undefined): StoredDocument | undefined {
    if (document === undefined) return undefined;
    const characters = document.text.length + (document.metadata?.length ?? 0);
    if (characters > maxCharacters) return document;
    if (this.#characters + characters > maxCharacters) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#characters = 0;
    }
    this.#young.set(document.key, document);
    this.#characters += characters;
    return document;
  }
}
