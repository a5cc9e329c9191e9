import { describe, expect, it } from 'vitest';
import { vectorToText } from '../../src/postgres/connection/vector-formats.js';
import { Random } from '../../src/random.js';

const bitsOf = (vector: Float32Array): number[] => [...new Uint32Array(vector.buffer)];

/** The vector of a text, as pgvector reads it. */
const vectorOf = (text: string): Float32Array => Float32Array.from(JSON.parse(text) as number[]);

describe('vectors as text', () => {
  it('name the same float32 numbers', () => {
    const random = new Random(7);
    const patterns = Uint32Array.from({ length: 200_000 }, () => Math.floor(random.number() * 2 ** 32));
    const components = Float32Array.from({ length: 200_000 }, () => (random.number() - 0.5) * random.number());
    for (const numbers of [new Float32Array(patterns.buffer).filter(Number.isFinite), components]) {
      expect(bitsOf(vectorOf(vectorToText(numbers)))).toEqual(bitsOf(numbers));
    }
  });

  it('name the numbers around powers of ten, and those without digits', () => {
    const bounds = new Uint32Array(Float32Array.of(0.001, 0.01, 0.1, 1, 10).buffer);
    const around = [...bounds].flatMap((bits) => [bits - 2, bits - 1, bits, bits + 1]);
    const numbers = Float32Array.of(
      ...new Float32Array(Uint32Array.from(around).buffer),
      0,
      -0,
      2 ** -149,
      -(2 ** 127),
    );
    for (const sign of [1, -1]) {
      const signed = numbers.map((number) => sign * number);
      expect(bitsOf(vectorOf(vectorToText(signed)))).toEqual(bitsOf(signed));
    }
  });

  it('are some of packed numbers', () => {
    expect(vectorToText(Float32Array.of(1, 2, 0.5, -0.25, 7), 2, 2)).toBe('[500000000e-9,-250000000e-9]');
    expect(vectorToText(new Float32Array(0))).toBe('[]');
  });
});
