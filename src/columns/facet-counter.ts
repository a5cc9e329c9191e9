import type { DateInterval, FacetRequest } from '../backend/field-reading.js';
import type { Scalar } from '../backend/filter-tree.js';
import { TimeSlice } from '../time-slice.js';
import { type Bitset, hasItem } from '../vectors/bitset.js';
import { type FieldColumn, itemsPerLook } from './field-column.js';

const [hourMilliseconds, dayMilliseconds] = [3_600_000, 86_400_000];
/** Items with one value each between two looks at the clock; a multiple of 32. */
const singleItemsPerLook = 4 * itemsPerLook;

/** Counts documents by what their values of a field are in, part by part. Exact. */
export class FacetCounter {
  readonly #request: FacetRequest;
  readonly counts = new Map<Scalar, number>();
  documents = 0;
  missing = 0;

  constructor(request: FacetRequest) {
    this.#request = request;
  }

  /** Adds the allowed items of a part, of which there are `items`. Takes a few nanoseconds for each, in slices. */
  async add(column: FieldColumn, items: number, allowed: Bitset | undefined, signal?: AbortSignal): Promise<void> {
    const slice = new TimeSlice();
    const { buckets, bucketsOf } = await this.#bucketsOf(column, slice, signal);
    const counts = new Uint32Array(buckets.length);
    const part = { column, items, allowed, counts, bucketsOf, slice, signal };
    const { documents, missing } =
      column.single !== undefined && bucketsOf instanceof Int32Array
        ? await countSingle(part, column.single, bucketsOf)
        : await countAll(part);
    this.documents += documents;
    this.missing += missing;
    for (let bucket = 0; bucket < buckets.length; bucket++) {
      if (bucket % itemsPerLook === 0 && slice.due()) await slice.yieldIfDue(signal);
      const count = counts[bucket] as number;
      const key = buckets[bucket] as Scalar;
      if (count > 0) this.counts.set(key, (this.counts.get(key) ?? 0) + count);
    }
  }

  /** The keys of the buckets, and for each value its buckets: one, several, or -1 for none. */
  async #bucketsOf(
    column: FieldColumn,
    slice: TimeSlice,
    signal: AbortSignal | undefined,
  ): Promise<{ buckets: readonly Scalar[]; bucketsOf: ArrayLike<number | readonly number[]> }> {
    const request = this.#request;
    const { values } = column;
    if (request.by === 'value') {
      const own = new Int32Array(values.length);
      for (let number = 0; number < own.length; number++) own[number] = number;
      return { buckets: values, bucketsOf: own };
    }
    const instants = await column.instantsOfValues(slice, signal);
    const buckets: number[] = request.by === 'range' ? request.ranges.map((_, place) => place) : [];
    const numberOf = new Map<number, number>();
    /** By hours or days since 1970. */
    const bucketOf = new Map<number, number>();
    const bucketsOf = new Array<number | readonly number[]>(values.length);
    for (let number = 0; number < values.length; number++) {
      if (number % 256 === 0 && slice.due()) await slice.yieldIfDue(signal);
      const instant = instants[number] as number;
      if (request.by === 'range') {
        const found = buckets.filter((place) => {
          const { from, to } = request.ranges[place] as { from: number; to: number };
          return instant >= from && instant < to;
        });
        bucketsOf[number] = found.length === 0 ? -1 : found.length === 1 ? (found[0] as number) : found;
        continue;
      }
      // No interval but an hour begins within a day.
      const unit = Math.floor(instant / (request.interval === 'hour' ? hourMilliseconds : dayMilliseconds));
      let bucket = bucketOf.get(unit);
      if (bucket === undefined) {
        const begin = beginOf(instant, request.interval);
        bucket = Number.isNaN(begin) ? -1 : (numberOf.get(begin) ?? buckets.push(begin) - 1);
        numberOf.set(begin, bucket);
        bucketOf.set(unit, bucket);
      }
      bucketsOf[number] = bucket;
    }
    if (bucketsOf.every((bucket) => typeof bucket === 'number')) {
      return { buckets, bucketsOf: Int32Array.from(bucketsOf as number[]) };
    }
    return { buckets, bucketsOf };
  }
}

