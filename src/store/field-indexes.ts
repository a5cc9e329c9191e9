import type { Database } from 'better-sqlite3';
import type { SettingsTable } from './settings-table.js';

/** Declared fields of metadata: their JSON paths by name, which are plain enough to stand in SQL. */
export type FieldPaths = Readonly<Record<string, string>>;

/** Under this name the settings have the declared fields, as JSON. */
export const fieldsSetting = 'fields';

/**
 * SQL indexes over fields of the metadata, by type and value: a filter on a declared field is answered from the index alone.
 * Derived, like every index of SQLite: what they hold is in the documents.
 */
export class FieldIndexes {
  readonly #db: Database;
  readonly #settings: SettingsTable;

  constructor(db: Database, settings: SettingsTable) {
    this.#db = db;
    this.#settings = settings;
  }

  /** Makes the indexes that are missing and drops those of fields that are no longer declared; one transaction. */
  declare(fields: FieldPaths): void {
    this.#db
      .transaction(() => {
        const before = JSON.parse(String(this.#settings.get(fieldsSetting) ?? '{}')) as FieldPaths;
        for (const name of Object.keys(before)) {
          if (!(name in fields)) this.#db.exec(`DROP INDEX IF EXISTS ${indexName(name)}`);
        }
        for (const [name, path] of Object.entries(fields)) {
          const value = (read: string): string => `${read}(metadata, '${path}')`;
          this.#db.exec(
            `CREATE INDEX IF NOT EXISTS ${indexName(name)} ON documents (${value('json_type')}, ${value('json_extract')})`,
          );
        }
        this.#settings.set(fieldsSetting, JSON.stringify(fields));
      })
      .immediate();
  }
}

function indexName(field: string): string {
  return `"field_${field}"`;
}
