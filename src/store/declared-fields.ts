import type { DeclaredTypes, Field, FilterTree } from '../backend/filter-tree.js';
import type { ReadSnapshot } from '../backend/read-snapshot.js';
import { parseStored } from '../backend/stored-json.js';
import { compileFilterProgram, type FilterProgram } from '../columns/filter-program.js';
import { SemanticIndexError } from '../errors.js';
import type { FieldType } from '../options.js';
import { fieldsSetting, type IndexedFields } from './catalog/metadata/field-indexes.js';
import { type CompiledFilter, compileFilter, indexedField } from './catalog/metadata/filter-sql.js';
import type { ColumnsRequest, SnapshotFilter } from './snapshot/metadata-columns.js';
import type { ReadStoredSetting } from './watched-settings.js';
import type { CatalogClient } from './writer/catalog-client.js';

const fieldTypes: readonly FieldType[] = ['string', 'number', 'boolean'];

/** Programs of boosted filters that are kept, and characters of the longest filter that is recognized. */
const [maxPrograms, maxProgramKey] = [32, 4096];

/** What the setting of the declared fields says. */
interface ReadFields {
  readonly setting: string | number;
  readonly stored: Readonly<Record<string, unknown>>;
  readonly types: DeclaredTypes;
}

/** The declared fields of an index, each with a SQL index. */
export class DeclaredFields {
  readonly #read: ReadStoredSetting;
  readonly #writer: CatalogClient;
  #last: ReadFields | undefined;
  /** By filter, oldest first. */
  readonly #programs = new Map<string, FilterProgram>();

  constructor(read: ReadStoredSetting, writer: CatalogClient) {
    this.#read = read;
    this.#writer = writer;
  }

  #fields(setting = this.#read(fieldsSetting) ?? '{}'): ReadFields {
    if (this.#last?.setting !== setting) this.#last = readFields(setting);
    return this.#last;
  }

  /** As they were read last, if they were. */
  get last(): DeclaredTypes | undefined {
    return this.#last?.types;
  }

  types(): DeclaredTypes {
    return this.#fields().types;
  }

  /**
   * Calls `check` with the fields as of a snapshot; as of now without one. What it throws closes the snapshot. Reading a setting in
   * the transaction of a snapshot takes no transaction of its own.
   */
  async checkIn<Snapshot extends ReadSnapshot>(
    snapshot: Snapshot | undefined,
    check: (fields: DeclaredTypes) => void,
  ): Promise<Snapshot | undefined> {
    try {
      check(
        snapshot === undefined ? this.types() : this.#fields((await snapshot.setting(fieldsSetting)) ?? '{}').types,
      );
      return snapshot;
    } catch (error) {
      snapshot?.close();
      throw error;
    }
  }

  /** Creates the missing indexes and drops those of other fields. */
  async declare(fields: Readonly<Record<string, FieldType>>): Promise<void> {
    const indexed: IndexedFields = Object.fromEntries(
      Object.entries(fields).map(([name, type]) => {
        const field = indexedField(name);
        if (field === undefined) throw new SemanticIndexError('INVALID_ARGUMENT', `Cannot index the field "${name}"`);
        return [name, { type, path: field.path, irregular: field.irregular?.('') ?? null }];
      }),
    );
    const inOrder = (named: object): string =>
      JSON.stringify(Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1)));
    if (inOrder(this.#fields().stored) === inOrder(indexed)) return;
    await this.#writer.fields.declare(indexed);
    this.#last = undefined;
  }

  compile(filter: FilterTree): CompiledFilter {
    return compileFilter(filter, new Set(this.types().keys()));
  }

  compileIfAny(filter: FilterTree | undefined): CompiledFilter | undefined {
    return filter && this.compile(filter);
  }

  /** The filter for columns, and as SQL for what they cannot decide. */
  compileForSnapshot(filter: FilterTree | undefined): SnapshotFilter | undefined {
    return filter && { sql: () => this.compile(filter), program: compileFilterProgram(filter) };
  }

  /** What is read from columns besides. */
  compileForColumns(fields: readonly Field[] = [], boosted: readonly FilterTree[] = []): ColumnsRequest {
    const filters = boosted.map((filter) => ({ sql: () => this.compile(filter), program: this.#programOf(filter) }));
    return { fields, filters, kept: filters.length };
  }

  /** Boosts have the same filters again and again: compiling one takes longer than recognizing it. */
  #programOf(filter: FilterTree): FilterProgram {
    const key = JSON.stringify(filter);
    const known = this.#programs.get(key);
    if (known !== undefined) return known;
    const program = compileFilterProgram(filter);
    const [oldest] = this.#programs.keys();
    if (this.#programs.size === maxPrograms && oldest !== undefined) this.#programs.delete(oldest);
    if (key.length <= maxProgramKey) this.#programs.set(key, program);
    return program;
  }
}

function readFields(setting: string | number): ReadFields {
  const parsed = parseStored(setting, 'The declared fields');
  const stored = typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  const types = Object.entries(stored).map(([name, field]) => {
    const type = (field as { type?: unknown } | null)?.type;
    return [name, fieldTypes.find((known) => known === type)] as const;
  });
  return { setting, stored, types: new Map(types) };
}