/** A part whose items are counted. */
interface CountedPart {
  readonly column: FieldColumn;
  readonly items: number;
  readonly allowed: Bitset | undefined;
  /** By bucket. */
  readonly counts: Uint32Array;
  readonly bucketsOf: ArrayLike<number | readonly number[]>;
  readonly slice: TimeSlice;
  readonly signal: AbortSignal | undefined;
}

type CountedItems = Pick<FacetCounter, 'documents' | 'missing'>;

/** Counts items that have one value each at most, which is in one bucket at most: about a nanosecond for each. */
async function countSingle(
  { items, allowed, counts, slice, signal }: CountedPart,
  single: Int32Array,
  bucketsOf: Int32Array,
): Promise<CountedItems> {
  // Behind the values, that none is there.
  const ofValues = new Uint32Array(bucketsOf.length + 1);
  let documents = 0;
  for (let first = 0; first < items; first += singleItemsPerLook) {
    if (slice.due()) await slice.yieldIfDue(signal);
    const last = Math.min(items, first + singleItemsPerLook);
    documents +=
      allowed === undefined ? tallyAll(single, first, last, ofValues) : tally(single, first, last, allowed, ofValues);
  }
  for (let number = 0; number < bucketsOf.length; number++) {
    const bucket = bucketsOf[number] as number;
    if (bucket >= 0) counts[bucket] = (counts[bucket] as number) + (ofValues[number + 1] as number);
  }
  return { documents, missing: ofValues[0] as number };
}

/** Counts the values of items from `first` to `last`: value n at place n + 1, none at 0. */
function tallyAll(single: Int32Array, first: number, last: number, ofValues: Uint32Array): number {
  for (let item = first; item < last; item++) {
    const place = (single[item] as number) + 1;
    ofValues[place] = (ofValues[place] as number) + 1;
  }
  return last - first;
}

/** The same for the items of a set; `first` is a multiple of 32. */
function tally(single: Int32Array, first: number, last: number, allowed: Bitset, ofValues: Uint32Array): number {
  let documents = 0;
  for (let begin = first; begin < last; begin += 32) {
    let word = allowed[begin >>> 5] ?? 0;
    for (; word !== 0; word &= word - 1) {
      const item = begin + 31 - Math.clz32(word & -word);
      if (item >= last) break;
      const place = (single[item] as number) + 1;
      ofValues[place] = (ofValues[place] as number) + 1;
      documents++;
    }
  }
  return documents;
}

async function countAll({
  column: { ends, numbers },
  items,
  allowed,
  counts,
  bucketsOf,
  slice,
  signal,
}: CountedPart): Promise<CountedItems> {
  const lastItem = new Int32Array(counts.length).fill(-1);
  let [documents, missing, begin] = [0, 0, 0];
  for (let first = 0; first < items; first += itemsPerLook) {
    if (slice.due()) await slice.yieldIfDue(signal);
    const last = Math.min(items, first + itemsPerLook);
    for (let item = first; item < last; item++) {
      const end = ends[item] as number;
      if (allowed === undefined || hasItem(allowed, item)) {
        documents++;
        if (begin === end) missing++;
        for (let place = begin; place < end; place++) {
          const bucket = bucketsOf[numbers[place] as number];
          if (typeof bucket === 'number') {
            if (bucket < 0 || lastItem[bucket] === item) continue;
            lastItem[bucket] = item;
            counts[bucket] = (counts[bucket] as number) + 1;
          } else {
            for (const one of bucket as readonly number[]) {
              if (lastItem[one] === item) continue;
              lastItem[one] = item;
              counts[one] = (counts[one] as number) + 1;
            }
          }
        }
      }
      begin = end;
    }
  }
  return { documents, missing };
}

/** The begin of the interval that an instant is in, in UTC; NaN outside the range of dates. */
export function beginOf(instant: number, interval: DateInterval): number {
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
