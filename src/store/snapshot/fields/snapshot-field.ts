import type {
  FacetCounts,
  FacetRequest,
  FieldReading,
  GroupKey,
  SortedPageRequest,
  SortedPlace,
} from '../../../backend/field-reading.js';
import { FacetCounter } from '../../../columns/facet-counter.js';
import type { FieldColumn } from '../../../columns/field-column.js';
import { SortedPage } from '../../../columns/sorted-page.js';
import type { Bitset } from '../../../vectors/bitset.js';
import { itemOf, keyAt, type SortedKeys } from '../../catalog/sorted-keys.js';

/** More values of several parts are not joined to count groups. */
const maxCountedGroups = 256;

/** A part of a snapshot with the values of a field. */
export interface FieldPart {
  readonly keys: SortedKeys;
  /** Items that exist, and items that pass the filter; undefined for all. */
  readonly alive: Bitset | undefined;
  readonly matching: Bitset | undefined;
  readonly column: FieldColumn;
}

const byValues = (left: FieldPart, right: FieldPart): number => right.column.values.length - left.column.values.length;

/** The values of a field in the parts of a snapshot. */
export class SnapshotField implements FieldReading {
  readonly parts: readonly FieldPart[];

  constructor(parts: readonly FieldPart[]) {
    this.parts = parts;
  }

  async hasValues(): Promise<boolean> {
    return this.parts.some(({ column }) => column.values.length > 0);
  }

  async count(request: FacetRequest, signal?: AbortSignal): Promise<FacetCounts> {
    const counter = new FacetCounter(request);
    for (const part of this.parts.toSorted(byValues)) {
      await counter.add(part.column, part.keys.offsets.length, allowedOf(part), signal);
    }
    return counter;
  }

  async groupsOf(keys: readonly number[]): Promise<(GroupKey | undefined)[]> {
    return keys.map((key) => {
      for (const part of this.parts) {
        const item = itemOf(part.keys, key);
        if (item >= 0) return part.column.groupOf(item);
      }
      return undefined;
    });
  }

  groupCount(): number | undefined {
    if (this.parts.some(({ column }) => column.single === undefined || !column.isFull)) return undefined;
    if (this.parts.length === 1) return this.parts[0]?.column.values.length;
    const values = this.parts.reduce((sum, { column }) => sum + column.values.length, 0);
    if (values > maxCountedGroups) return undefined;
    return new Set(this.parts.flatMap(({ column }) => [...column.values.keys()].map((one) => column.groupOfValue(one))))
      .size;
  }

  async sorted(request: SortedPageRequest): Promise<SortedPlace[]> {
    const page = new SortedPage(request);
    for (const part of this.parts) {
      const { keys, column } = part;
      await page.add(column, keys.offsets.length, allowedOf(part), (item) => keyAt(keys, item));
    }
    return page.take();
  }
}

/** The items that exist and pass the filter; undefined for all. */
function allowedOf({ alive, matching }: FieldPart): Bitset | undefined {
  if (alive === undefined || matching === undefined) return alive ?? matching;
  return alive.map((word, place) => word & (matching[place] ?? 0));
}
