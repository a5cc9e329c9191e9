import { SemanticIndexError } from '../index.js';
import type { ResolvedServerOptions } from '../options/server.js';
import { TimeSlice } from '../time-slice.js';

type Limits = Pick<ResolvedServerOptions, 'maxQueryCharacters' | 'maxMetadataValues'>;

/** Values of a filter, those of its lists included. A filter with many conditions is refused by the index. */
const maxFilterValues = 20_000;

/**
 * Refuses a request that costs too much before anything is done for it. Does not check anything else: the body may be
 * any value.
 *
 * @throws TOO_LARGE (a query), INVALID_FILTER, INVALID_METADATA.
 */
export async function refuseCostly(body: unknown, { maxQueryCharacters, maxMetadataValues }: Limits): Promise<void> {
  if (!isObject(body)) return;
  const { query, queries, where, boost, documents } = body;
  const slice = new TimeSlice();
  const checkQuery = (asked: unknown, name: string): void => {
    if (typeof asked !== 'string' || asked.length <= maxQueryCharacters) return;
    throw new SemanticIndexError(
      'TOO_LARGE',
      `Expected a query of at most ${maxQueryCharacters} characters, got ${asked.length} in ${name}`,
      { hint: 'Search for the most relevant part, or allow longer queries with `maxQueryCharacters`.' },
    );
  };
  checkQuery(query, 'query');
  if (Array.isArray(queries))
    for (const [position, asked] of queries.entries()) checkQuery(asked, `queries[${position}]`);
  if (!hasAtMost(where, maxFilterValues)) {
    throw new SemanticIndexError('INVALID_FILTER', `where: expected at most ${maxFilterValues} values, got more`, {
      hint: 'Split the filter into several requests.',
    });
  }
  if (!hasAtMost(boost, maxFilterValues)) {
    throw new SemanticIndexError('INVALID_FILTER', `boost: expected at most ${maxFilterValues} values, got more`);
  }
  if (!Array.isArray(documents)) return;
  for (const [position, document] of documents.entries()) {
    if (slice.due()) await slice.yieldIfDue();
    if (!isObject(document) || hasAtMost(document.metadata, maxMetadataValues)) continue;
    const { id } = document;
    const name = typeof id === 'string' || typeof id === 'number' ? ` (id ${JSON.stringify(id)})` : '';
    throw new SemanticIndexError(
      'INVALID_METADATA',
      `Expected at most ${maxMetadataValues} values in the metadata of document ${position}${name}, got more`,
      { hint: 'Keep what is not filtered by elsewhere, or allow more with `maxMetadataValues`.' },
    );
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a JSON value has at most so many values within it. */
function hasAtMost(root: unknown, most: number): boolean {
  let left = most;
  const rest: object[] = typeof root === 'object' && root !== null ? [root] : [];
  for (let container = rest.pop(); container !== undefined; container = rest.pop()) {
    const members: readonly unknown[] = Array.isArray(container) ? container : Object.values(container);
    left -= members.length;
    if (left < 0) return false;
    for (const member of members) if (typeof member === 'object' && member !== null) rest.push(member);
  }
  return true;
}
