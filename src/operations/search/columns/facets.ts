import type { Backend } from '../../../backend/backend.js';
import {
  type CountsByValue,
  dateIntervals,
  type FacetRequest,
  type InstantRange,
} from '../../../backend/field-reading.js';
import type { Field, Scalar } from '../../../backend/filter-tree.js';
import type { ReadSnapshot } from '../../../backend/read-snapshot.js';
import { checkOneOf, checkPositive } from '../../../check-arguments.js';
import { dateHint, instantOf } from '../../../columns/instant.js';
import { SemanticIndexError } from '../../../errors.js';
import {
  describe,
  type FacetFields,
  type FacetOptions,
  type FacetRange,
  facetDefaults,
  type ResolvedFacetsOptions,
  resolveOptions,
} from '../../../options.js';
import type { Facet, FacetCount, FacetsResult, Metadata } from '../../../types.js';
import { filterFor } from '../../declared-fields.js';
import { withSnapshot } from '../../with-snapshot.js';
import { checkFieldsExist, fieldNamed } from './field-names.js';

/** A field that documents are counted by. */
export interface FacetPlan {
  readonly field: Field;
  readonly option: string;
  readonly request: FacetRequest;
  readonly limit: number;
  readonly ranges: readonly FacetRange[] | undefined;
}

const maxFields = 100;
const maxRanges = 1000;
const maxValues = 1_000_000;

/** Checks the fields that documents are counted by. @throws INVALID_ARGUMENT, UNKNOWN_OPTION. */
export function planFacets(method: string, option: string, fields: FacetFields | undefined): FacetPlan[] {
  if (typeof fields !== 'object' || fields === null) throw refused(method, option, fields);
  const named: [string, FacetOptions][] = Array.isArray(fields)
    ? fields.map((name: string) => [name, {}])
    : Object.entries(fields as Readonly<Record<string, FacetOptions>>);
  if (named.length === 0 || named.length > maxFields) throw refused(method, option, fields);
  const plans = named.map(([name, options]) => planFacet(method, option, name, options));
  const repeated = plans.find(({ field }, place) => plans.findIndex((one) => one.field.name === field.name) < place);
  if (repeated === undefined) return plans;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `${method}: expected different fields as ${option}, got ${describe(repeated.field.name)} twice`,
  );
}

function refused(method: string, option: string, fields: unknown): SemanticIndexError {
  const hint = "Pass names such as ['source'], or { source: { limit: 10 }, date: { interval: 'month' } }.";
  const expected = `${method}: expected 1 to ${maxFields} fields as ${option}`;
  return new SemanticIndexError('INVALID_ARGUMENT', `${expected}, got ${describe(fields)}`, { hint });
}

