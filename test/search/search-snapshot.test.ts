import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NativeBoosts } from '../../src/addon/native-search.js';
import { valueLevels } from '../../src/columns/value-levels.js';
import { Random } from '../../src/random.js';
import { SearchPart } from '../../src/search/search-part.js';
import { SearchSnapshot, type SnapshotHits } from '../../src/search/search-snapshot.js';
import { packQueryTerms } from '../../src/terms/packed-query.js';
import { createTermsTail, openTerms, writeTerms } from '../../src/terms/terms-files.js';
import { TimeSlice } from '../../src/time-slice.js';
import { AnnoyIndex } from '../../src/vectors/annoy/annoy-index.js';
import { addItem, createBitset } from '../../src/vectors/bitset.js';
import { scoreOf } from '../../src/vectors/metric.js';
import { VectorBuffer } from '../../src/vectors/vector-buffer.js';
import { processorTime } from '../embed/longest-turn.js';
import { packDocuments, randomCorpus, scoreAll } from '../terms/corpus.js';
import { randomRows } from '../vectors/reference.js';
import { fuse } from './fuse.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'search-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const dimensions = 8;
const count = 600;
const split = 400;
const metric = 'angular';
const documents = randomCorpus(count, 100, 7);
const rows = randomRows(count, dimensions, metric);
const keyOf = (document: number): number => 1_000 + 3 * document;
const query = new Map([
  ['w2', 1],
  ['w30', 2],
]);
const terms = packQueryTerms(query);
const vector = randomRows(1, dimensions, metric, 5);

/** The documents in a segment with files, and a tail in memory. */
async function parts(): Promise<[SearchPart, SearchPart]> {
  const index = new AnnoyIndex(dimensions, metric);
  index.addItems(rows.subarray(0, split * dimensions));
  await index.build(4);
  const sealed = createTermsTail();
  sealed.append(packDocuments(documents.slice(0, split)), 0, undefined);
  await writeTerms(join(directory, 'a.terms'), [{ source: sealed, items: split }]);
  const buffer = new VectorBuffer(dimensions, metric);
  buffer.append(rows.subarray(split * dimensions));
  const tail = createTermsTail();
  tail.append(packDocuments(documents.slice(split)), 0, undefined);
  const offsets = Uint32Array.from({ length: split }, (_, item) => 3 * item);
  const keys = Float64Array.from({ length: count - split }, (_, item) => keyOf(split + item));
  return [
    new SearchPart({ vectors: index, terms: openTerms(join(directory, 'a.terms')), keys: { first: 1_000, offsets } }),
    new SearchPart({ vectors: buffer, terms: tail, keys: { first: 0, offsets: keys } }),
  ];
}

async function snapshot(): Promise<SearchSnapshot> {
  const [segment, tail] = await parts();
  return new SearchSnapshot(metric, dimensions, [{ part: segment }, { part: tail }]);
}

const only = ({ queries }: { queries: readonly SnapshotHits[] }) => queries[0] as SnapshotHits;

function similarities(): number[] {
  return documents.map((_, document) => {
    const row = rows.subarray(document * dimensions, (document + 1) * dimensions);
    const length = (of: Float32Array) => Math.hypot(...of);
    const product = row.reduce((sum, value, column) => sum + value * (vector[column] as number), 0);
    return product / length(row) / length(vector);
  });
}

/** Keys in the order of descending scores above 0. */
function ranked(scores: readonly number[], k: number): { key: number; score: number }[] {
  return scores
    .map((score, document) => ({ key: keyOf(document), score }))
    .sort((a, b) => b.score - a.score || a.key - b.key)
    .slice(0, k);
}

describe('a search by terms', () => {
  it('has the scores of BM25 over all parts', async () => {
    const hits = only(await (await snapshot()).search([{ terms }], { k: 10 }));
    const expected = ranked(scoreAll(documents, query), 10);
    expect([...hits.scores]).toEqual(expected.map(({ score }) => expect.closeTo(score, 9)));
    expect(hits.termScores).toEqual(hits.scores);
    expect([...hits.distances].every(Number.isNaN)).toBe(true);
  });

  it('finds nothing without terms', async () => {
    const hits = only(await (await snapshot()).search([{ terms: packQueryTerms([]) }], { k: 10 }));
    expect(hits).toMatchObject({ keys: new Float64Array(0), maxScore: 0 });
  });
});

