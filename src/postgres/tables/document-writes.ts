import {
  analysisSettingName,
  analysisToSetting,
  hasLanguages,
  namedLanguage,
  type TextAnalysis,
} from '../../analysis/text-analysis.js';
import type { DocumentOutcome, DocumentTerms, IncomingDocument } from '../../backend/documents.js';
import { isCounted, noteOf } from '../../backend/note-names.js';
import { TimeSlice } from '../../time-slice.js';
import type { DocumentId } from '../../types.js';
import { CopyRows } from '../connection/copy.js';
import type { Database, Row, Statements, WriteTransaction } from '../connection/database.js';
import { idToText, jsonbOf, textArray, textFromBytes, textToBytes } from '../connection/names.js';
import { lockWriter, type SchemaNames } from '../connection/schema.js';
import { type AnalyzedDocuments, analyzeTexts, type TermArrays, unpackDocuments } from './document-terms.js';
import { type IndexState, stateOf, stateSql } from './index-state.js';
import { type SettingsTable, settingNames } from './settings-table.js';
import type { TermLists } from './term-lists.js';

/** Documents that are deleted by one statement. */
const maxDeleted = 5_000;
/** Texts that are analyzed at a time. */
const maxAnalyzed = 512;

/** A document as it is stored, as far as commits compare it. */
interface StoredIdentity {
  readonly key: number;
  readonly hash: string;
  readonly metadata: string | null;
}

/** A document to be inserted. */
interface NewRow {
  readonly id: string;
  readonly hash: string;
  readonly vector: number;
  readonly metadata: string | null;
  readonly text: string;
}

/** Adds, replaces, changes and deletes documents: one writer of an index at a time. */
export class DocumentWrites {
  readonly #database: Database;
  readonly #names: SchemaNames;
  readonly #settings: SettingsTable;
  readonly #lists: TermLists;
  readonly #state: string;

  constructor(database: Database, names: SchemaNames, settings: SettingsTable, lists: TermLists) {
    this.#database = database;
    this.#names = names;
    this.#settings = settings;
    this.#lists = lists;
    this.#state = stateSql(names);
  }