function planFacet(method: string, option: string, name: string, given: FacetOptions): FacetPlan {
  const field = fieldNamed(method, option, name);
  const at = `${option}.${name}`;
  const { limit, ranges, interval } = resolveOptions(`${method}: ${at}`, given, facetDefaults);
  checkPositive(method, `${at}.limit`, limit);
  if (limit > maxValues) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `${method}: expected at most ${maxValues} as ${at}.limit, got ${limit}`,
    );
  }
  if (ranges !== undefined && interval !== undefined) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: expected ranges or interval as ${at}, got both`);
  }
  if (interval !== undefined) checkOneOf(method, `${at}.interval`, interval, dateIntervals);
  const request: FacetRequest =
    ranges !== undefined
      ? { by: 'range', ranges: rangesOf(method, `${at}.ranges`, ranges) }
      : interval !== undefined
        ? { by: 'date', interval }
        : { by: 'value' };
  return { field, option, request, limit, ranges };
}

function rangesOf(method: string, at: string, ranges: readonly FacetRange[]): InstantRange[] {
  if (!Array.isArray(ranges) || ranges.length === 0 || ranges.length > maxRanges) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `${method}: expected 1 to ${maxRanges} ranges as ${at}, got ${describe(ranges)}`,
      { hint: 'Pass ranges such as [{ to: 10 }, { from: 10, to: 100 }, { from: 100 }].' },
    );
  }
  return ranges.map((range, place) => {
    const here = `${at}[${place}]`;
    const { from, to } = resolveOptions(`${method}: ${here}`, range as FacetRange, { from: undefined, to: undefined });
    const bounds = {
      from: boundOf(method, `${here}.from`, from, Number.NEGATIVE_INFINITY),
      to: boundOf(method, `${here}.to`, to, Number.POSITIVE_INFINITY),
    };
    if (bounds.from < bounds.to) return bounds;
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `${method}: expected ${here}.from below ${here}.to, got ${describe(from)} and ${describe(to)}`,
    );
  });
}

function boundOf(method: string, at: string, bound: unknown, fallback: number): number {
  if (bound === undefined) return fallback;
  const instant = typeof bound === 'string' ? instantOf(bound) : bound;
  if (typeof instant === 'number' && Number.isFinite(instant)) return instant;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `${method}: expected a finite number or a date in ISO 8601 as ${at}, got ${describe(bound)}`,
    { hint: dateHint },
  );
}

/** Counts the documents of a snapshot. @throws INVALID_ARGUMENT for a field that no document has. */
export async function countFacets(
  method: string,
  plans: readonly FacetPlan[],
  snapshot: ReadSnapshot,
  signal: AbortSignal | undefined,
): Promise<FacetsResult> {
  await checkFieldsExist(method, snapshot, plans);
  let documents = 0;
  const facets: [string, Facet][] = [];
  for (const plan of plans) {
    const found = await snapshot.field(plan.field.name).count(plan.request, signal);
    documents = found.documents;
    facets.push([plan.field.name, facetOf(plan, found.counts, found.missing)]);
  }
  return { documents, facets: Object.fromEntries(facets) };
}

function facetOf({ request, limit, ranges }: FacetPlan, counts: CountsByValue, missing: number): Facet {
  const distinct = counts.size;
  if (request.by === 'range') {
    const ofRanges = new Map<Scalar, number>();
    counts.forEach((count, place) => {
      ofRanges.set(place, count);
    });
    const inRanges = (ranges ?? []).map(({ from, to }, place): FacetCount => {
      const bounds = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
      return { ...bounds, count: ofRanges.get(place) ?? 0 };
    });
    return { counts: inRanges, distinct, missing };
  }
  if (request.by === 'date') {
    const intervals = new FirstCounts(limit, (a, b) => Number(a.value) - Number(b.value));
    // Most intervals are passed over, without a call that orders them.
    let end = Number.POSITIVE_INFINITY;
    counts.forEach((count, begin) => {
      if ((begin as number) > end) return;
      intervals.add(begin, count);
      end = (intervals.last?.value as number | undefined) ?? end;
    });
    const found = intervals.take().map(({ value, count }) => ({ value: new Date(Number(value)).toISOString(), count }));
    return { counts: found, distinct, missing };
  }
  const best = new FirstCounts(limit, (a, b) => b.count - a.count || compareValues(a.value, b.value));
  let least = 0;
  counts.forEach((count, value) => {
    if (count < least) return;
    best.add(value, count);
    least = best.last?.count ?? least;
  });
  return { counts: best.take(), distinct, missing };
}

/** The value of a count beside it. */
interface ValueCount {
  readonly value: Scalar;
  readonly count: number;
}

/** The first `limit` counts in an order. */
class FirstCounts {
  readonly #limit: number;
  readonly #compare: (left: ValueCount, right: ValueCount) => number;
  readonly #first: ValueCount[] = [];
  /** What comes behind it is not among the first; undefined until there are enough. */
  last: ValueCount | undefined;

  constructor(limit: number, compare: (left: ValueCount, right: ValueCount) => number) {
    this.#limit = limit;
    this.#compare = compare;
  }

  add(value: Scalar, count: number): void {
    const one = { value, count };
    const first = this.#first;
    if (this.last !== undefined && this.#compare(one, this.last) > 0) return;
    first.push(one);
    if (first.length < 2 * this.#limit) return;
    first.sort(this.#compare).length = this.#limit;
    this.last = first[this.#limit - 1];
  }

  take(): ValueCount[] {
    return this.#first.sort(this.#compare).slice(0, this.#limit);
  }
}

/** An order of values with equal counts that does not depend on chance. */
function compareValues(left: Scalar, right: Scalar): number {
  const [kind, other] = [typeof left, typeof right];
  if (kind !== other) return kind < other ? -1 : 1;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The facets of an index without documents. */
export function emptyFacets(plans: readonly FacetPlan[]): FacetsResult {
  return {
    documents: 0,
    facets: Object.fromEntries(plans.map((plan) => [plan.field.name, facetOf(plan, new Map(), 0)])),
  };
}

/** Counts the documents that pass a filter, for `facets`. */
export async function facetsOf<M extends Metadata>(
  backend: Backend,
  { fields, where, signal }: ResolvedFacetsOptions<M>,
): Promise<FacetsResult> {
  const plans = planFacets('facets', 'fields', fields);
  const filter = where === undefined ? undefined : await filterFor(backend, where);
  const request = { filter, fields: plans.map(({ field }) => field), consistency: 'session' as const, signal };
  return withSnapshot(backend, request, async (snapshot) =>
    snapshot === undefined ? emptyFacets(plans) : countFacets('facets', plans, snapshot, signal),
  );
}
