import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentHash, contentHashes } from '../../src/backend/content-hash.js';

describe('contentHashes', () => {
  it('hashes each text as contentHash does', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 8 }), (texts) => {
        expect(contentHashes(texts)).toEqual(texts.map((one) => contentHash(one)));
      }),
      { numRuns: 500 },
    );
    const lengths = [0, 1, 55, 56, 63, 64, 65, 4091, 4092, 4093, 4095, 4096, 4097, 100_000];
    const texts = ['x', 'é', '猫', '🍐'].flatMap((unit) => lengths.map((length) => unit.repeat(length)));
    expect(contentHashes(texts)).toEqual(
      texts.map((one) => createHash('sha256').update(one).digest().subarray(0, 16).toString('base64url')),
    );
  });
});
