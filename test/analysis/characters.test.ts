import { describe, expect, it } from 'vitest';
import { composed } from '../../src/analysis/characters.js';
import { Random } from '../../src/random.js';

/** By its definition, without a short way for common characters. */
function normalized(text: string): string {
  return text
    .replace(/(\p{M}{16})\p{M}+/gu, '$1')
    .replace(/(?<=\p{Nd})(?=[\u00BC-\u00BE\u2150-\u215E])/gu, ' ')
    .replace(/(?<=\p{Nd})(?=[\u00B2\u00B3\u00B9\u2070-\u207B])/gu, '^')
    .normalize('NFKC');
}

describe('composed', () => {
  it('is NFKC for every character, alone, behind a digit and between letters', () => {
    for (let code = 0; code < 0x30000; code++) {
      const character = String.fromCodePoint(code);
      for (const text of [character, `1${character}`, `a${character}e`]) {
        if (composed(text) !== normalized(text)) expect.fail(`U+${code.toString(16)} in ${JSON.stringify(text)}`);
      }
    }
  });

  it('is NFKC for characters beside each other', () => {
    const random = new Random(5);
    const blocks = [
      0x20, 0xa0, 0x100, 0x300, 0x400, 0x600, 0x900, 0x1100, 0x11a8, 0x2010, 0x3040, 0x30a0, 0xac00, 0xff00,
    ];
    for (let round = 0; round < 20_000; round++) {
      const text = Array.from({ length: 1 + random.integer(8) }, () =>
        String.fromCodePoint(random.pick(blocks) + random.integer(0x60)),
      ).join('');
      expect(composed(text)).toBe(normalized(text));
    }
    const run = `a${'\u0301'.repeat(40)} e\u0301 \u1112\u1161\u11ab \uac00\u11a8 か\u3099`;
    expect(composed(run)).toBe(normalized(run));
  });
});
