import type { Database } from 'better-sqlite3';
import { selectPackedTerms } from '../../analysis/packed-terms.js';
import { TermPacker } from '../../analysis/term-packer.js';
import { analysisFromSetting, hasLanguages, languageOfDocument, namedLanguage } from '../../analysis/text-analysis.js';
import type { DocumentTerms } from '../../backend/documents.js';
import { checkWanted } from '../sqlite/cancelling.js';
import { prepared, type Statement } from '../sqlite/statement.js';
import type { SettingsTable } from './settings-table.js';

/** The packed terms of documents with firstKey <= key <= lastKey (see `PackedTerms`); keys are relative to `firstKey`. */
export interface TermsBatch {
  readonly firstKey: number;
  readonly lastKey: number;
  readonly data: Uint8Array;
}

interface Row {
  readonly first_key: number;
  readonly last_key: number;
  readonly data: Buffer;
}

/** The text of a document. */
export interface KeyedText {
  readonly key: number;
  readonly text: string;
  /** JSON, or null for none. */
  readonly metadata: string | null;
}

/** The text of a document that was inserted, as UTF-8. */
export interface InsertedText {
  readonly key: number;
  readonly text: Uint8Array;
  /** JSON, or null for none. */
  readonly metadata: string | null;
}

/** Packed terms of some texts, and the languages of these. */
interface AnalyzedTexts {
  readonly data: Uint8Array;
  readonly languages: readonly string[];
}

/**
 * The terms of documents that no segment has yet: a row for each committed batch, written by the transaction that commits the
 * documents. Derived: what is missing or damaged is analyzed again.
 */
export class TermsTable {
  readonly #insert: Statement<[number, number, Uint8Array]>;
  readonly #between: Statement<[{ after: number; last: number }]>;
  readonly #keys: Statement<[number, number]>;
  readonly #keysAfter: Statement<[number, number]>;
  readonly #covered: Statement<[number, number]>;
  readonly #text: Statement<[number]>;
  readonly #forget: Statement<[number, number]>;
  readonly #purge: Statement<[]>;
  readonly #replaced: Statement<[number, number]>;
  readonly #sealedThrough: Statement<[]>;
  readonly #db: Database;
  readonly #settings: SettingsTable;
  #packer: TermPacker | undefined;

