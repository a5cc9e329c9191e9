import type { RankBoost } from '../../backend/read-snapshot.js';
import type { FieldColumn } from '../../columns/field-column.js';
import { greatestFactorOf } from '../../ranking/fused-candidates.js';

/** Bounds of a product of factors, those of native/kernel/factors/item_factors.h. */
const [leastFactor, greatestFactor] = [2 ** -512, 2 ** 512];

/** The values of a field by document. */
export interface KeyedColumn {
  /** The place of a document in the column; undefined for a document that the selection does not have. */
  placeOf(key: number): number | undefined;
  readonly column: FieldColumn;
}

/** What the scores of documents are multiplied by. */
export class BoostFactors {
  /** No document has a larger factor. */
  readonly greatest: number;
  readonly #boosts: readonly RankBoost[];
  readonly #instants: ReadonlyMap<string, (key: number) => number>;
  readonly #matches: (filter: number, keys: readonly number[]) => Promise<boolean[]>;

  private constructor(
    boosts: readonly RankBoost[],
    instants: ReadonlyMap<string, (key: number) => number>,
    matches: (filter: number, keys: readonly number[]) => Promise<boolean[]>,
    greatest: number,
  ) {
    this.#boosts = boosts;
    this.#instants = instants;
    this.#matches = matches;
    this.greatest = greatest;
  }

  /** @param columnOf reads the column of a field. @param matches which documents match a filter of the snapshot. */
  static async read(
    boosts: readonly RankBoost[],
    columnOf: (field: string) => Promise<KeyedColumn>,
    matches: (filter: number, keys: readonly number[]) => Promise<boolean[]>,
    signal: AbortSignal | undefined,
  ): Promise<BoostFactors> {
    const instants = new Map<string, (key: number) => number>();
    for (const boost of boosts) {
      if (boost.by === 'filter' || instants.has(boost.field)) continue;
      const { column, placeOf } = await columnOf(boost.field);
      const { ofItems } = await column.instants(signal);
      instants.set(boost.field, (key) => {
        const place = placeOf(key);
        return place === undefined ? Number.NaN : (ofItems[place] as number);
      });
    }
    return new BoostFactors(boosts, instants, matches, greatestFactorOf(boosts));
  }

  /** The factor of each document. */
  async of(keys: readonly number[]): Promise<number[]> {
    const factors = keys.map(() => 1);
    for (const boost of this.#boosts) {
      const own =
        boost.by === 'filter'
          ? (await this.#matches(boost.filter, keys)).map((matches) => (matches ? boost.factor : 1))
          : keys.map((key) => factorOf(boost, this.#instants.get(boost.field)?.(key) ?? Number.NaN));
      for (const [place, factor] of own.entries()) factors[place] = (factors[place] as number) * factor;
    }
    return factors.map((factor) => Math.min(greatestFactor, Math.max(leastFactor, factor)));
  }
}

function factorOf(boost: Exclude<RankBoost, { by: 'filter' }>, value: number): number {
  if (Number.isNaN(value)) return 1;
  if (boost.by === 'decay') return 2 ** (-Math.max(0, boost.now - value) / boost.halfLife);
  return value > 0 ? 1 + (boost.factor - 1) * (value / (value + boost.scale)) : 1;
}
