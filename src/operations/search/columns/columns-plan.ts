import type { Field } from '../../../backend/filter-tree.js';
import { checkPositive } from '../../../check-arguments.js';
import { SemanticIndexError } from '../../../errors.js';
import type { Boost, ResolvedSearchOptions } from '../../../options.js';
import type { SearchFilters } from '../search-filters.js';
import { type BoostPlan, planBoosts } from './boosts.js';
import { type FacetPlan, planFacets } from './facets.js';
import { fieldNamed } from './field-names.js';

/** What a search reads from the columns of metadata besides its filter. */
export interface ColumnsPlan {
  readonly fields: readonly Field[];
  /** The field that hits are grouped by. */
  readonly group: Field | undefined;
  readonly facets: readonly FacetPlan[] | undefined;
  readonly boosts: BoostPlan | undefined;
}

const maxGroupSize = 1000;

type ColumnsOptions = Pick<ResolvedSearchOptions, 'groupBy' | 'groupSize' | 'facets' | 'diversity'> & {
  readonly boost?: unknown;
};

/** Checks the options that columns answer. @throws INVALID_ARGUMENT, UNKNOWN_OPTION. */
export async function planColumns(filters: SearchFilters, options: ColumnsOptions): Promise<ColumnsPlan> {
  const { groupBy, groupSize, diversity } = options;
  const facets = options.facets === undefined ? undefined : planFacets('search', 'facets', options.facets);
  checkPositive('search', 'groupSize', groupSize);
  if (groupSize > maxGroupSize) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `search: expected at most ${maxGroupSize} as groupSize, got ${groupSize}`,
    );
  }
  if (groupBy === undefined && groupSize > 1) {
    throw new SemanticIndexError('INVALID_ARGUMENT', 'search: expected groupBy with groupSize, got groupSize alone', {
      hint: "Pass { groupBy: 'source', groupSize }.",
    });
  }
  const group = groupBy === undefined ? undefined : fieldNamed('search', 'groupBy', groupBy);
  if (group !== undefined && diversity > 0) {
    throw new SemanticIndexError('INVALID_ARGUMENT', 'search: expected groupBy or diversity, got both', {
      hint: 'Hits of different groups differ already; leave diversity out.',
    });
  }
  const boosts =
    options.boost === undefined ? undefined : await planBoosts(filters, options.boost as Boost[], Date.now());
  const fields = new Map<string, Field>();
  if (group !== undefined) fields.set(group.name, group);
  for (const { field } of facets ?? []) fields.set(field.name, field);
  for (const field of boosts?.fields ?? []) fields.set(field.name, field);
  return { fields: [...fields.values()], group, facets, boosts };
}
