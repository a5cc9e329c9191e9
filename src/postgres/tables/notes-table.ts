import { duplicateName, duplicatePrefix, noteName, notePrefix } from '../../backend/note-names.js';
import type { DismissedDuplicate, SourceNote, StoredChunk, StoredNotes } from '../../backend/notes.js';
import type { DocumentId } from '../../types.js';
import type { Database, Row, Statements } from '../connection/database.js';
import { idFromText, idToText, jsonbString } from '../connection/names.js';
import { lockWriter, type SchemaNames } from '../connection/schema.js';
import type { SettingsTable } from './settings-table.js';

const isChunk =
  "d.id LIKE 's%' AND jsonb_typeof(d.fields -> 'chunk') = 'object' AND jsonb_typeof(d.fields -> 'source') = 'string'";
/** Of the collection that is the first parameter, null for none. */
const ofCollection = "(d.fields ->> 'collection') IS NOT DISTINCT FROM $1::text";

/** State of `sync` and de-duplication, in settings. See `ChunkNotes` of the embedded store, which keeps the same. */
export class NotesTable implements StoredNotes {
  readonly #database: Database;
  readonly #settings: SettingsTable;
  readonly #names: SchemaNames;
  readonly #documents: string;
  readonly #refuseReadonly: () => void;

  constructor(database: Database, names: SchemaNames, settings: SettingsTable, refuseReadonly: () => void) {
    this.#database = database;
    this.#settings = settings;
    this.#names = names;
    this.#documents = names.table('documents');
    this.#refuseReadonly = refuseReadonly;
  }

  async notes(collection: string | undefined): Promise<SourceNote[]> {
    const prefix = `${notePrefix}[${JSON.stringify(collection ?? null)},`;
    const found: SourceNote[] = [];
    await this.#database.read('SELECT 1', async (transaction) => {
      for (const { name, value } of await this.#settings.withPrefix(transaction, prefix)) {
        const { hash, count, keys } = value as { hash: string; count: number; keys: number };
        const [, source] = JSON.parse(name.slice(notePrefix.length)) as [string | null, string];
        const held = await this.#heldOf(transaction, source);
        if (held.count === count && held.keys === keys) found.push({ source, hash, chunks: count });
      }
    });
    return found;
  }

  async note(
    collection: string | undefined,
    sources: readonly { source: string; hash: string; ids: readonly string[] }[],
  ): Promise<void> {
    await this.#write(async (statements) => {
      await lockWriter(statements, this.#names);
      for (const { source, hash, ids } of sources) {
        const { count, keys } = await this.#heldOf(statements, source);
        const name = noteName(collection ?? null, source);
        const isExact = count === ids.length && (await this.#exist(statements, ids));
        if (isExact) await this.#settings.write(statements, name, { hash, count, keys });
        else await this.#settings.remove(statements, [name]);
      }
    });
  }

  async chunks(collection: string | undefined, source: string): Promise<StoredChunk[]> {
    const rows = await this.#database.alone(
      `SELECT d.id, d.metadata FROM ${this.#documents} d WHERE d.id >= $2 AND d.id < $3 AND ${isChunk} AND ${ofCollection}
         AND d.fields ->> 'source' = $4`,
      [collectionOf(collection), idToText(`${source}#`), idToText(`${source}$`), jsonbString(source)],
    );
    return rows.map(chunkOf);
  }

  async strays(collection: string | undefined): Promise<StoredChunk[]> {
    const rows = await this.#database.alone(
      `SELECT d.id, d.metadata FROM ${this.#documents} d WHERE ${isChunk} AND ${ofCollection}
         AND NOT starts_with(d.id, 's' || (d.fields ->> 'source') || '#')`,
      [collectionOf(collection)],
    );
    return rows.map(chunkOf);
  }

  async sources(collection: string | undefined): Promise<string[]> {
    const rows = await this.#database.alone(
      `SELECT DISTINCT (d.fields ->> 'source') COLLATE "C" AS source FROM ${this.#documents} d WHERE ${isChunk} AND ${ofCollection} ORDER BY 1`,
      [collectionOf(collection)],
    );
    return rows.map(({ source }) => source as string);
  }

  async chunkIds(collection: string | undefined): Promise<string[]> {
    const rows = await this.#database.alone(
      `SELECT d.id FROM ${this.#documents} d WHERE ${isChunk} AND ${ofCollection}`,
      [collectionOf(collection)],
    );
    return rows.map(({ id }) => idFromText(id) as string);
  }

  async remembered(name: string): Promise<string | undefined> {
    const value = await this.#settings.get(`remembered:${name}`);
    return value === undefined ? undefined : String(value);
  }

  remember(name: string, value: string): Promise<void> {
    return this.#settings.set(`remembered:${name}`, value);
  }

  async dismissed(): Promise<DismissedDuplicate[]> {
    const found = await this.#settings.withPrefix(this.#database, duplicatePrefix);
    return found.map(({ value }) => value as DismissedDuplicate);
  }

  async dismiss(duplicates: readonly DismissedDuplicate[]): Promise<void> {
    await this.#write(async (statements) => {
      for (const duplicate of duplicates) {
        await this.#settings.write(statements, duplicateName(duplicate.id), duplicate);
      }
    });
  }

  async restore(ids: readonly DocumentId[]): Promise<void> {
    await this.#write((statements) => this.#settings.remove(statements, ids.map(duplicateName)));
  }

  #write<T>(work: (statements: Statements) => Promise<T>): Promise<T> {
    this.#refuseReadonly();
    return this.#database.write(work);
  }

  /** Number and sum of the keys of the documents whose ids begin with a source. */
  async #heldOf(statements: Statements, source: string): Promise<{ count: number; keys: number }> {
    const [row] = await statements.query(
      `SELECT count(*)::int AS count, coalesce(sum(key), 0)::float8 AS keys FROM ${this.#documents} WHERE id >= $1 AND id < $2`,
      [idToText(`${source}#`), idToText(`${source}$`)],
    );
    return row as { count: number; keys: number };
  }

  async #exist(statements: Statements, ids: readonly string[]): Promise<boolean> {
    const [row] = await statements.query(
      `SELECT count(*)::int AS count FROM ${this.#documents} WHERE id = ANY($1::text[])`,
      [ids.map(idToText)],
    );
    return row?.count === new Set(ids).size;
  }
}

function collectionOf(collection: string | undefined): string | null {
  return collection === undefined ? null : jsonbString(collection);
}

function chunkOf({ id, metadata }: Row): StoredChunk {
  return { id: idFromText(id as string) as string, metadata: metadata as string };
}
