import type { DateInterval, FacetRequest, InstantRange } from '../backend/field-reading.js';
import type { Scalar } from '../backend/filter-tree.js';
import type { TimeSlice } from '../time-slice.js';
import { type FieldColumn, itemsPerLook } from './field-column.js';

const [hourMilliseconds, dayMilliseconds] = [3_600_000, 86_400_000];

/** What documents are counted in: values, ranges or intervals, numbered from 0. */
export interface FacetBuckets {
  readonly size: number;
  /** The value, the place of the range, or the begin of the interval. */
  keyOf(bucket: number): Scalar;
  bucketOf(key: Scalar): number | undefined;
}

/** The buckets of the values of a column. */
export interface ColumnBuckets {
  readonly buckets: FacetBuckets;
  /** For each value its cell, -1 for none; undefined where every value is a cell of its own. */
  readonly cellOfValues: Int32Array | undefined;
  readonly cells: number;
  /** For each item 2 + the cell of its only value, 1 if that has none, 0 without a value; only where it is kept. */
  readonly cellOfItems?: Int32Array | undefined;
  /** The buckets of the cells; undefined where every cell is a bucket. */
  readonly bucketsOfCells: BucketsOfCells | undefined;
}

/** Buckets by cell: those of cell c lie from `starts[c]` to `starts[c + 1]`. */
export interface BucketsOfCells {
  readonly starts: Uint32Array;
  readonly buckets: Uint32Array;
}

/** Finds the buckets of a column. Takes a few nanoseconds for each of its values, in slices; those of dates are kept. */
export async function bucketsOf(
  column: FieldColumn,
  request: FacetRequest,
  slice: TimeSlice,
  signal?: AbortSignal,
): Promise<ColumnBuckets> {
  switch (request.by) {
    case 'value':
      return {
        buckets: {
          size: column.values.length,
          keyOf: (bucket) => column.values[bucket] as Scalar,
          bucketOf: (key) => column.numberOf(key),
        },
        cellOfValues: undefined,
        cells: column.values.length,
        bucketsOfCells: undefined,
      };
    case 'range':
      return rangeBuckets(request.ranges, await column.instantsOfValues(slice, signal), slice, signal);
    case 'date': {
      const known = keptIntervals.get(column)?.get(request.interval);
      if (known !== undefined) return known;
      const instants = await column.instantsOfValues(slice, signal);
      const ofValues = await dateBuckets(request.interval, instants, slice, signal);
      const found = { ...ofValues, cellOfItems: await cellsOfItems(column, ofValues.cellOfValues, slice, signal) };
      const kept = keptIntervals.get(column) ?? new Map<DateInterval, ColumnBuckets>();
      keptIntervals.set(column, kept.set(request.interval, found));
      return found;
    }
  }
}

const keptIntervals = new WeakMap<FieldColumn, Map<DateInterval, ColumnBuckets>>();

/** The bounds of the ranges make cells, each of which lies in every range wholly or not at all. */
async function rangeBuckets(
  ranges: readonly InstantRange[],
  instants: Float64Array,
  slice: TimeSlice,
  signal: AbortSignal | undefined,
): Promise<ColumnBuckets> {
  const bounds = Float64Array.from(new Set(ranges.flatMap(({ from, to }) => [from, to]))).sort();
  // Cell c begins at bound c - 1.
  const rangesOfCells = Array.from({ length: bounds.length + 1 }, (_, cell) => {
    const [begin, end] = [bounds[cell - 1] ?? Number.NEGATIVE_INFINITY, bounds[cell] ?? Number.POSITIVE_INFINITY];
    return [...ranges.keys()].filter((place) => {
      const { from, to } = ranges[place] as InstantRange;
      return from <= begin && end <= to;
    });
  });
  const areDisjoint = rangesOfCells.every(({ length }) => length <= 1);
  const numberOfCell = Int32Array.from(rangesOfCells, ([only], cell) =>
    only === undefined ? -1 : areDisjoint ? only : cell,
  );
  const cellOfValues = new Int32Array(instants.length);
  for (let first = 0; first < instants.length; first += itemsPerLook) {
    if (slice.due()) await slice.yieldIfDue(signal);
    findCells(instants, bounds, numberOfCell, first, cellOfValues);
  }
  const buckets = { size: ranges.length, keyOf: (bucket: number) => bucket, bucketOf: (key: Scalar) => key as number };
  if (areDisjoint) return { buckets, cellOfValues, cells: ranges.length, bucketsOfCells: undefined };
  return { buckets, cellOfValues, cells: rangesOfCells.length, bucketsOfCells: joined(rangesOfCells) };
}

