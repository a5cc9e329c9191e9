import type {
  FacetCounts,
  FacetRequest,
  FieldReading,
  GroupKey,
  SortedPageRequest,
  SortedPlace,
} from '../backend/field-reading.js';
import type { Scalar } from '../backend/filter-tree.js';
import { compareSortedPlaces } from '../columns/sorted-page.js';
import { askByNumber, type Placement, settled } from './placement.js';

/** The values of a field in all shards. */
export class ShardedField implements FieldReading {
  readonly #placement: Placement;
  readonly #fields: readonly FieldReading[];

  constructor(placement: Placement, fields: readonly FieldReading[]) {
    this.#placement = placement;
    this.#fields = fields;
  }

  async hasValues(): Promise<boolean> {
    return (await settled(this.#fields.map((field) => field.hasValues()))).includes(true);
  }

  async count(request: FacetRequest, signal?: AbortSignal): Promise<FacetCounts> {
    const counts = new Map<Scalar, number>();
    let [documents, missing] = [0, 0];
    for (const own of await settled(this.#fields.map((field) => field.count(request, signal)))) {
      documents += own.documents;
      missing += own.missing;
      own.counts.forEach((count, value) => {
        counts.set(value, (counts.get(value) ?? 0) + count);
      });
    }
    return { documents, missing, counts };
  }

  groupsOf(keys: readonly number[]): Promise<(GroupKey | undefined)[]> {
    return askByNumber(this.#placement, keys, (shard, locals) =>
      (this.#fields[shard] as FieldReading).groupsOf(locals),
    );
  }

  /** The same group may be in several shards: their sum is as many groups, or more. */
  groupCount(): number | undefined {
    const counts = this.#fields.map((field) => field.groupCount?.());
    return counts.reduce((sum, count) => (sum === undefined || count === undefined ? undefined : sum + count), 0);
  }

  async sorted(request: SortedPageRequest): Promise<SortedPlace[]> {
    const { after, limit } = request;
    const pages = await settled(
      this.#fields.map(async (field, shard) => {
        const key = after && this.#placement.after(after.key, shard);
        const page = await field.sorted({ ...request, after: after && { ...after, key: key as number } });
        return page.map((place) => ({ ...place, key: this.#placement.global(place.key, shard) }));
      }),
    );
    return pages
      .flat()
      .sort((left, right) => compareSortedPlaces(left, right, request.descending))
      .slice(0, limit);
  }
}
