import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSafetensors } from '../../../src/embed/bundled/safetensors.js';
import { SemanticIndexError } from '../../../src/errors.js';
import { safetensorsBytes } from './tiny-static-model.js';

const bytes = Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
const file = safetensorsBytes({
  a: { dtype: 'F32', shape: [2, 3], bytes },
  b: { dtype: 'U8', shape: [4], bytes: Buffer.from([1, 2, 3, 4]) },
});

function withHeader(header: unknown): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(16)]);
}

describe('readSafetensors', () => {
  it('reads every tensor with its type, shape and bytes', () => {
    const tensors = readSafetensors(file, 'file');
    expect([...tensors.keys()]).toEqual(['a', 'b']);
    expect(tensors.get('a')).toMatchObject({ dtype: 'F32', shape: [2, 3] });
    expect(Buffer.from(tensors.get('a')!.bytes)).toEqual(bytes);
    expect([...tensors.get('b')!.bytes]).toEqual([1, 2, 3, 4]);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['less than a header', Buffer.alloc(7)],
    ['a header longer than the file', Buffer.from([255, 0, 0, 0, 0, 0, 0, 0, 123])],
    ['an absurd header length', Buffer.alloc(16, 255)],
    ['a header that is not JSON', withHeader('{"a":')],
    ['a header that is not UTF-8', withHeader('{"a":\ud800}')],
    ['a header that is a list', withHeader([])],
    ['an entry that is null', withHeader({ a: null })],
    ['an entry without offsets', withHeader({ a: { dtype: 'U8', shape: [4] } })],
    ['negative offsets', withHeader({ a: { dtype: 'U8', shape: [4], data_offsets: [-4, 0] } })],
    ['offsets past the end', withHeader({ a: { dtype: 'U8', shape: [40], data_offsets: [0, 40] } })],
    ['reversed offsets', withHeader({ a: { dtype: 'U8', shape: [4], data_offsets: [8, 4] } })],
    ['a shape that does not fit', withHeader({ a: { dtype: 'F32', shape: [4], data_offsets: [0, 4] } })],
    ['an unknown type', withHeader({ a: { dtype: 'Q3', shape: [4], data_offsets: [0, 4] } })],
    ['fractions', withHeader({ a: { dtype: 'U8', shape: [1.5], data_offsets: [0, 1.5] } })],
  ])('refuses %s', (_, damaged) => {
    expect(() => readSafetensors(damaged, 'weights')).toThrow(/weights is not a valid safetensors file/);
  });

  it('never reads outside the file for random bytes', () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.nat(255), fc.nat(file.length), (position, value, length) => {
        const damaged = Buffer.from(file.subarray(0, length));
        if (position < length) damaged[position] = value;
        try {
          for (const { bytes: own } of readSafetensors(damaged, 'weights').values()) {
            expect(own.byteOffset + own.byteLength).toBeLessThanOrEqual(damaged.byteOffset + damaged.byteLength);
          }
        } catch (error) {
          expect(SemanticIndexError.is(error, 'INVALID_FILE')).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