  /** See `Backend.commit`. */
  async commit(
    documents: readonly IncomingDocument[],
    terms?: DocumentTerms,
  ): Promise<readonly DocumentOutcome[] | undefined> {
    // Terms are unpacked while the server compares the documents with those that it has.
    const unpacking = terms && unpackDocuments(terms);
    // Its error is thrown below.
    unpacking?.catch(() => {});
    const outcomes = await this.#database.write(async (statements) => {
      const state = await this.#begin(statements);
      if (state.space === undefined) return undefined;
      const known = await this.#identities(
        statements,
        documents.map(({ id }) => idToText(id)),
      );
      const isSame = documents.map(({ id, hash }) => known.get(idToText(id))?.hash === hash);
      const needed = documents.filter((_, place) => !isSame[place]);
      if (!(await this.#areStored(statements, state.space.space, needed))) return undefined;
      const changes = new Changes();
      for (const document of documents) changes.add(document, known);
      const isCurrent = terms?.analysis === state.analysisSetting;
      await this.#write(statements, changes, state, isCurrent ? await unpacking : undefined);
      return changes.outcomes;
    });
    this.#lists.foldIfDue();
    return outcomes;
  }

  async #begin(statements: Statements): Promise<IndexState> {
    await lockWriter(statements, this.#names);
    const [row] = await statements.query(this.#state);
    return stateOf(row as Row);
  }

  async #identities(statements: Statements, ids: readonly string[]): Promise<Map<string, StoredIdentity>> {
    const rows = await statements.query(
      `SELECT id, key::float8, hash, metadata FROM ${this.#names.table('documents')} WHERE id = ANY($1::text[])`,
      [ids],
    );
    return new Map(rows.map(({ id, key, hash, metadata }) => [id as string, { key, hash, metadata }]));
  }

  /** Whether vectors are in the space under these hashes. */
  async #areStored(
    statements: Statements,
    space: number,
    needed: readonly { hash: string; vector: number }[],
  ): Promise<boolean> {
    if (needed.some(({ vector }) => vector === 0)) return false;
    if (needed.length === 0) return true;
    const rows = await statements.query(
      `SELECT vector::float8, hash FROM ${this.#names.table('vectors')} WHERE vector = ANY($1::bigint[]) AND space = $2`,
      [needed.map(({ vector }) => vector), space],
    );
    const stored = new Map(rows.map(({ vector, hash }) => [vector as number, hash as string]));
    return needed.every(({ vector, hash }) => stored.get(vector) === hash);
  }

  async #write(
    statements: WriteTransaction,
    changes: Changes,
    state: IndexState,
    analyzed: AnalyzedDocuments | undefined,
  ): Promise<void> {
    if (changes.deleted.length > 0) await this.#remove(statements, changes.deleted);
    const { inserted, places } = changes;
    const own = analyzed ?? (await analyzeTexts(inserted, state.analysis));
    // Terms that came along are those of the documents with a vector, in their order.
    const rows = analyzed === undefined ? own.rows : places.map((place) => own.rows[place] as TermArrays);
    await this.#insert(statements, inserted, rows);
    await this.#setMetadata(statements, changes.metadata, state);
    if (inserted.length > 0 && hasLanguages(state.analysis)) await this.#addLanguages(statements, state, own.languages);
    if (changes.notes.size > 0) await this.#settings.remove(statements, [...changes.notes]);
  }

  async #insert(
    statements: WriteTransaction,
    documents: readonly NewRow[],
    terms: readonly TermArrays[],
  ): Promise<void> {
    if (documents.length === 0) return;
    const inserted = await statements.query(
      `INSERT INTO ${this.#names.table('documents')} (id, hash, vector, metadata, fields, text)
       SELECT id, hash, vector, metadata, fields::jsonb, text
       FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bytea[])
         WITH ORDINALITY AS t(id, hash, vector, metadata, fields, text, place) ORDER BY place
       RETURNING id, key::float8`,
      [
        documents.map(({ id }) => id),
        documents.map(({ hash }) => hash),
        documents.map(({ vector }) => vector),
        documents.map(({ metadata }) => metadata),
        documents.map(({ metadata }) => jsonbOf(metadata)),
        documents.map(({ text }) => textToBytes(text)),
      ],
    );
    const keyOf = new Map(inserted.map(({ id, key }) => [id as string, key as number]));
    const keys = documents.map(({ id }) => keyOf.get(id) as number);
    // The lists are encoded while the server stores the terms.
    const [, rows] = await Promise.all([
      this.#insertTerms(statements, keys, terms),
      this.#lists.encode(keys, terms, statements.copy !== undefined),
    ]);
    await this.#lists.append(statements, terms, rows);
  }

  /** Inserts the terms of documents. */
  async #insertTerms(
    statements: WriteTransaction,
    keys: readonly number[],
    terms: readonly TermArrays[],
  ): Promise<void> {
    const target = `${this.#names.table('postings')} (key, length, terms, frequencies)`;
    if (statements.copy === undefined) {
      await statements.query(
        `INSERT INTO ${target}
         SELECT key, length, terms::text[], frequencies::int[] FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[])
           AS t(key, length, terms, frequencies)`,
        [
          keys,
          terms.map(({ length }) => length),
          terms.map(({ terms }) => textArray(terms)),
          terms.map(({ frequencies }) => `{${frequencies.join(',')}}`),
        ],
      );
      return;
    }
    const slice = new TimeSlice();
    const rows = new CopyRows(1_024 * keys.length);
    for (const [place, key] of keys.entries()) {
      const { length, terms: own, frequencies } = terms[place] as TermArrays;
      rows.row(4);
      rows.int8(key);
      rows.int4(length);
      rows.texts(own);
      rows.int4s(frequencies);
      if (slice.due()) await slice.yieldIfDue();
    }
    await statements.copy(target, rows.take());
  }

  async #remove(statements: Statements, keys: readonly number[]): Promise<void> {
    await this.#lists.remove(statements, keys);
    await statements.query(`DELETE FROM ${this.#names.table('documents')} WHERE key = ANY($1::bigint[])`, [keys]);
  }

  async #addLanguages(statements: Statements, state: IndexState, languages: readonly string[]): Promise<void> {
    const added = languages.filter((code) => !state.foundLanguages.includes(code));
    if (added.length === 0) return;
    await this.#settings.write(statements, settingNames.languages, [...state.foundLanguages, ...added].sort());
  }

  /** Replaces metadata; a document that is in another language by it is analyzed again. */
  async #setMetadata(
    statements: WriteTransaction,
    changes: readonly MetadataChange[],
    state: IndexState,
  ): Promise<void> {
    if (changes.length === 0) return;
    await statements.query(
      `UPDATE ${this.#names.table('documents')} d SET metadata = t.metadata, fields = t.fields::jsonb
       FROM unnest($1::bigint[], $2::text[], $3::text[]) AS t(key, metadata, fields) WHERE d.key = t.key`,
      [changes.map(({ key }) => key), changes.map(({ after }) => after), changes.map(({ after }) => jsonbOf(after))],
    );
    const { analysis } = state;
    const renamed = changes.filter(
      ({ before, after }) => namedLanguage(analysis, before) !== namedLanguage(analysis, after),
    );
    if (renamed.length > 0)
      await this.#insertAgain(
        statements,
        renamed.map(({ key }) => key),
        state,
      );
  }

  /** Replaces documents by themselves under new keys, so that their terms are those of their language. */
  async #insertAgain(statements: WriteTransaction, keys: readonly number[], state: IndexState): Promise<void> {
    const rows = await statements.query(
      `SELECT id, hash, vector::float8, metadata, text FROM ${this.#names.table('documents')} WHERE key = ANY($1::bigint[]) ORDER BY key`,
      [keys],
    );
    await this.#remove(statements, keys);
    const documents = rows.map((row) => ({ ...row, text: textFromBytes(row.text) })) as unknown as NewRow[];
    const { rows: terms, languages } = await analyzeTexts(documents, state.analysis);
    await this.#insert(statements, documents, terms);
    await this.#addLanguages(statements, state, languages);
  }

  /** See `Backend.setMetadata`. */
  async setMetadata(changes: readonly { id: DocumentId; metadata: string | null }[]): Promise<number> {
    return this.#database.write(async (statements) => {
      const state = await this.#begin(statements);
      // The last of several changes of one document counts.
      const last = new Map(changes.map(({ id, metadata }) => [idToText(id), metadata]));
      const known = await this.#identities(statements, [...last.keys()]);
      const found: MetadataChange[] = [];
      const notes = new Set<string>();
      for (const [id, after] of last) {
        const stored = known.get(id);
        if (stored === undefined) continue;
        found.push({ key: stored.key, before: stored.metadata, after });
        noteNames(notes, stored.metadata, after);
      }
      await this.#setMetadata(statements, found, state);
      if (notes.size > 0) await this.#settings.remove(statements, [...notes]);
      return found.length;
    });
  }

  /** Has the texts of all documents analyzed in another way, in one transaction. */
  async changeAnalysis(analysis: TextAnalysis): Promise<void> {
    const languages = new Set<string>();
    await this.#database.write(async (statements) => {
      await lockWriter(statements, this.#names);
      await this.#settings.write(statements, analysisSettingName, analysisToSetting(analysis));
      for (let after = 0; ; ) {
        const rows = await statements.query(
          `SELECT key::float8, metadata, text FROM ${this.#names.table('documents')} WHERE key > $1 ORDER BY key LIMIT ${maxAnalyzed}`,
          [after],
        );
        if (rows.length === 0) break;
        after = rows.at(-1)?.key as number;
        const texts = rows.map(({ metadata, text }) => ({ metadata, text: textFromBytes(text) }));
        const analyzed = await analyzeTexts(texts, analysis);
        for (const code of analyzed.languages) languages.add(code);
        const keys = rows.map(({ key }) => key as number);
        await statements.query(`DELETE FROM ${this.#names.table('postings')} WHERE key = ANY($1::bigint[])`, [keys]);
        await this.#insertTerms(statements, keys, analyzed.rows);
      }
      await this.#lists.rewrite(statements);
      const found = hasLanguages(analysis) ? [...languages].sort() : [];
      await this.#settings.write(statements, settingNames.languages, found);
    });
  }

  deleteByIds(ids: readonly DocumentId[], signal: AbortSignal | undefined): Promise<number> {
    const text = `SELECT key::float8 FROM ${this.#names.table('documents')} WHERE id = ANY($1::text[])`;
    return this.#deleteFound(text, [ids.map(idToText)], signal);
  }

  /** @param condition over the row `d`, with its parameters. */
  deleteWhere(condition: string, parameters: readonly unknown[], signal: AbortSignal | undefined): Promise<number> {
    const text = `SELECT key::float8 FROM ${this.#names.table('documents')} d WHERE ${condition}`;
    return this.#deleteFound(text, parameters, signal);
  }

  async #deleteFound(text: string, parameters: readonly unknown[], signal: AbortSignal | undefined): Promise<number> {
    const deleted = await this.#database.write(async (statements) => {
      await lockWriter(statements, this.#names);
      const keys = (await statements.query(text, parameters)).map(({ key }) => key as number);
      for (let first = 0; first < keys.length; first += maxDeleted) {
        signal?.throwIfAborted();
        await this.#remove(statements, keys.slice(first, first + maxDeleted));
      }
      return keys.length;
    }, signal);
    this.#lists.foldIfDue();
    return deleted;
  }
}

