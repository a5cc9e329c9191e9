import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyzeDocument } from '../../src/analysis/analyze.js';
import { packTerms, unpackTerms } from '../../src/analysis/packed-terms.js';
import { TermPacker } from '../../src/analysis/term-packer.js';
import { compareCodePoints } from './compare-code-points.js';
import { randomText } from './random-text.js';

/** The same bytes, one document at a time and without anything remembered. */
function packSlowly(documents: readonly (readonly [key: number, text: string, language?: string])[]): Uint8Array {
  const analyzed = documents.map(([, text, language]) => analyzeDocument(text, language));
  const dictionary = [...new Set(analyzed.flatMap(({ terms }) => [...terms.keys()]))].sort(compareCodePoints);
  const places = new Map(dictionary.map((term, place) => [term, place]));
  const rows = analyzed.map(({ terms }) =>
    [...terms].map(([term, count]) => [places.get(term)!, count] as const).sort((a, b) => a[0] - b[0]),
  );
  const starts = [0];
  for (const row of rows) starts.push(starts.at(-1)! + row.length);
  return packTerms({
    dictionary,
    keys: documents.map(([key]) => key),
    lengths: analyzed.map(({ length }) => length),
    starts,
    terms: rows.flatMap((row) => row.map(([place]) => place)),
    frequencies: rows.flatMap((row) => row.map(([, count]) => count)),
  });
}

const spaced = fc
  .array(fc.tuple(randomText, fc.constantFrom(' ', '\n', '\t', '  ', '\r\n', '\u00A0', '')), { maxLength: 4 })
  .map((pieces) => pieces.flat().join(''));

describe('TermPacker', () => {
  it('packs what analyzeDocument finds, whatever it has seen before', () => {
    const packer = new TermPacker();
    const batches = fc.array(fc.tuple(spaced, fc.integer({ min: 1, max: 1000 })), { maxLength: 6 });
    fc.assert(
      fc.property(batches, (texts) => {
        const gaps = texts.map(([, gap]) => gap);
        const keyOf = (place: number): number => gaps.slice(0, place + 1).reduce((sum, gap) => sum + gap, 0);
        const documents = texts.map(([text], place) => [keyOf(place), text] as const);
        for (const [key, text] of documents) packer.add(key, text);
        expect(packer.documents).toBe(documents.length);
        expect(packer.take()).toEqual(packSlowly(documents));
        expect(packer.documents).toBe(0);
      }),
      { numRuns: 1500 },
    );
  });

  it('packs documents in several languages, one after the other', () => {
    const packer = new TermPacker();
    const words = fc.constantFrom(
      'Häuser',
      'running',
      'journaux',
      'дороги',
      "l'été",
      'a',
      'Straße.',
      'C++',
      '東京',
      '(s)',
      'ılık',
    );
    const text = fc.tuple(spaced, fc.array(words, { maxLength: 6 })).map(([one, more]) => `${one} ${more.join(' ')}`);
    const language = fc.constantFrom('en', 'de', 'fr', 'ru', 'tr', 'zh');
    fc.assert(
      fc.property(fc.array(fc.tuple(text, language), { maxLength: 8 }), (texts) => {
        const documents = texts.map(([text, language], place) => [place, text, language] as const);
        for (const [key, text, language] of documents) packer.add(key, text, language);
        expect(packer.take()).toEqual(packSlowly(documents));
      }),
      { numRuns: 500 },
    );
  });

  it('packs the same after more words than it remembers', () => {
    const packer = new TermPacker();
    const batches = Array.from({ length: 40 }, (_, batch) =>
      Array.from({ length: 50 }, (_, n) => {
        const words = Array.from({ length: 100 }, (_, at) => `w${(batch * 5000 + n * 100 + at) % 160_001}x`);
        return [n, `${words.join(' ')} the same in all`] as const;
      }),
    );
    for (const documents of [...batches, ...batches.slice(0, 3)]) {
      for (const [key, text] of documents) packer.add(key, text);
      expect(Buffer.compare(packer.take(), packSlowly(documents))).toBe(0);
    }
  });

  it('packs documents without words, and zero documents', () => {
    const packer = new TermPacker();
    expect([...packer.take()]).toEqual([1, 0, 0]);
    packer.add(5, '…');
    packer.add(8, '');
    const { keys, lengths, dictionary } = unpackTerms(packer.take(), 5);
    expect({ keys, lengths, dictionary }).toEqual({ keys: [5, 8], lengths: [0, 0], dictionary: [] });
  });
});
