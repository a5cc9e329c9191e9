import { matchesAll } from '../backend/filter-tree.js';
import { SemanticIndexError } from '../errors.js';
import { describe, type FieldType, resolveOptions } from '../options.js';
import { type DeclaredFields, fieldsSetting } from '../store/catalog/field-indexes.js';
import { type CompiledFilter, compileFilter, indexedField } from '../store/catalog/filter-sql.js';
import { parseStored } from '../store/catalog/stored-json.js';
import type { Store } from '../store/store.js';
import type { DocumentSelection } from '../types/where-of.js';
import { type DeclaredTypes, parseFilter } from './parse-filter.js';

const types: readonly FieldType[] = ['string', 'number', 'boolean'];

/** Checks what `open` was given as fields. @throws INVALID_ARGUMENT */
export function checkFields(fields: Readonly<Record<string, FieldType>>): DeclaredFields {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `SemanticIndex.open: fields is ${describe(fields)}`, {
      hint: "Pass an object such as { year: 'number', 'author.name': 'string' }.",
    });
  }
  return Object.fromEntries(
    Object.entries(fields).map(([name, type]) => {
      const field = indexedField(name);
      if (field === undefined || !types.includes(type)) {
        throw new SemanticIndexError(
          'INVALID_ARGUMENT',
          `SemanticIndex.open: the field ${describe(name)} is declared as ${describe(type)}`,
          { hint: `Names are letters, digits and _, with dots between steps; types are ${types.join(', ')}.` },
        );
      }
      return [name, { type, path: field.path, irregular: field.irregular?.('') ?? null }];
    }),
  );
}

/** Creates the SQL indexes of declared fields, and drops those of others, unless they are as declared already. */
export async function declareFields(store: Store, fields: DeclaredFields): Promise<void> {
  const inOrder = (named: object): string => JSON.stringify(Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1)));
  if (inOrder(storedFields(store)) !== inOrder(fields)) await store.settings.declareFields(fields);
}

function storedFields(store: Store): Readonly<Record<string, unknown>> {
  const stored = parseStored(store.settings.get(fieldsSetting) ?? '{}', 'The declared fields');
  return typeof stored === 'object' && stored !== null ? (stored as Record<string, unknown>) : {};
}

/** The types of declared fields; undefined where an earlier version noted none. */
function declaredTypes(store: Store): DeclaredTypes {
  return new Map(
    Object.entries(storedFields(store)).map(([name, field]) => {
      const type = (field as { type?: unknown } | null)?.type;
      return [name, types.find((known) => known === type)];
    }),
  );
}

/** A filter as SQL that uses the indexes of an index's fields. @throws INVALID_FILTER */
export function filterFor(store: Store, where: unknown): CompiledFilter {
  const declared = declaredTypes(store);
  return compileFilter(parseFilter(where, declared), new Set(declared.keys()));
}

/**
 * The documents that `deleteDocuments` is to delete. A filter that matches all of them by its form is more often an empty
 * variable than meant, so `all` has to be said.
 *
 * @throws INVALID_FILTER, INVALID_ARGUMENT, UNKNOWN_OPTION.
 */
export function selectionFor(store: Store, selection: DocumentSelection): CompiledFilter {
  const { where, all } = resolveOptions<{ where: unknown; all: unknown }>('deleteDocuments', selection, {
    where: undefined,
    all: undefined,
  });
  const given = where !== undefined || 'where' in selection;
  if (all !== undefined && typeof all !== 'boolean') {
    throw refused(`expected true or false as all, got ${describe(all)}`);
  }
  if (all === true) {
    if (given) throw refused('expected where or all, got both');
    return compileFilter({ kind: 'all', of: [] });
  }
  if (where === undefined) throw refused('expected ids, where or all, got none of them');
  const declared = declaredTypes(store);
  const tree = parseFilter(where, declared);
  if (matchesAll(tree)) {
    throw new SemanticIndexError(
      'INVALID_FILTER',
      'deleteDocuments: expected a condition, got a filter that matches all',
      {
        hint: 'Pass { all: true } to delete all documents.',
      },
    );
  }
  return compileFilter(tree, new Set(declared.keys()));
}

function refused(what: string): SemanticIndexError {
  return new SemanticIndexError('INVALID_ARGUMENT', `deleteDocuments: ${what}`, {
    hint: 'Pass ids, { where: { … } }, or { all: true } for all documents.',
  });
}
