import { SemanticIndexError } from '../../errors.js';
import type { FieldType } from '../../options.js';
import type { Database } from '../connection/database.js';
import { quoteName } from '../connection/names.js';
import { lockWriter, type SchemaNames } from '../connection/schema.js';
import { declaredValue, isIndexed } from './filter-sql.js';
import { type SettingsTable, settingNames } from './settings-table.js';

const fieldTypes: readonly FieldType[] = ['string', 'number', 'boolean'];

/** The types of declared fields as they are stored. */
export function typesOfFields(stored: Readonly<Record<string, unknown>>): ReadonlyMap<string, FieldType | undefined> {
  return new Map(Object.entries(stored).map(([name, type]) => [name, fieldTypes.find((known) => known === type)]));
}

/** Declares fields of an index: each has an index of its own. */
export class DeclaredFields {
  readonly #database: Database;
  readonly #names: SchemaNames;
  readonly #settings: SettingsTable;

  constructor(database: Database, names: SchemaNames, settings: SettingsTable) {
    this.#database = database;
    this.#names = names;
    this.#settings = settings;
  }

  /** Creates the indexes of new fields, and drops those of others. */
  async declare(fields: Readonly<Record<string, FieldType>>): Promise<void> {
    for (const name of Object.keys(fields)) {
      if (declaredValue(name) === undefined) {
        throw new SemanticIndexError('INVALID_ARGUMENT', `Cannot index the field "${name}"`);
      }
    }
    const stored = await this.#settings.read(this.#database, settingNames.fields);
    const before = typesOfFields((stored ?? {}) as Record<string, unknown>);
    const isSame =
      before.size === Object.keys(fields).length && [...before].every(([name, type]) => fields[name] === type);
    if (isSame) return;
    await this.#database.write(async (statements) => {
      await lockWriter(statements, this.#names);
      const stored = ((await this.#settings.read(statements, settingNames.fields)) ?? {}) as Record<string, string>;
      for (const name of Object.keys(stored)) {
        if (fields[name] !== undefined) continue;
        await statements.query(`DROP INDEX IF EXISTS ${this.#names.quoted}.${quoteName(indexName(name))}`);
      }
      for (const name of Object.keys(fields).filter(isIndexed)) {
        await statements.query(
          `CREATE INDEX IF NOT EXISTS ${quoteName(indexName(name))} ON ${this.#names.table('documents')} (${declaredValue(name)})`,
        );
      }
      await this.#settings.write(statements, settingNames.fields, fields);
    });
  }
}

/** Longest names of fields have 71 characters and more, those of indexes 63 bytes: the end of a long one is a checksum. */
function indexName(field: string): string {
  const name = `documents_field_${field}`;
  if (name.length <= 63) return name;
  let sum = 0x811c9dc5;
  for (const character of field) sum = Math.imul(sum ^ character.charCodeAt(0), 0x01000193) >>> 0;
  return `${name.slice(0, 54)}_${sum.toString(16).padStart(8, '0')}`;
}