  constructor(db: Database, settings: SettingsTable) {
    this.#db = db;
    this.#settings = settings;
    this.#insert = prepared(db, 'INSERT OR REPLACE INTO tail_terms VALUES (?, ?, ?)');
    // Rows do not overlap, so at most one of them begins at or before `after` and ends behind it.
    this.#between = prepared(
      db,
      `SELECT first_key, last_key, data FROM tail_terms
       WHERE first_key >= coalesce((SELECT max(first_key) FROM tail_terms WHERE first_key <= @after), 0)
       AND first_key <= @last AND last_key > @after ORDER BY first_key`,
    );
    this.#keys = prepared<[number, number]>(
      db,
      'SELECT key FROM documents WHERE key BETWEEN ? AND ? ORDER BY key',
    ).pluck();
    this.#keysAfter = prepared<[number, number]>(
      db,
      'SELECT key FROM documents WHERE key > ? ORDER BY key LIMIT ?',
    ).pluck();
    // The last row that begins at or before the key.
    this.#covered = prepared(
      db,
      `SELECT 1 FROM (SELECT last_key FROM tail_terms WHERE first_key <= ? ORDER BY first_key DESC LIMIT 1) WHERE last_key >= ?`,
    );
    this.#text = prepared(
      db,
      'SELECT t.text, d.metadata FROM texts t LEFT JOIN documents d ON d.key = t.key WHERE t.key = ?',
    );
    this.#forget = prepared(db, 'DELETE FROM tail_terms WHERE last_key BETWEEN ? AND ?');
    this.#replaced = prepared(db, 'DELETE FROM tail_terms WHERE last_key >= ? AND first_key <= ?');
    this.#sealedThrough = prepared<[]>(db, 'SELECT max(last_key) FROM segments').pluck();
    this.#purge = prepared(
      db,
      `DELETE FROM tail_terms WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.key BETWEEN first_key AND last_key)`,
    );
  }

  /**
   * Stores the terms of the documents that a commit inserted, ascending by key. `packed` has the terms of as many documents as
   * `isInserted` has places, of which those that are true were inserted; undefined to analyze the texts here. Part of the caller's
   * transaction. Returns what was stored.
   */
  insert(
    inserted: readonly InsertedText[],
    terms: DocumentTerms | undefined,
    isInserted: readonly boolean[],
  ): TermsBatch | undefined {
    const [first, last] = [inserted[0], inserted.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    const usable = terms?.analysis === this.#settings.analysis() ? terms : undefined;
    const { data, languages } = this.#packedOf(inserted, usable, isInserted);
    this.#settings.addLanguages(languages);
    this.#insert.run(first.key, last.key, data);
    return { firstKey: first.key, lastKey: last.key, data };
  }

  #packedOf(
    inserted: readonly InsertedText[],
    terms: DocumentTerms | undefined,
    isInserted: readonly boolean[],
  ): AnalyzedTexts {
    const isDense = (inserted.at(-1)?.key ?? 0) - (inserted[0]?.key ?? 0) === inserted.length - 1;
    if (terms === undefined || !isDense) {
      return this.#pack(inserted.map(({ key, text, metadata }) => ({ key, text: decode(text), metadata })));
    }
    const { packed, languages } = terms;
    const data = isInserted.includes(false) ? selectPackedTerms(packed, (place) => isInserted[place] === true) : packed;
    return { data, languages };
  }

  /** The rows with keys in (afterKey, lastKey], ascending. */
  between(afterKey: number, lastKey: number): TermsBatch[] {
    return (this.#between.all({ after: afterKey, last: lastKey }) as Row[]).map(({ first_key, last_key, data }) => ({
      firstKey: first_key,
      lastKey: last_key,
      // Copied: it can be handed to another thread.
      data: new Uint8Array(data),
    }));
  }

  /** The row of a document; undefined when none covers it. */
  covering(key: number): TermsBatch | undefined {
    return this.between(key - 1, key)[0];
  }

  /** Texts of at most `limit` documents after this key. */
  textsAfter(afterKey: number, limit: number): KeyedText[] {
    return this.#db
      .prepare(
        `SELECT d.key, t.text, d.metadata FROM documents d JOIN texts t ON t.key = d.key WHERE d.key > ? ORDER BY d.key LIMIT ?`,
      )
      .all(afterKey, limit) as KeyedText[];
  }

  /** Analyzes the texts of documents again, in the order of their keys; one without a text has no terms. */
  analyze(keys: readonly number[] | Float64Array): TermsBatch {
    const texts = Array.from(keys, (key): KeyedText => {
      const row = this.#text.get(key) as Omit<KeyedText, 'key'> | undefined;
      return { key, text: row?.text ?? '', metadata: row?.metadata ?? null };
    });
    return { firstKey: keys[0] ?? 0, lastKey: keys.at(-1) ?? 0, data: this.#pack(texts).data };
  }

  /** Analyzes the texts of the tail with firstKey <= key <= lastKey, and stores their terms in place of the rows there. */
  restore(firstKey: number, lastKey: number): void {
    this.#db
      .transaction(() => {
        // They may have got a segment meanwhile.
        if (firstKey <= ((this.#sealedThrough.get() as number | null) ?? 0)) return;
        const keys = this.#keys.all(firstKey, lastKey) as number[];
        this.#replaced.run(firstKey, lastKey);
        if (keys.length > 0) this.#insert.run(keys[0] as number, keys.at(-1) as number, this.analyze(keys).data);
      })
      .immediate();
  }

  /**
   * Stores the terms of those of at most `limit` documents after this key that no row covers: before the segments are left behind.
   * Returns the last key that was looked at, undefined behind the last document.
   */
  complete(afterKey: number, limit: number): number | undefined {
    return this.#db
      .transaction(() => {
        const keys = this.#keysAfter.all(afterKey, limit) as number[];
        // A row covers a range: between documents that have one, others get one of their own.
        let run: number[] = [];
        const store = (): void => {
          const [first, last] = [run[0], run.at(-1)];
          if (first !== undefined && last !== undefined) this.#insert.run(first, last, this.analyze(run).data);
          run = [];
        };
        for (const key of keys) {
          if (this.#covered.get(key, key) === undefined) run.push(key);
          else store();
        }
        store();
        return keys.at(-1);
      })
      .immediate();
  }

  /** Forgets the rows of documents that have a segment now. Part of the caller's transaction. */
  forget(firstKey: number, lastKey: number): void {
    this.#forget.run(firstKey, lastKey);
  }

  /** Removes the rows whose documents are all gone. */
  purge(): void {
    this.#purge.run();
  }

  /** Whether two metadata (JSON) of a document name different languages. */
  isOtherLanguage(before: string | null, after: string | null): boolean {
    const analysis = analysisFromSetting(this.#settings.analysis());
    return namedLanguage(analysis, before) !== namedLanguage(analysis, after);
  }

  /** Languages of at most `limit` documents after this key by an analysis, and the last key looked at; undefined behind the last. */
  languagesAfter(setting: string, afterKey: number, limit: number): { languages: string[]; last: number } | undefined {
    const analysis = analysisFromSetting(setting);
    const texts = this.textsAfter(afterKey, limit);
    const last = texts.at(-1)?.key;
    if (last === undefined) return undefined;
    const found = texts.map(({ text, metadata }) => languageOfDocument(analysis, () => text, metadata));
    return { languages: [...new Set(found)], last };
  }

  /** Forgets all rows: the texts are analyzed again. Part of the caller's transaction. */
  forgetAll(): void {
    this.#db.prepare('DELETE FROM tail_terms').run();
  }

  #pack(texts: readonly KeyedText[]): AnalyzedTexts {
    const analysis = analysisFromSetting(this.#settings.analysis());
    const languages = new Set<string>();
    // Kept: it caches the stems of words.
    this.#packer ??= new TermPacker();
    try {
      for (const { key, text, metadata } of texts) {
        checkWanted();
        const language = languageOfDocument(analysis, () => text, metadata);
        languages.add(language);
        this.#packer.add(key, text, language, analysis.layout?.weights);
      }
    } catch (error) {
      this.#packer = undefined;
      throw error;
    }
    const data = this.#packer.take();
    return { data, languages: hasLanguages(analysis) ? [...languages] : [] };
  }
}

function decode(text: Uint8Array): string {
  return Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8');
}