describe('a search by vector', () => {
  it('finds the nearest documents of all parts', async () => {
    const answer = await (await snapshot()).search([{ vector }], { k: 12, exact: true });
    const hits = only(answer);
    const expected = ranked(similarities(), 12);
    expect([...hits.keys]).toEqual(expected.map(({ key }) => key));
    hits.scores.forEach((score, rank) => {
      expect(score).toBeCloseTo(expected[rank]?.score as number, 5);
      expect(score).toBe(scoreOf(metric, hits.distances[rank] as number));
    });
    expect(answer.parts).toMatchObject([
      { allowed: 400, searched: true, exact: true, changed: false },
      { allowed: 200, searched: true, exact: true, changed: false },
    ]);
  });

  it('leaves out what does not exist or is not allowed', async () => {
    const [segment, tail] = await parts();
    const even = (items: number) => {
      const bits = createBitset(items, false);
      for (let item = 0; item < items; item += 2) addItem(bits, item);
      return bits;
    };
    const third = createBitset(split, false);
    for (let item = 0; item < split; item += 3) addItem(third, item);
    const some = new SearchSnapshot(metric, dimensions, [{ part: segment, alive: even(split) }, { part: tail }]);
    const answer = await some.search([{ vector }], { k: 1_000, allowed: [third, even(count - split)] });
    const expected = documents.flatMap((_, document) => {
      const allowed = document < split ? document % 6 === 0 : document % 2 === 0;
      return allowed ? [keyOf(document)] : [];
    });
    expect([...only(answer).keys].sort((a, b) => a - b)).toEqual(expected);
    const none = await some.search([{ vector, terms }], { k: 5, allowed: [new Uint32Array(0), undefined] });
    expect([...only(none).keys].every((key) => key >= keyOf(split))).toBe(true);
    expect(none.parts[0]).toMatchObject({ allowed: 0, searched: false });
  });
});

describe('a search by vector with a boost by age', () => {
  it('finds recent documents far from the query, by levels that are ordered once for a graph', async () => {
    const [items, width] = [6_000, 32];
    const own = randomRows(items, width, metric, 11);
    const graph = new AnnoyIndex(width, metric);
    graph.addItems(own);
    await graph.build(4);
    await graph.buildGraph();
    const random = new Random(12);
    const ages = Float64Array.from({ length: items }, () => random.integer(1_000_000));
    const levels = await valueLevels(ages, new TimeSlice(), undefined);
    const [now, halfLife] = [1_000_000, 5_000];
    const boosts: NativeBoosts = [[[0, halfLife, now, [[ages, levels.ofItems, levels.limits]]]], Float64Array.of(1)];
    const keys = { first: 0, offsets: Uint32Array.from({ length: items }, (_, item) => item) };
    const part = new SearchPart({ vectors: graph, terms: undefined, keys });
    const search = new SearchSnapshot(metric, width, [{ part }]);
    let found = 0;
    for (let number = 0; number < 20; number++) {
      const asked = [{ vector: randomRows(1, width, metric, 100 + number) }];
      const exact = new Set(only(await search.search(asked, { k: 10, depth: items, exact: true, boosts })).keys);
      found += only(await search.search(asked, { k: 10, boosts })).keys.filter((key) => exact.has(key)).length;
    }
    expect(found).toBeGreaterThanOrEqual(196);
    search.close();
    // Another snapshot with the same graph, and one with a graph of other items.
    const again = new SearchSnapshot(metric, width, [{ part }]);
    const fewer = new AnnoyIndex(width, metric);
    fewer.addItems(own.subarray(0, 5_000 * width));
    await fewer.build(4);
    await fewer.buildGraph();
    const firstKeys = { first: 0, offsets: keys.offsets.subarray(0, 5_000) };
    const first = new SearchPart({ vectors: fewer, terms: undefined, keys: firstKeys });
    const other = new SearchSnapshot(metric, width, [{ part: first }]);
    const asked = [{ vector: randomRows(1, width, metric, 100) }];
    const before = only(await again.search(asked, { k: 10, boosts }));
    expect(Math.max(...only(await other.search(asked, { k: 10, boosts })).keys)).toBeLessThan(5_000);
    expect(only(await again.search(asked, { k: 10, boosts })).keys).toEqual(before.keys);
  });
});

