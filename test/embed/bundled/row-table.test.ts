import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Quantization, RowTable } from '../../../src/embed/bundled/row-table.js';

const bytesPerRow = (dimensions: number, quantization: Quantization): number =>
  quantization === 'int8' ? dimensions : dimensions / 2;

/** The sum in plain numbers. */
function oracle(
  table: Uint8Array,
  scales: Float32Array,
  dimensions: number,
  quantization: Quantization,
  ids: number[],
): number[] {
  const rowBytes = bytesPerRow(dimensions, quantization);
  return Array.from({ length: dimensions }, (_, column) =>
    ids.reduce((sum, id) => {
      const byte = table[id * rowBytes + (quantization === 'int8' ? column : column >> 1)]!;
      const value = quantization === 'int8' ? Int8Array.of(byte)[0]! : ((column % 2 === 0 ? byte : byte >> 4) & 15) - 8;
      return sum + scales[id]! * value;
    }, 0),
  );
}

describe('RowTable', () => {
  it.each<[Quantization, number[]]>([
    ['int8', [16, 32, 384, 1, 7, 24]],
    ['int4', [32, 64, 512, 2, 30, 100]],
  ])('sums rows of %s, of every width', (quantization, widths) => {
    fc.assert(
      fc.property(
        fc.constantFrom(...widths),
        fc.array(fc.nat(19), { minLength: 1, maxLength: 3000 }),
        fc.infiniteStream(fc.nat(255)),
        fc.array(fc.float({ min: Math.fround(-2), max: 2, noNaN: true }), { minLength: 20, maxLength: 20 }),
        (dimensions, ids, bytes, scaleList) => {
          const table = Uint8Array.from(bytes.take(20 * bytesPerRow(dimensions, quantization)));
          const scales = Float32Array.from(scaleList);
          const rows = new RowTable(table, scales, dimensions, quantization);
          rows.add([3, 4, 5], -1);
          rows.clear();
          const unknown = 7;
          rows.add(ids.slice(0, 2), unknown);
          const sums = rows.sums();
          rows.clear();
          rows.add([1, 2, 3], unknown);
          rows.resume(sums);
          rows.add(ids.slice(2), unknown);
          const expected = oracle(
            table,
            scales,
            dimensions,
            quantization,
            ids.filter((id) => id !== unknown),
          );
          const size = ids.length * 2 * 128;
          rows.sums().forEach((sum, column) => {
            expect(Math.abs(sum - expected[column]!)).toBeLessThan(1e-6 * size);
          });
          const unit = rows.unit();
          if (unit === undefined) expect(rows.sums().every((sum) => sum === 0)).toBe(true);
          else expect(Math.abs(Math.hypot(...unit) - 1)).toBeLessThan(1e-5);
        },
      ),
      { numRuns: 100 },
    );
  });
});
