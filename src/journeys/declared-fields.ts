import { SemanticIndexError } from '../errors.js';
import { describe, type FieldType } from '../options.js';
import { type CompiledFilter, compileFilter, indexedField } from '../search/filter.js';
import { type FieldPaths, fieldsSetting } from '../store/field-indexes.js';
import type { Store } from '../store/store.js';
import type { Where } from '../types.js';

const types: readonly FieldType[] = ['string', 'number', 'boolean'];

/** Checks what `open` was given as fields. @throws INVALID_ARGUMENT */
export function checkFields(fields: Readonly<Record<string, FieldType>>): FieldPaths {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `SemanticIndex.open: fields is ${describe(fields)}`, {
      hint: "Pass an object such as { year: 'number', 'author.name': 'string' }.",
    });
  }
  return Object.fromEntries(
    Object.entries(fields).map(([name, type]) => {
      const path = indexedField(name);
      if (path === undefined || !types.includes(type)) {
        throw new SemanticIndexError(
          'INVALID_ARGUMENT',
          `SemanticIndex.open: the field ${describe(name)} is declared as ${describe(type)}`,
          { hint: `Names are letters, digits and _, with dots between steps; types are ${types.join(', ')}.` },
        );
      }
      return [name, path];
    }),
  );
}

/** Gives declared fields their SQL indexes, and takes away those of others, where that is not so already. */
export async function declareFields(store: Store, paths: FieldPaths): Promise<void> {
  const declared = Object.keys(fieldsOf(store)).sort();
  if (JSON.stringify(declared) !== JSON.stringify(Object.keys(paths).sort())) await store.settings.declareFields(paths);
}

function fieldsOf(store: Store): FieldPaths {
  return JSON.parse(String(store.settings.get(fieldsSetting) ?? '{}')) as FieldPaths;
}

/** A filter as SQL that uses the indexes of an index's fields. @throws INVALID_FILTER */
export function filterFor(store: Store, where: Where): CompiledFilter {
  return compileFilter(where, new Set(Object.keys(fieldsOf(store))));
}
