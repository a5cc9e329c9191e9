import type { Field, FilterTree } from '../backend/filter-tree.js';
import { parseStored } from '../backend/stored-json.js';
import { compileFilterProgram } from '../columns/filter-program.js';
import { SemanticIndexError } from '../errors.js';
import type { FieldType } from '../options.js';
import type { Catalog } from './catalog/catalog.js';
import { fieldsSetting, type IndexedFields } from './catalog/metadata/field-indexes.js';
import { type CompiledFilter, compileFilter, indexedField } from './catalog/metadata/filter-sql.js';
import type { ColumnsRequest, SnapshotFilter } from './snapshot/metadata-columns.js';
import type { CatalogClient } from './writer/catalog-client.js';

const fieldTypes: readonly FieldType[] = ['string', 'number', 'boolean'];

/** The declared fields of an index, each with a SQL index. */
export class DeclaredFields {
  readonly #catalog: () => Catalog;
  readonly #writer: CatalogClient;

  constructor(catalog: () => Catalog, writer: CatalogClient) {
    this.#catalog = catalog;
    this.#writer = writer;
  }

  #stored(): Readonly<Record<string, unknown>> {
    const stored = parseStored(this.#catalog().settings.get(fieldsSetting) ?? '{}', 'The declared fields');
    return typeof stored === 'object' && stored !== null ? (stored as Record<string, unknown>) : {};
  }

  types(): ReadonlyMap<string, FieldType | undefined> {
    return new Map(
      Object.entries(this.#stored()).map(([name, field]) => {
        const type = (field as { type?: unknown } | null)?.type;
        return [name, fieldTypes.find((known) => known === type)];
      }),
    );
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
    if (inOrder(this.#stored()) !== inOrder(indexed)) await this.#writer.fields.declare(indexed);
  }

  compile(filter: FilterTree): CompiledFilter {
    return compileFilter(filter, new Set(Object.keys(this.#stored())));
  }

  /** The filter for columns, and as SQL for what they cannot decide. */
  compileForSnapshot(filter: FilterTree | undefined): SnapshotFilter | undefined {
    return filter && { sql: () => this.compile(filter), program: compileFilterProgram(filter) };
  }

  /** What is read from columns besides. */
  compileForColumns(fields: readonly Field[] = [], boosted: readonly FilterTree[] = []): ColumnsRequest {
    const filters = boosted.map((filter) => this.compileForSnapshot(filter) as SnapshotFilter);
    return { fields, filters, kept: filters.length };
  }
}
