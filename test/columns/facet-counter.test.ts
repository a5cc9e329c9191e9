import { describe, expect, it } from 'vitest';
import { type DateInterval, dateIntervals, type FacetRequest } from '../../src/backend/field-reading.js';
import type { Scalar } from '../../src/backend/filter-tree.js';
import { FacetCounter } from '../../src/columns/facet-counter.js';
import { type FieldColumn, FieldColumnBuilder } from '../../src/columns/field-column.js';
import { instantOf } from '../../src/columns/instant.js';
import { Random } from '../../src/random.js';
import { addItem, createBitset } from '../../src/vectors/bitset.js';

type Documents = readonly (readonly Scalar[])[];

/** A part of an index: the documents that pass, and the column of all. */
interface Part {
  readonly column: FieldColumn;
  readonly allowed: Uint32Array | undefined;
  readonly passing: Documents;
}

function columnOf(documents: Documents): FieldColumn {
  const builder = new FieldColumnBuilder(documents.length);
  for (const values of documents) {
    for (const value of values) builder.add(builder.numberOf(value));
    builder.next();
  }
  return builder.column();
}

/** Lists with repeated elements, empty lists and single values, of dates, numbers and words. */
function randomPart(random: Random, isSingle: boolean): Part {
  const value = (): Scalar => {
    const kind = random.integer(8);
    if (kind === 0) return random.pick(['soon', '', true, false, 0, -0]);
    if (kind < 4) return random.integer(60) - 10;
    return new Date(Date.UTC(2020, random.integer(30), 1 + random.integer(20), random.integer(24))).toISOString();
  };
  const documents = Array.from({ length: random.integer(100) }, () =>
    Array.from({ length: random.integer(isSingle ? 2 : 6) }, value).flatMap((one) =>
      !isSingle && random.chance(0.3) ? [one, one] : [one],
    ),
  );
  const column = columnOf(documents);
  if (random.chance(0.4)) return { column, allowed: undefined, passing: documents };
  const allowed = createBitset(documents.length, false);
  const share = random.pick([0, 0.1, 0.5, 1]);
  const passing = documents.filter((_, item) => {
    const passes = random.chance(share);
    if (passes) addItem(allowed, item);
    return passes;
  });
  return { column, allowed, passing };
}

function randomRequest(random: Random): FacetRequest {
  const kind = random.integer(3);
  if (kind === 0) return { by: 'value' };
  if (kind === 1) return { by: 'date', interval: random.pick(dateIntervals) };
  const bound = () =>
    random.chance(0.5) ? random.integer(60) - 10 : Date.UTC(2020, random.integer(30), 1 + random.integer(20));
  const ranges = Array.from({ length: 1 + random.integer(random.pick([4, 30])) }, () => {
    const [one, other] = [bound(), bound()];
    const range = { from: Math.min(one, other), to: Math.max(one, other) + 1 };
    const open = random.integer(6);
    if (open === 0) return { ...range, from: Number.NEGATIVE_INFINITY };
    return open === 1 ? { ...range, to: Number.POSITIVE_INFINITY } : range;
  });
  return { by: 'range', ranges };
}

/** The keys that a document counts for, one value after the other. */
function keysOf(values: readonly Scalar[], request: FacetRequest): Set<Scalar> {
  if (request.by === 'value') return new Set(values);
  const instants = values.map(instantOf).filter((instant) => !Number.isNaN(instant));
  if (request.by === 'range') {
    const places = request.ranges.keys();
    return new Set(
      [...places].filter((place) =>
        instants.some((instant) => {
          const { from, to } = request.ranges[place] as { from: number; to: number };
          return from <= instant && instant < to;
        }),
      ),
    );
  }
  return new Set(instants.map((instant) => beginOf(new Date(instant), request.interval)));
}

function beginOf(date: Date, interval: DateInterval): number {
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  switch (interval) {
    case 'hour':
      return Date.UTC(year, month, day, date.getUTCHours());
    case 'day':
      return Date.UTC(year, month, day);
    case 'week':
      return Date.UTC(year, month, day - ((date.getUTCDay() + 6) % 7));
    case 'month':
      return Date.UTC(year, month);
    case 'quarter':
      return Date.UTC(year, month - (month % 3));
    case 'year':
      return Date.UTC(year, 0);
  }
}

describe('FacetCounter', () => {
  it('counts what a walk over the documents of all parts counts', async () => {
    const random = new Random(7);
    for (let round = 0; round < 1_500; round++) {
      const parts = Array.from({ length: 1 + random.integer(3) }, () => randomPart(random, random.chance(0.4)));
      const request = randomRequest(random);
      const counter = new FacetCounter(request);
      for (const { column, allowed } of parts) await counter.add(column, column.items, allowed);
      const passing = parts.flatMap((part) => part.passing);
      const expected = new Map<Scalar, number>();
      for (const values of passing) {
        for (const key of keysOf(values, request)) expected.set(key, (expected.get(key) ?? 0) + 1);
      }
      const counts = new Map<Scalar, number>();
      counter.counts.forEach((count, key) => {
        expect(counts.has(key), `a key twice in round ${round}`).toBe(false);
        counts.set(key, count);
      });
      expect(counts, `round ${round}: ${JSON.stringify(request)}`).toEqual(expected);
      expect(counter.counts.size).toBe(expected.size);
      expect(counter.documents).toBe(passing.length);
      expect(counter.missing).toBe(passing.filter(({ length }) => length === 0).length);
    }
  });

  it('counts the same for a column that was read before by other ranges and intervals', async () => {
    const column = columnOf([['2026-01-31T23:00:00Z', 5], ['2026-02-01'], [], [5, 5, 7]]);
    const counted = async (request: FacetRequest) => {
      const counter = new FacetCounter(request);
      await counter.add(column, column.items, undefined);
      const found: [Scalar, number][] = [];
      counter.counts.forEach((count, key) => {
        found.push([key, count]);
      });
      return found.sort(([a], [b]) => Number(a) - Number(b));
    };
    const months = [
      [0, 2],
      [Date.UTC(2026, 0), 1],
      [Date.UTC(2026, 1), 1],
    ];
    expect(await counted({ by: 'date', interval: 'month' })).toEqual(months);
    expect(
      await counted({
        by: 'range',
        ranges: [
          { from: 5, to: 6 },
          { from: 5, to: 8 },
        ],
      }),
    ).toEqual([
      [0, 2],
      [1, 2],
    ]);
    expect(await counted({ by: 'date', interval: 'year' })).toEqual([
      [0, 2],
      [Date.UTC(2026, 0), 2],
    ]);
    expect(await counted({ by: 'date', interval: 'month' })).toEqual(months);
  });
});
