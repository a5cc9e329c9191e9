import type { Backend } from '../backend/backend.js';
import { type FilterTree, isFieldName, matchesAll } from '../backend/filter-tree.js';
import { SemanticIndexError } from '../errors.js';
import { describe, type FieldType, resolveOptions } from '../options.js';
import type { DocumentSelection } from '../types/where-of.js';
import { parseFilter } from './parse-filter.js';

const types: readonly FieldType[] = ['string', 'number', 'boolean'];

/** Checks the fields passed to `open`. @throws INVALID_ARGUMENT */
export function checkFields(fields: Readonly<Record<string, FieldType>>): Readonly<Record<string, FieldType>> {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `SemanticIndex.open: fields is ${describe(fields)}`, {
      hint: "Pass an object such as { year: 'number', 'author.name': 'string' }.",
    });
  }
  for (const [name, type] of Object.entries(fields)) {
    if (isFieldName(name) && types.includes(type)) continue;
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `SemanticIndex.open: the field ${describe(name)} is declared as ${describe(type)}`,
      { hint: `Names are letters, digits and _, with dots between steps; types are ${types.join(', ')}.` },
    );
  }
  return fields;
}

/** Checks a filter against the declared fields of an index. @throws INVALID_FILTER */
export async function filterFor(backend: Backend, where: unknown): Promise<FilterTree> {
  return parseFilter(where, await backend.fields());
}

/**
 * The documents to delete. A filter that matches all documents by its form is more often an empty variable than intended, so
 * deleting all requires `all`.
 *
 * @throws INVALID_FILTER, INVALID_ARGUMENT, UNKNOWN_OPTION.
 */
export async function selectionFor(backend: Backend, selection: DocumentSelection): Promise<FilterTree> {
  const { where, all } = resolveOptions('deleteDocuments', selection as { where?: unknown; all?: unknown }, {
    where: undefined,
    all: undefined,
  });
  const hasWhere = where !== undefined || 'where' in selection;
  if (all !== undefined && typeof all !== 'boolean') {
    throw refused(`expected true or false as all, got ${describe(all)}`);
  }
  if (all === true) {
    if (hasWhere) throw refused('expected where or all, got both');
    return { kind: 'all', of: [] };
  }
  if (where === undefined) throw refused('expected ids, where or all, got none of them');
  const tree = await filterFor(backend, where);
  if (matchesAll(tree)) {
    throw new SemanticIndexError(
      'INVALID_FILTER',
      'deleteDocuments: expected a condition, got a filter that matches all',
      {
        hint: 'Pass { all: true } to delete all documents.',
      },
    );
  }
  return tree;
}

function refused(what: string): SemanticIndexError {
  return new SemanticIndexError('INVALID_ARGUMENT', `deleteDocuments: ${what}`, {
    hint: 'Pass ids, { where: { … } }, or { all: true } for all documents.',
  });
}