interface MetadataChange {
  readonly key: number;
  readonly before: string | null;
  readonly after: string | null;
}

function noteNames(notes: Set<string>, ...metadata: (string | null)[]): void {
  for (const one of metadata) {
    const name = noteOf(one);
    if (name !== undefined) notes.add(name);
  }
}

/** What a commit does, decided document by document. */
class Changes {
  readonly outcomes: DocumentOutcome[] = [];
  readonly deleted: number[] = [];
  readonly metadata: MetadataChange[] = [];
  readonly notes = new Set<string>();
  #inserted = new Map<string, { row: NewRow; place: number }>();
  /** Documents with a vector so far: the places of their terms. */
  #withVector = 0;

  get inserted(): readonly NewRow[] {
    return [...this.#inserted.values()].map(({ row }) => row);
  }

  /** For each document that is inserted, its place among those with a vector. */
  get places(): readonly number[] {
    return [...this.#inserted.values()].map(({ place }) => place);
  }

  add(document: IncomingDocument, known: ReadonlyMap<string, StoredIdentity>): void {
    const id = idToText(document.id);
    const { hash, vector, metadata, text } = document;
    const place = this.#withVector;
    if (vector !== 0) this.#withVector++;
    // An id may occur twice in a call: the later one replaces what the earlier one has inserted.
    const earlier = this.#inserted.get(id);
    const stored = known.get(id);
    if (earlier === undefined && stored?.hash === hash) {
      const pending = this.metadata.findIndex(({ key }) => key === stored.key);
      const before = pending < 0 ? stored.metadata : (this.metadata[pending] as MetadataChange).after;
      if (before === metadata) {
        this.outcomes.push('unchanged');
        return;
      }
      if (pending >= 0) this.metadata.splice(pending, 1);
      this.metadata.push({ key: stored.key, before: stored.metadata, after: metadata });
      noteNames(this.notes, stored.metadata, metadata);
      this.outcomes.push('updated');
      return;
    }
    if (earlier !== undefined && earlier.row.hash === hash && earlier.row.metadata === metadata) {
      this.outcomes.push('unchanged');
      return;
    }
    if (earlier === undefined && stored !== undefined) {
      this.deleted.push(stored.key);
      const pending = this.metadata.findIndex(({ key }) => key === stored.key);
      if (pending >= 0) this.metadata.splice(pending, 1);
    }
    if (!isCounted(document.id, metadata)) noteNames(this.notes, metadata);
    this.#inserted.delete(id);
    this.#inserted.set(id, { row: { id, hash, vector, metadata, text }, place });
    this.outcomes.push(earlier === undefined && stored === undefined ? 'added' : 'updated');
  }
}