function joined(lists: readonly (readonly number[])[]): BucketsOfCells {
  const starts = new Uint32Array(lists.length + 1);
  for (const [cell, { length }] of lists.entries()) starts[cell + 1] = (starts[cell] as number) + length;
  return { starts, buckets: Uint32Array.from(lists.flat()) };
}

/** Finds the cells of `itemsPerLook` values from `first` on: the number of bounds that are not above each. */
function findCells(
  instants: Float64Array,
  bounds: Float64Array,
  numberOfCell: Int32Array,
  first: number,
  cellOfValues: Int32Array,
): void {
  const last = Math.min(instants.length, first + itemsPerLook);
  for (let value = first; value < last; value++) {
    const instant = instants[value] as number;
    let [low, high] = [0, bounds.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((bounds[middle] as number) <= instant) low = middle + 1;
      else high = middle;
    }
    cellOfValues[value] = Number.isNaN(instant) ? -1 : (numberOfCell[low] as number);
  }
}

async function dateBuckets(
  interval: DateInterval,
  instants: Float64Array,
  slice: TimeSlice,
  signal: AbortSignal | undefined,
): Promise<ColumnBuckets & { readonly cellOfValues: Int32Array }> {
  const begins: number[] = [];
  const numberOf = new Map<number, number>();
  // By hours or days since 1970: no interval but an hour begins within a day.
  const bucketOfUnit = new Map<number, number>();
  const unitMilliseconds = interval === 'hour' ? hourMilliseconds : dayMilliseconds;
  const cellOfValues = new Int32Array(instants.length);
  for (let value = 0; value < instants.length; value++) {
    if (value % 256 === 0 && slice.due()) await slice.yieldIfDue(signal);
    const instant = instants[value] as number;
    const unit = Math.floor(instant / unitMilliseconds);
    let bucket = bucketOfUnit.get(unit);
    if (bucket === undefined) {
      const begin = beginOf(instant, interval);
      bucket = Number.isNaN(begin) ? -1 : (numberOf.get(begin) ?? begins.push(begin) - 1);
      if (bucket >= 0) numberOf.set(begin, bucket);
      bucketOfUnit.set(unit, bucket);
    }
    cellOfValues[value] = bucket;
  }
  const buckets = {
    size: begins.length,
    keyOf: (bucket: number) => begins[bucket] as number,
    bucketOf: (key: Scalar) => numberOf.get(key as number),
  };
  return { buckets, cellOfValues, cells: begins.length, bucketsOfCells: undefined };
}

/** See `ColumnBuckets.cellOfItems`; undefined for a column with several values of an item. */
async function cellsOfItems(
  { single }: FieldColumn,
  cellOfValues: Int32Array,
  slice: TimeSlice,
  signal: AbortSignal | undefined,
): Promise<Int32Array | undefined> {
  if (single === undefined) return undefined;
  const cells = new Int32Array(single.length);
  for (let item = 0; item < cells.length; item++) {
    if (item % itemsPerLook === 0 && slice.due()) await slice.yieldIfDue(signal);
    const value = single[item] as number;
    if (value >= 0) cells[item] = 2 + (cellOfValues[value] as number);
  }
  return cells;
}

/** The begin of the interval that an instant is in, in UTC; NaN outside the range of dates. */
function beginOf(instant: number, interval: DateInterval): number {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return Number.NaN;
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  switch (interval) {
    case 'hour':
      return Math.floor(instant / hourMilliseconds) * hourMilliseconds;
    case 'day':
      return Math.floor(instant / dayMilliseconds) * dayMilliseconds;
    case 'week': {
      // 1970-01-01 was a Thursday.
      const days = Math.floor(instant / dayMilliseconds);
      return (Math.floor((days + 3) / 7) * 7 - 3) * dayMilliseconds;
    }
    case 'month':
      return startOf(year, month);
    case 'quarter':
      return startOf(year, month - (month % 3));
    case 'year':
      return startOf(year, 0);
  }
}

/** Date.UTC means 19xx by years below 100. */
function startOf(year: number, month: number): number {
  return new Date(0).setUTCFullYear(year, month, 1);
}
