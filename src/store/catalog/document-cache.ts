import type { StoredDocument } from '../../backend/documents.js';
import type { DocumentTable } from './document-table.js';

/** Characters of texts and metadata in each of the two generations. */
const maxCharacters = 2 ** 21;

/**
 * Documents that were read lately, for as long as nothing is committed. Bounded: of two generations, the older one is dropped when
 * the younger one is full.
 */
export class DocumentCache {
  readonly #table: DocumentTable;
  #young = new Map<number, StoredDocument>();
  #old = new Map<number, StoredDocument>();
  #characters = 0;

  constructor(table: DocumentTable) {
    this.#table = table;
  }

  /** The documents with these keys; undefined for those that are gone. To be called in the read transaction. */
  byKeys(keys: readonly number[]): (StoredDocument | undefined)[] {
    return keys.map((key) => this.#young.get(key) ?? this.#remember(this.#old.get(key) ?? this.#table.byKey(key)));
  }

  #remember(document: StoredDocument | undefined): StoredDocument | undefined {
    if (document === undefined) return undefined;
    const characters = document.text.length + (document.metadata?.length ?? 0);
    if (this.#characters + characters > maxCharacters) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#characters = 0;
    }
    if (characters <= maxCharacters) this.#young.set(document.key, document);
    this.#characters += characters;
    return document;
  }
}
