import type { SortedPageRequest, SortedPlace } from '../backend/field-reading.js';
import type { Scalar } from '../backend/filter-tree.js';
import { TimeSlice } from '../time-slice.js';
import { type Bitset, hasItem } from '../vectors/bitset.js';
import { compareScalars, type FieldColumn, itemsPerLook } from './field-column.js';

/** The order of documents by their values of a field; those without a value are last, and equal ones are in the order of their keys. */
export function compareSortedPlaces(left: SortedPlace, right: SortedPlace, descending: boolean): number {
  if (left.value === undefined || right.value === undefined) {
    if (left.value === right.value) return left.key - right.key;
    return left.value === undefined ? 1 : -1;
  }
  const order = compareScalars(left.value, right.value);
  return (descending ? -order : order) || left.key - right.key;
}

/** Collects the first documents in the order of a field, part by part. */
export class SortedPage {
  readonly #request: SortedPageRequest;
  readonly #sign: 1 | -1;
  /** A heap: the last place of the page comes first. */
  readonly #heap: SortedPlace[] = [];

  constructor(request: SortedPageRequest) {
    this.#request = request;
    this.#sign = request.descending ? -1 : 1;
  }

  async add(
    column: FieldColumn,
    items: number,
    allowed: Bitset | undefined,
    keyOf: (item: number) => number,
  ): Promise<void> {
    const slice = new TimeSlice();
    const { signal, after, limit } = this.#request;
    for (let item = 0; item < items; item++) {
      if (item % (itemsPerLook / 4) === 0 && slice.due()) await slice.yieldIfDue(signal);
      if (allowed !== undefined && !hasItem(allowed, item)) continue;
      const place = { key: keyOf(item), value: this.#valueOf(column, item) };
      if (after !== undefined && this.#compare(place, after) <= 0) continue;
      if (this.#heap.length < limit) this.#push(place);
      else if (this.#compare(place, this.#heap[0] as SortedPlace) < 0) this.#replace(place);
    }
  }

  /** The page in its order. */
  take(): SortedPlace[] {
    return this.#heap.sort((left, right) => this.#compare(left, right));
  }

  #valueOf(column: FieldColumn, item: number): Scalar | undefined {
    const { ends, numbers, values } = column;
    let found: Scalar | undefined;
    for (let place = column.beginOf(item); place < (ends[item] as number); place++) {
      const value = values[numbers[place] as number] as Scalar;
      if (found === undefined || this.#sign * compareScalars(value, found) < 0) found = value;
    }
    return found;
  }

  #compare(left: SortedPlace, right: SortedPlace): number {
    return compareSortedPlaces(left, right, this.#request.descending);
  }

  #push(place: SortedPlace): void {
    const heap = this.#heap;
    let at = heap.push(place) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#compare(heap[parent] as SortedPlace, place) >= 0) break;
      heap[at] = heap[parent] as SortedPlace;
      at = parent;
    }
    heap[at] = place;
  }

  #replace(place: SortedPlace): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && this.#compare(heap[right] as SortedPlace, heap[child] as SortedPlace) > 0)
        child = right;
      if (this.#compare(heap[child] as SortedPlace, place) <= 0) break;
      heap[at] = heap[child] as SortedPlace;
      at = child;
    }
    heap[at] = place;
  }
}
