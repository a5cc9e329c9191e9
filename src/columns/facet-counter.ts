import type { CountsByValue, FacetRequest } from '../backend/field-reading.js';
import type { Scalar } from '../backend/filter-tree.js';
import { TimeSlice } from '../time-slice.js';
import type { Bitset } from '../vectors/bitset.js';
import { bucketsOf, type FacetBuckets } from './facet-buckets.js';
import type { FieldColumn } from './field-column.js';
import { tallyOf } from './item-tally.js';

/** Counts documents by what their values of a field are in, part by part. Exact. */
export class FacetCounter {
  readonly #request: FacetRequest;
  readonly #counts = new PartCounts();
  documents = 0;
  missing = 0;

  constructor(request: FacetRequest) {
    this.#request = request;
  }

  get counts(): CountsByValue {
    return this.#counts;
  }

  /**
   * Adds the allowed items of a part, of which there are `items`. Takes a few nanoseconds for each, in slices. Those of the part with the
   * most values should be added first.
   */
  async add(column: FieldColumn, items: number, allowed: Bitset | undefined, signal?: AbortSignal): Promise<void> {
    const slice = new TimeSlice();
    const found = await bucketsOf(column, this.#request, slice, signal);
    const tally = tallyOf(column, found);
    for (let first = 0; first < items; first += tally.itemsPerLook) {
      if (slice.due()) await slice.yieldIfDue(signal);
      const last = Math.min(items, first + tally.itemsPerLook);
      this.documents += allowed === undefined ? tally.addAll(first, last) : tally.addSome(first, last, allowed);
    }
    this.missing += tally.missing;
    this.#counts.add(found.buckets, tally.counts());
  }
}

/** Counts of buckets: those of the first part by their numbers, others by key. */
class PartCounts implements CountsByValue {
  #buckets: FacetBuckets | undefined;
  #counts: Uint32Array = new Uint32Array(0);
  readonly #others = new Map<Scalar, number>();

  add(buckets: FacetBuckets, counts: Uint32Array): void {
    if (this.#buckets === undefined) {
      [this.#buckets, this.#counts] = [buckets, counts];
      return;
    }
    for (let bucket = 0; bucket < counts.length; bucket++) {
      const count = counts[bucket] as number;
      if (count === 0) continue;
      const key = buckets.keyOf(bucket);
      const known = this.#buckets.bucketOf(key);
      if (known === undefined) this.#others.set(key, (this.#others.get(key) ?? 0) + count);
      else this.#counts[known] = (this.#counts[known] as number) + count;
    }
  }

  get size(): number {
    let size = this.#others.size;
    const counts = this.#counts;
    for (let bucket = 0; bucket < counts.length; bucket++) if ((counts[bucket] as number) > 0) size++;
    return size;
  }

  forEach(visit: (count: number, value: Scalar) => void): void {
    const [counts, buckets] = [this.#counts, this.#buckets as FacetBuckets];
    for (let bucket = 0; bucket < counts.length; bucket++) {
      const count = counts[bucket] as number;
      if (count > 0) visit(count, buckets.keyOf(bucket));
    }
    this.#others.forEach(visit);
  }
}
