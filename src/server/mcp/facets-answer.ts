import type { FacetCount, SemanticIndex, Where } from '../../index.js';
import type { AnswerBudget } from './answer-budget.js';

/** The answer of the tool `facets`. */
export interface FacetsAnswer {
  readonly documents: number;
  readonly facets: Readonly<
    Record<string, { readonly counts: readonly FacetCount[]; readonly distinct: number; readonly missing: number }>
  >;
}

/** Values of a field that a model reads. */
const maxValues = 20;
const longestValue = 200;

/** Counts documents by fields, with as many values as fit. @throws what `facets` throws. */
export async function facetsAnswer(
  index: SemanticIndex,
  fields: readonly string[],
  where: Where | undefined,
  signal: AbortSignal,
  budget: AnswerBudget,
): Promise<FacetsAnswer> {
  const limited = Object.fromEntries(fields.map((field) => [field, { limit: maxValues }]));
  const { documents, facets } = await index.facets({ fields: limited, where, signal });
  for (let limit = maxValues; limit >= 0; limit = limit === 0 ? -1 : Math.floor(limit / 2)) {
    const answer = {
      documents,
      facets: Object.fromEntries(
        Object.entries(facets).map(([field, { counts, distinct, missing }]) => [
          field,
          { counts: counts.slice(0, limit).map(shortened), distinct, missing },
        ]),
      ),
    };
    if (budget.holds(answer)) return answer;
  }
  return budget.refuse('The answer');
}

function shortened(count: FacetCount): FacetCount {
  const { value } = count;
  return typeof value === 'string' && value.length > longestValue
    ? { ...count, value: `${value.slice(0, longestValue)}…` }
    : count;
}
