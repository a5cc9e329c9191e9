import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findDuplicates } from '../../src/dedupe/find-duplicates.js';
import { bundledProvider } from '../../src/embed/bundled/bundled-provider.js';
import { knownWordsOf } from '../../src/embed/bundled/known-words.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import type { EmbeddingProvider } from '../../src/types.js';

const provider = bundledProvider();
const open = (given: EmbeddingProvider = provider) => SemanticIndex.open(':memory:', { provider: given });

/** Ids that `onDuplicate: 'skip'` leaves out, and that `findDuplicates` finds, within one index and against another. */
async function duplicatesOf(texts: readonly string[], threshold: number): Promise<unknown[]> {
  const documents = texts.map((text, id) => ({ id, text }));
  await using index = await open();
  const { duplicates = [] } = await index.addDocuments(documents, {
    onDuplicate: 'skip',
    threshold: threshold,
  });
  await using whole = await open();
  await whole.addDocuments(documents);
  await using first = await open();
  await first.addDocuments(documents.slice(0, 1));
  const [within, against] = [
    await findDuplicates(whole, { threshold }),
    await findDuplicates(whole, { threshold, against: first }),
  ];
  return [duplicates.map(({ id }) => id), within.ids, against.ids.filter((id) => id !== 0)];
}

const nothing = [[], [], []];
const threshold = fc.constantFrom(0.5, 0.9, 0.999, 1);

/** Pairs of texts that differ in one place only. */
const variants: Record<string, fc.Arbitrary<readonly [string, string]>> = {
  'currency signs': fc
    .tuple(fc.constantFrom('$', '€', '£', '¥', '₹', ''), fc.constantFrom('$', '€', '£', '¥', '₹', ''), fc.nat(999))
    .map(([a, b, n]) => [`The refund is ${a}${n} today`, `The refund is ${b}${n} today`]),
  'signs of negation': fc
    .tuple(fc.constantFrom('-', '−', '¬', '~', '!', '+'), fc.constantFrom('5', 'ready', 'open'))
    .map(([sign, word]) => [`The value is ${sign}${word} now`, `The value is ${word} now`]),
  'shares and units': fc
    .tuple(fc.constantFrom('%', '‰', '°', '²', '″'), fc.integer({ min: 1, max: 99 }))
    .map(([sign, n]) => [`It grew by ${n}${sign} this year`, `It grew by ${n} this year`]),
  versions: fc
    .tuple(fc.array(fc.nat(20), { minLength: 2, maxLength: 4 }), fc.array(fc.nat(20), { minLength: 2, maxLength: 4 }))
    .map(([a, b]) => [`Install version ${a.join('.')} of the server`, `Install version ${b.join('.')} of the server`]),
  'the order of names': fc
    .shuffledSubarray(['Ann', 'Ben', 'Tom', 'Mary', 'John'], { minLength: 2, maxLength: 2 })
    .map(([a, b]) => [`${a} owes ${b} money`, `${b} owes ${a} money`]),
  emoji: fc
    .tuple(fc.constantFrom('✅', '❌', '🔴', '🟢', '👍', '👎'), fc.constantFrom('✅', '❌', '🔴', '🟢', '👍', '👎'))
    .map(([a, b]) => [`Build ${a} on the main branch`, `Build ${b} on the main branch`]),
  codes: fc
    .tuple(fc.stringMatching(/^[0-9a-f]{6}[0-9]$/), fc.stringMatching(/^[0-9a-f]{6}[0-9]$/))
    .map(([a, b]) => [`The order ${a} has been sent`, `The order ${b} has been sent`]),
  'words of another script': fc
    .tuple(fc.constantFrom('東京', 'Москва', 'Αθήνα', '서울'), fc.constantFrom('大阪', 'Париж', 'Πάτρα', '부산'))
    .map(([a, b]) => [`The train to ${a} leaves at noon`, `The train to ${b} leaves at noon`]),
};

describe('texts that the bundled model cannot tell apart', () => {
  it.each(Object.entries(variants))('are not duplicates if they differ in %s', async (_, pairs) => {
    await fc.assert(
      fc.asyncProperty(
        pairs.filter(([a, b]) => a !== b),
        threshold,
        async (pair, at) => {
          expect(await duplicatesOf(pair, at)).toEqual(nothing);
        },
      ),
      { numRuns: 15 },
    );
  });

  it.each([
    ['Russian', 'Наши дома отапливаются природным газом.', 'Лошади бегают по лугу за школой.'],
    ['Korean', '우리 집은 천연가스로 난방합니다.', '말들이 학교 뒤 초원을 달린다.'],
    ['Greek', 'Τα σπίτια μας θερμαίνονται με φυσικό αέριο.', 'Τα άλογα τρέχουν στο λιβάδι πίσω από το σχολείο.'],
    ['Arabic', 'القطار يغادر كل صباح', 'الطلاب أنهوا واجباتهم'],
    ['hexadecimal numbers', '3f2a9c 77bd01 aa01', '99ff00 12ab34 bb02'],
    ['symbols', '→ ← ↑ ↓', '★ ☆ ♠ ♥'],
  ])('are not duplicates in %s for any threshold', async (_, a, b) => {
    expect(await duplicatesOf([a, b], 0.3)).toEqual(nothing);
    expect(await duplicatesOf([a, `${a.toUpperCase()}  !`], 1)).toEqual([[1], [1], [1]]);
  });

  it('are still duplicates when their known words are nearly the same', async () => {
    const pair = ['The meeting is moved to next Monday morning', 'The meeting was moved to next Monday morning'];
    expect(await duplicatesOf(pair, 0.9)).toEqual([[1], [1], [1]]);
    expect(await duplicatesOf(pair, 1)).toEqual(nothing);
  });

  it('do not hide a duplicate behind them', async () => {
    await using index = await open();
    await index.addDocuments([
      { id: 'sign', text: 'The refund of the parcel is €100 today' },
      { id: 'near', text: 'The refund of a parcel is $100 today' },
    ]);
    await using other = await open();
    await other.addDocuments([{ id: 'new', text: 'The refund of the parcel is $100 today' }]);
    const { groups } = await findDuplicates(other, { against: index, threshold: 0.8 });
    expect(groups.map(({ representative }) => representative)).toEqual(['near']);
  });
});

describe('a provider that declares nothing', () => {
  it('has no near duplicates among texts with one vector', async () => {
    const sameForAll: EmbeddingProvider = {
      id: 'one vector',
      dimensions: 2,
      embed: async (texts) => ({ vectors: texts.map((text) => Float32Array.of(1, text.includes('near') ? 0.1 : 0)) }),
    };
    await using index = await open(sameForAll);
    const texts = ['✅', '❌', 'near'];
    const { duplicates } = await index.addDocuments(
      texts.map((text, id) => ({ id, text })),
      { onDuplicate: 'link', measure: 'similarity' },
    );
    expect(duplicates?.map(({ id }) => id)).toEqual([2]);
    expect(await index.knownWords(['x'])).toEqual([undefined]);
    await expect(index.knownWords('x' as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('knownWordsOf', () => {
  const isKnown = (word: string): boolean => 'the cat sat down'.split(' ').includes(word);

  it.each([
    ['The cat, the CAT!', 'cat cat the the'],
    ['the cat 7 x9', 'cat the'],
    ['the zyzzyva', ''],
    ['123 → ✅', ''],
    ['', ''],
  ])('of %j is %j', (text, words) => {
    expect(knownWordsOf(text, isKnown)).toBe(words);
  });
});
