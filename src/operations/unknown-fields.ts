import type { FilterTree } from '../backend/filter-tree.js';
import type { Where } from '../types.js';
import { parseFilter } from './parse-filter.js';

/** Fields of a filter that are looked up; more would take as long as the search. */
const maxFields = 20;

/**
 * The fields of a filter that no document has. Such a filter is valid, but where it matches nothing the name is most often misspelt.
 *
 * @param count how many documents match a filter.
 */
export async function unknownFieldsOf(where: Where, count: (where: Where) => Promise<number>): Promise<string[]> {
  const unknown: string[] = [];
  for (const name of [...namesIn(parseFilter(where))].slice(0, maxFields)) {
    if ((await count({ [name]: { $exists: true } })) === 0) unknown.push(name);
  }
  return unknown;
}

/** A sentence about the fields that no document has; undefined if there are none. */
export async function unknownFieldsNote(
  where: Where | undefined,
  count: (where: Where) => Promise<number>,
): Promise<string | undefined> {
  const unknown = where === undefined ? [] : await unknownFieldsOf(where, count);
  if (unknown.length === 0) return undefined;
  return `No document has the field ${unknown.map((name) => JSON.stringify(name)).join(' or ')}`;
}

function namesIn(tree: FilterTree): Set<string> {
  if (tree.kind === 'field') return new Set([tree.field.name]);
  const parts = tree.kind === 'not' ? [tree.of] : tree.of;
  return new Set(parts.flatMap((part) => [...namesIn(part)]));
}
