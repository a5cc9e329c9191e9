import type { Settings } from '../../backend/backend.js';
import type { Database, Statements } from '../connection/database.js';
import { settingToText } from '../connection/names.js';
import { lockWriter, type SchemaNames } from '../connection/schema.js';

/** Settings that the backend keeps for itself. */
export const settingNames = {
  space: 'space',
  migratingTo: 'migrating_to',
  languages: 'languages',
  fields: 'fields',
  metric: 'metric',
  /** Precision of the HNSW index that an earlier version has built. */
  hnsw: 'hnsw',
} as const;

/** Reads a setting by a statement; undefined when there is none. */
export async function readSetting(statements: Statements, table: string, name: string): Promise<unknown> {
  const [row] = await statements.query(`SELECT value FROM ${table} WHERE name = $1`, [settingToText(name)]);
  return row === undefined ? undefined : JSON.parse(row.value as string);
}

/** Named values, stored as JSON. */
export class SettingsTable implements Settings {
  readonly #database: Database;
  readonly #names: SchemaNames;
  readonly #table: string;
  readonly #refuseReadonly: () => void;

  constructor(database: Database, names: SchemaNames, refuseReadonly: () => void) {
    this.#database = database;
    this.#names = names;
    this.#table = names.table('settings');
    this.#refuseReadonly = refuseReadonly;
  }

  async get(name: string): Promise<string | number | undefined> {
    const value = await this.read(this.#database, name);
    return value as string | number | undefined;
  }

  async set(name: string, value: string | number): Promise<void> {
    this.#refuseReadonly();
    await this.#database.write(async (statements) => {
      await lockWriter(statements, this.#names);
      await this.write(statements, name, value);
    });
  }

  /** The value as part of a transaction; undefined when there is none. */
  async read(statements: Statements | Database, name: string): Promise<unknown> {
    if ('query' in statements) return readSetting(statements, this.#table, name);
    return readSetting({ query: (text, values) => statements.alone(text, values) }, this.#table, name);
  }

  /** Changes a value as part of a transaction. */
  async write(statements: Statements, name: string, value: unknown): Promise<void> {
    await statements.query(
      `INSERT INTO ${this.#table} VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      [settingToText(name), JSON.stringify(value)],
    );
  }

  async remove(statements: Statements, names: readonly string[]): Promise<void> {
    await statements.query(`DELETE FROM ${this.#table} WHERE name = ANY($1::text[])`, [names.map(settingToText)]);
  }

  /** Settings whose names begin with a prefix. */
  async withPrefix(statements: Statements | Database, prefix: string): Promise<{ name: string; value: unknown }[]> {
    const text = `SELECT name, value FROM ${this.#table} WHERE starts_with(name, $1)`;
    const rows =
      'query' in statements ? await statements.query(text, [prefix]) : await statements.alone(text, [prefix]);
    return rows.map(({ name, value }) => ({ name, value: JSON.parse(value) as unknown }));
  }
}