describe('a search by both', () => {
  it('fuses as the ranking in JavaScript does, with scores of both sides for each candidate', async () => {
    const answer = await (await snapshot()).search([{ vector, terms }], { k: 20, depth: 30, exact: true });
    const hits = only(answer);
    const [byTerms, byVector] = [scoreAll(documents, query), similarities()];
    const candidates = new Set([
      ...ranked(byTerms, 30).flatMap(({ key, score }) => (score > 0 ? [key] : [])),
      ...ranked(byVector, 30).map(({ key }) => key),
    ]);
    const of = (scores: readonly number[]) =>
      [...candidates].map((key) => ({ key, score: scores[(key - 1_000) / 3] as number }));
    expect(hits.evidence).toBe(1);
    const expected = fuse(of(byTerms), hits.maxScore, of(byVector)).slice(0, 20);
    expect([...hits.keys]).toEqual(expected.map(({ key }) => key));
    expect([...hits.scores]).toEqual(expected.map(({ score }) => expect.closeTo(score, 5)));
  });

  it('weighs terms that no document has together by what the best one has of them', async () => {
    const apart = new Map(Array.from({ length: 40 }, (_, term) => [`w${60 + term}`, 1]));
    const scores = scoreAll(documents, apart);
    const squares = [...apart.keys()].map((term) => {
      const having = documents.filter((document) => document.has(term)).length;
      return Math.log(1 + (count - having + 0.5) / (having + 0.5)) ** 2;
    });
    const evidence = (4 * Math.max(...scores) ** 2) / squares.reduce((sum, square) => sum + square);
    expect(evidence).toBeLessThan(0.9);
    const index = await snapshot();
    const both = { vector, terms: packQueryTerms(apart) };
    const hits = only(await index.search([both], { k: 9, exact: true }));
    expect(hits.evidence).toBeCloseTo(evidence, 9);
    const candidates = [...hits.keys].map((key) => (key - 1_000) / 3);
    const expected = candidates.map((document) => {
      const share = (evidence * (scores[document] as number)) / hits.maxScore;
      return (2 * share + (similarities()[document] as number)) / 3;
    });
    expect([...hits.scores]).toEqual(expected.map((score) => expect.closeTo(score, 5)));
    const given = only(await index.search([both], { k: 9, exact: true, evidence: 0 }));
    const near = only(await index.search([{ vector }], { k: 9, exact: true }));
    expect(given.keys).toEqual(near.keys);
  });

  it('answers a mixed batch like single queries', async () => {
    const index = await snapshot();
    const queries = Array.from(
      { length: 40 },
      (_, position) => [{ vector }, { terms }, { vector, terms }][position % 3] ?? {},
    );
    const { queries: together } = await index.search(queries, { k: 7 });
    for (const [position, hits] of together.entries()) {
      const alone = only(await index.search([queries[position] ?? {}], { k: 7 }));
      expect(hits).toEqual(alone);
    }
  });

  it('gives no hits for a query with neither', async () => {
    expect(only(await (await snapshot()).search([{}], { k: 7 })).keys).toHaveLength(0);
  });
});

