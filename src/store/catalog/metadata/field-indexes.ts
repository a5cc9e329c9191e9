import type { Database } from 'better-sqlite3';
import { parseStored } from '../../../backend/stored-json.js';
import type { SettingsTable } from '../settings-table.js';

/** A declared field of metadata. Path and condition contain only letters, digits and underscores, so they are safe in SQL. */
export interface DeclaredField {
  readonly type: string;
  readonly path: string;
  /** SQL that is 1 for metadata where the field may reach more than the value at its path; null where it never does. */
  readonly irregular: string | null;
}

/** Declared fields by name. */
export type IndexedFields = Readonly<Record<string, DeclaredField>>;

/** Name of the setting that has the declared fields, as JSON. */
export const fieldsSetting = 'fields';

/**
 * SQL indexes over fields of the metadata, by type and value: a filter on a declared field is answered from the index alone.
 * Derived data, like every index of SQLite.
 */
export class FieldIndexes {
  readonly #db: Database;
  readonly #settings: SettingsTable;

  constructor(db: Database, settings: SettingsTable) {
    this.#db = db;
    this.#settings = settings;
  }

  /** Makes the indexes that are missing and drops those of fields that are no longer declared; one transaction. */
  declare(fields: IndexedFields): void {
    this.#db
      .transaction(() => {
        const before = parseStored(this.#settings.get(fieldsSetting) ?? '{}', 'The declared fields') as Record<
          string,
          unknown
        >;
        for (const name of Object.keys(before)) {
          if (name in fields) continue;
          this.#db.exec(`DROP INDEX IF EXISTS ${indexName(name)}`);
          this.#db.exec(`DROP INDEX IF EXISTS ${irregularName(name)}`);
        }
        for (const [name, { path, irregular }] of Object.entries(fields)) {
          const value = (read: string): string => `${read}(metadata, '${path}')`;
          this.#db.exec(
            `CREATE INDEX IF NOT EXISTS ${indexName(name)} ON documents (${value('json_type')}, ${value('json_extract')})`,
          );
          if (irregular === null) continue;
          this.#db.exec(
            `CREATE INDEX IF NOT EXISTS ${irregularName(name)} ON documents (${irregular}) WHERE ${irregular} = 1`,
          );
        }
        this.#settings.set(fieldsSetting, JSON.stringify(fields));
      })
      .immediate();
  }
}

function indexName(field: string): string {
  return quoted(`field_${field}`);
}

/** Index of the few documents that the index of a field does not cover. */
function irregularName(field: string): string {
  return quoted(`field_${field}:irregular`);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
