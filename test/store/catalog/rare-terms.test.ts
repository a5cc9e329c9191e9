import { beforeAll, expect, test } from 'vitest';
import { Catalog } from '../../../src/store/catalog/catalog.js';
import { minDocuments } from '../../../src/store/catalog/words/rare-terms.js';

/** The document of key n has the word of each number that divides n, once or more, and some filler. */
const wordOf = { 2: 'alder', 3: 'birch', 101: 'cedar', 997: 'dogwood' };
const query = 'alder birch cedar dogwood';
const isTelling = ({ key }: { key: number }): boolean => key % 101 === 0 || key % 997 === 0;
const count = minDocuments + 500;
const catalog = Catalog.open({ path: ':memory:', readonly: false, durability: 'process', busyTimeout: 0 });

function add(from: number, to: number): void {
  const hash = '0000000000000000000000';
  const vector = catalog.vectors.put(1, 'document', [hash], new Float32Array([1]))[0] as number;
  const keys = Array.from({ length: to - from + 1 }, (_, n) => from + n);
  const documents = keys.map((key) => {
    const words = Object.entries(wordOf).filter(([number]) => key % Number(number) === 0);
    const text = words.map(([, word]) => `${word} `.repeat(1 + (key % 4))).join('') + 'filler '.repeat(1 + (key % 13));
    return { id: key, text, hash, metadata: null, vector };
  });
  expect(catalog.documents.commit(documents)).toHaveLength(documents.length);
}

function search(words: string, limit: number, lastKey?: number): { key: number; score: number }[] {
  const { keys, scores } = catalog.texts.search(words, limit, undefined, lastKey);
  return [...keys].map((key, n) => ({ key, score: Number((scores[n] as number).toFixed(9)) }));
}

/** Every document with any of the words: no document has as many rare ones. */
const ranked = (words: string): { key: number; score: number }[] => search(words, count);

beforeAll(() => {
  catalog.initialize('angular');
  catalog.chooseSpace('test', 1, null);
  add(1, minDocuments - 1);
});

test('in a small collection every document with any word is ranked', () => {
  expect(search(query, 3000)).toEqual(ranked(query).slice(0, 3000));
  // More than there are telling documents in what is left out.
  expect(search('alder birch dogwood', 10).map(isTelling)).not.toContain(false);
});

test('in a large one those with a telling word are, with the scores of all words', () => {
  add(minDocuments, count);
  const all = ranked(query);
  expect(all.length).toBeGreaterThan(count / 2);
  expect(search(query, 50)).toEqual(all.filter(isTelling).slice(0, 50));
  const early = search(query, 20, 5000);
  expect(early).toHaveLength(20);
  expect(early.every((row) => isTelling(row) && row.key <= 5000)).toBe(true);
});

test('when those are too few the others come as well', () => {
  const telling = ranked(query).filter(isTelling).length;
  const found = search(query, telling + 1);
  expect(found).toEqual(ranked(query).slice(0, telling + 1));
  expect(found.every(isTelling)).toBe(false);
});

test('uses all terms if every term is rare, or one is unknown', () => {
  expect(search('birch', 20)).toEqual(ranked('birch').slice(0, 20));
  // A letter of an alphabet that is younger than the tables of SQLite.
  expect(search(`${query} \u{1e900}`, 50)).toEqual(ranked(query).slice(0, 50));
});
