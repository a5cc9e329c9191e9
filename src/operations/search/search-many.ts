import { checkSearch } from '../../check-arguments.js';
import { SemanticIndexError } from '../../errors.js';
import { describe, type SearchOptions } from '../../options.js';
import type { Metadata, Query, SearchResult } from '../../types.js';
import type { IndexContext } from '../context.js';
import { search } from './search.js';
import { withStoredWeights } from './stored-weights.js';

/** Searches for several queries at once; the results are in their order. */
export async function searchMany<M extends Metadata>(
  context: IndexContext,
  queries: readonly Query[],
  options: SearchOptions<M> | undefined,
): Promise<SearchResult<M>[]> {
  if (!Array.isArray(queries)) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `searchMany: expected an array of queries, got ${describe(queries)}`,
    );
  }
  const checked = checkSearch(options, context.options.ann.searchK);
  if (checked.after !== undefined && queries.length > 1) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `searchMany: after is the cursor of one query, got ${queries.length}`,
      {
        hint: 'Call `search(query, { after })` for the next page of each query.',
      },
    );
  }
  return search<M>(context, queries, checked, async (options, setting) =>
    context.recall.settle(await withStoredWeights(options, setting), setting),
  );
}
