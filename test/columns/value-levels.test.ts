import fc from 'fast-check';
import { expect, test } from 'vitest';
import { valueLevels } from '../../src/columns/value-levels.js';
import { TimeSlice } from '../../src/time-slice.js';

test('limits each level by the least and the greatest of its numbers, and orders levels by them', async () => {
  const number = fc.oneof(fc.double(), fc.integer({ min: -3, max: 3 }), fc.constant(Number.NaN));
  const repeated = fc.tuple(fc.array(number, { maxLength: 300 }), fc.integer({ min: 1, max: 60 }));
  await fc.assert(
    fc.asyncProperty(repeated, async ([some, times]) => {
      const numbers = Float64Array.from(
        { length: some.length * times },
        (_, item) => some[item % some.length] as number,
      );
      const { ofItems, limits } = await valueLevels(numbers, new TimeSlice(), undefined);
      expect(ofItems).toHaveLength(numbers.length);
      const members = new Map<number, number[]>();
      for (const [item, level] of ofItems.entries()) {
        members.set(level, [...(members.get(level) ?? []), numbers[item] as number]);
      }
      let last = Number.NEGATIVE_INFINITY;
      for (const [level, own] of [...members].sort(([left], [right]) => left - right)) {
        if (level === 0) {
          expect(own.every((one) => Number.isNaN(one))).toBe(true);
          continue;
        }
        const [least, greatest] = [own.reduce((a, b) => Math.min(a, b)), own.reduce((a, b) => Math.max(a, b))];
        expect(Number(limits[2 * level])).toBeCloseTo(least, 12);
        expect(Number(limits[2 * level + 1])).toBeCloseTo(greatest, 12);
        expect(least >= last).toBe(true);
        last = greatest;
      }
    }),
    { numRuns: 50 },
  );
});

test('divides many numbers into levels that become smaller towards the greatest', async () => {
  const numbers = Float64Array.from({ length: 100_000 }, (_, item) => (item * 7_919) % 100_003);
  const { ofItems } = await valueLevels(numbers, new TimeSlice(), undefined);
  const sizes = new Map<number, number>();
  for (const level of ofItems) sizes.set(level, (sizes.get(level) ?? 0) + 1);
  expect(sizes.size).toBeGreaterThan(120);
  expect(Math.max(...sizes.values())).toBeLessThan(2_000);
  const highest = [...sizes].sort(([left], [right]) => right - left).map(([, size]) => size);
  const sumOf = (some: readonly number[]): number => some.reduce((sum, size) => sum + size, 0);
  expect(sumOf(highest.slice(0, 12))).toBeLessThan(2_000);
  expect(sumOf(highest.slice(0, 40))).toBeLessThan(12_000);
});