describe('a snapshot', () => {
  it('keeps what it uses when sources, parts and itself are closed', async () => {
    const [segment, tail] = await parts();
    const index = new SearchSnapshot(metric, dimensions, [{ part: segment }, { part: tail }]);
    segment.close();
    tail.close();
    const searching = index.search([{ vector, terms }], { k: 5 });
    index.close();
    expect(only(await searching).keys).toHaveLength(5);
    await expect(index.search([{ vector }], { k: 5 })).rejects.toMatchObject({ code: 'CLOSED' });
    expect(() => new SearchSnapshot(metric, dimensions, [{ part: segment }])).toThrow(
      expect.objectContaining({ code: 'CLOSED' }),
    );
  });

  it('reports files that were changed', async () => {
    const index = await snapshot();
    const before = await index.search([{ terms }], { k: 5 });
    expect(before.parts.map(({ changed }) => changed)).toEqual([false, false]);
    utimesSync(join(directory, 'a.terms'), 1, 1);
    const after = await index.search([{ terms }], { k: 5 });
    expect(after.parts.map(({ changed }) => changed)).toEqual([true, false]);
  });

  it('names the part with damaged bytes', async () => {
    const [segment, tail] = await parts();
    const index = new SearchSnapshot(metric, dimensions, [{ part: segment }, { part: tail }]);
    // Written into the mapped file: the pages change with it.
    const bytes = openTerms(join(directory, 'a.terms')).bytes;
    writeFileSync(join(directory, 'a.terms'), Buffer.alloc(bytes, 0xff), { flag: 'r+' });
    const answer = await index.search([{ terms }, { vector }], { k: 5 });
    expect(answer.fault).toMatchObject({ part: 0, side: 'terms', message: expect.any(String) });
    expect(answer.parts[0]).toMatchObject({ changed: true });
    expect(answer.queries.every(({ keys }) => keys.length === 0)).toBe(true);
  });

  it('refuses overlapping parts, wrong vectors and wrong numbers', async () => {
    const [segment] = await parts();
    expect(() => new SearchSnapshot(metric, dimensions, [{ part: segment }, { part: segment }])).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(() => new SearchSnapshot(metric, dimensions + 1, [{ part: segment }])).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    const index = await snapshot();
    const code = (value: string) => ({ code: value });
    await expect(index.search([{ vector: new Float32Array(3) }], { k: 1 })).rejects.toMatchObject(
      code('DIMENSION_MISMATCH'),
    );
    const odd = new Float32Array(dimensions).fill(Number.NaN);
    await expect(index.search([{ vector: odd }], { k: 1 })).rejects.toMatchObject(code('INVALID_VECTOR'));
    await expect(index.search([{ vector }], { k: 0 })).rejects.toMatchObject(code('INVALID_ARGUMENT'));
    await expect(index.search([{ terms: Uint8Array.of(9) }], { k: 1 })).rejects.toMatchObject(code('INVALID_ARGUMENT'));
  });

  it('ends with the reason of the signal', async () => {
    const index = await snapshot();
    const reason = new Error('enough');
    await expect(index.search([{ vector }], { k: 1, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('answers alike in the thread of the event loop and in others', async () => {
    const index = await snapshot();
    const { queries } = await index.search([{ vector, terms }], { k: 5 });
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(Array.from({ length: 4 }, () => index.search([{ vector, terms }], { k: 5 })));
      for (const answer of answers) expect(answer.queries).toEqual(queries);
    }
  });

  it('answers what has begun when it is closed', async () => {
    const index = await snapshot();
    for (let round = 0; round < 50; round++) await index.search([{ vector, terms }], { k: 5 });
    const begun = Array.from({ length: 200 }, () => index.search([{ vector, terms }], { k: 5 }));
    index.close();
    for (const answer of await Promise.all(begun)) expect(only(answer).keys).toHaveLength(5);
    await expect(index.search([{ vector }], { k: 5 })).rejects.toMatchObject({ code: 'CLOSED' });
  });

  // In processor time: other processes delay timers as well.
  it.each([
    ['a single client asks', 1],
    ['searches of many clients follow one another', 16],
  ])('lets timers run while %s', async (_, clients) => {
    const index = await snapshot();
    const began = processorTime();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const client = async (): Promise<void> => {
      while (processorTime() - began < 200) await index.search([{ vector, terms }], { k: 5 });
    };
    await Promise.all(Array.from({ length: clients }, client));
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10);
  });

  it('searches nothing when there are no parts', async () => {
    const answer = await new SearchSnapshot(metric, dimensions, []).search([{ vector, terms }], { k: 3 });
    expect(only(answer).keys).toHaveLength(0);
  });
});
