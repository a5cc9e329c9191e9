import type { Scalar } from './filter-tree.js';

/** Identifies a group of documents that have the same values of a field: the values as JSON, in their order. */
export type GroupKey = string;

/** Calendar intervals in UTC. A week begins on Monday. */
export const dateIntervals = ['hour', 'day', 'week', 'month', 'quarter', 'year'] as const;
export type DateInterval = (typeof dateIntervals)[number];

/** A range of numbers or of instants in milliseconds: from `from` to before `to`. */
export interface InstantRange {
  readonly from: number;
  readonly to: number;
}

/** What documents are counted by. */
export type FacetRequest =
  | { readonly by: 'value' }
  | { readonly by: 'range'; readonly ranges: readonly InstantRange[] }
  | { readonly by: 'date'; readonly interval: DateInterval };

/** Counts that are not 0, in any order; a map is one. */
export interface CountsByValue {
  readonly size: number;
  forEach(visit: (count: number, value: Scalar) => void): void;
}

/** Exact counts. A document counts once for each value, range or interval that one of its values is in. */
export interface FacetCounts {
  /** Documents that were counted, with and without a value. */
  readonly documents: number;
  /** Documents without a value. */
  readonly missing: number;
  /** By value, by the place of the range, or by the begin of the interval in milliseconds. */
  readonly counts: CountsByValue;
}

/** A place in an order by a field. */
export interface SortedPlace {
  readonly key: number;
  /** Undefined for a document without a value: those are last. */
  readonly value: Scalar | undefined;
}

/** A page of documents in the order of a field. */
export interface SortedPageRequest {
  /** By the greatest value of each document, descending; otherwise by its least, ascending. Equal ones by ascending key. */
  readonly descending: boolean;
  /** Documents behind this place only. */
  readonly after?: SortedPlace | undefined;
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** The values of one field in the documents of a snapshot that pass its filter. */
export interface FieldReading {
  /** Whether a document of the index has a value, whatever the filter is. */
  hasValues(): Promise<boolean>;
  count(request: FacetRequest, signal?: AbortSignal): Promise<FacetCounts>;
  /** The groups of documents; undefined for a document without a value. */
  groupsOf(keys: readonly number[]): Promise<(GroupKey | undefined)[]>;
  /** The number of all groups, or more, where that is known and every document is in one. */
  groupCount?(): number | undefined;
  sorted(request: SortedPageRequest): Promise<SortedPlace[]>;
}
