import type {
  FacetCounts,
  FacetRequest,
  FieldReading,
  GroupKey,
  SortedPageRequest,
  SortedPlace,
} from '../../backend/field-reading.js';
import type { Field } from '../../backend/filter-tree.js';
import { FacetCounter } from '../../columns/facet-counter.js';
import { type FieldColumn, FieldColumnBuilder } from '../../columns/field-column.js';
import { reachedValues } from '../../columns/reached-values.js';
import { SortedPage } from '../../columns/sorted-page.js';
import { TimeSlice } from '../../time-slice.js';
import type { Condition, DocumentReads } from '../tables/document-reads.js';
import type { KeyedColumn } from './boosts.js';

const documentsPerRead = 8_192;

/** The keys of some documents, ascending, and the values of a field in them. */
export interface ReadField extends KeyedColumn {
  readonly keys: Float64Array;
}

/** Reads the values of a field in all documents that match, by the rules of the embedded store. */
export async function readField(
  reads: DocumentReads,
  field: Field,
  condition: Condition,
  documents: number,
  signal: AbortSignal | undefined,
): Promise<ReadField> {
  const slice = new TimeSlice();
  const keys = new Float64Array(documents);
  const builder = new FieldColumnBuilder(documents);
  let count = 0;
  for await (const rows of reads.metadata(condition, documentsPerRead)) {
    signal?.throwIfAborted();
    for (const { key, metadata } of rows) {
      if (metadata !== null) {
        for (const value of reachedValues(JSON.parse(metadata), field.readings)) builder.add(builder.numberOf(value));
      }
      keys[count++] = key;
      builder.next();
      if (slice.due()) await slice.yieldIfDue(signal);
    }
  }
  const column = builder.column();
  return { keys, column, placeOf: (key) => placeIn(keys, key) };
}

function placeIn(keys: Float64Array, key: number): number | undefined {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] as number) < key) low = middle + 1;
    else high = middle;
  }
  return keys[low] === key ? low : undefined;
}

/** Keys of the documents in some groups of a field. */
export function keysOfGroups({ keys, column }: ReadField, groups: Iterable<GroupKey>): number[] {
  const bits = column.itemsOfGroups(groups);
  return [...keys.keys()]
    .filter((item) => ((bits[item >>> 5] as number) >>> (item & 31)) & 1)
    .map((item) => keys[item] as number);
}

/** The values of one field in the documents that pass the filter of a snapshot. */
export class PostgresField implements FieldReading {
  readonly #field: Field;
  readonly #read: () => Promise<ReadField>;
  readonly #reads: DocumentReads;
  /** Documents in which the name reaches anything at all. */
  readonly #exists: Condition;

  constructor(field: Field, read: () => Promise<ReadField>, reads: DocumentReads, exists: Condition) {
    this.#field = field;
    this.#read = read;
    this.#reads = reads;
    this.#exists = exists;
  }

  async hasValues(): Promise<boolean> {
    for await (const rows of this.#reads.metadata(this.#exists, 256)) {
      const hasValue = rows.some(
        ({ metadata }) => metadata !== null && reachedValues(JSON.parse(metadata), this.#field.readings).length > 0,
      );
      if (hasValue) return true;
    }
    return false;
  }

  async count(request: FacetRequest, signal?: AbortSignal): Promise<FacetCounts> {
    const { keys, column } = await this.#read();
    const counter = new FacetCounter(request);
    await counter.add(column, keys.length, undefined, signal);
    return counter;
  }

  async groupsOf(keys: readonly number[]): Promise<(GroupKey | undefined)[]> {
    const { column, placeOf } = await this.#read();
    return keys.map((key) => {
      const place = placeOf(key);
      return place === undefined ? undefined : (column as FieldColumn).groupOf(place);
    });
  }

  async sorted(request: SortedPageRequest): Promise<SortedPlace[]> {
    const { keys, column } = await this.#read();
    const page = new SortedPage(request);
    await page.add(column, keys.length, undefined, (item) => keys[item] as number);
    return page.take();
  }
}
