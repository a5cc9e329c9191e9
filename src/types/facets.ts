import type { FilterValue } from './filter.js';

/** Documents that have a value, or a value in a range or in a calendar interval. */
export interface FacetCount {
  /** The value; or the begin of the calendar interval in ISO 8601 and UTC. Absent for a range. */
  readonly value?: FilterValue;
  /** The bounds of a range, as they were given: from `from` to before `to`. */
  readonly from?: number | string;
  readonly to?: number | string;
  readonly count: number;
}

/** Exact counts of documents by the values of one field. A document counts once for each of its values. */
export interface Facet {
  /** Values by descending count; ranges in the order of the option; calendar intervals by time, those without documents left out. */
  readonly counts: readonly FacetCount[];
  /** Number of different values, or of intervals or ranges, with a document: also of those that `limit` left out. */
  readonly distinct: number;
  /** Documents without a value of the field. */
  readonly missing: number;
}

/** Result of `facets`. */
export interface FacetsResult {
  /** Documents that pass the filter: those that were counted. */
  readonly documents: number;
  /** By field. */
  readonly facets: Readonly<Record<string, Facet>>;
}
