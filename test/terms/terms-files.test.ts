import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NativeTermsTail } from '../../src/addon/native-terms.js';
import { packQueryTerms } from '../../src/terms/packed-query.js';
import {
  createTermsTail,
  openTerms,
  type TermsPart,
  validateTerms,
  verifyTerms,
  writeTerms,
} from '../../src/terms/terms-files.js';
import { addItem, createBitset } from '../../src/vectors/bitset.js';
import { packDocuments, randomCorpus, scoreAll, type TestDocument } from './corpus.js';
import { searchParts } from './search-parts.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'terms-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const path = (name = 'a.terms') => join(directory, name);

function tailOf(documents: readonly TestDocument[]): NativeTermsTail {
  const tail = createTermsTail();
  expect(tail.append(packDocuments(documents), 0, undefined)).toBe(documents.length);
  return tail;
}

const partOf = (tail: NativeTermsTail, dead?: Uint32Array): TermsPart => ({ source: tail, items: tail.items, dead });

async function fileOf(documents: readonly TestDocument[], name?: string): Promise<TermsPart> {
  await writeTerms(path(name), [partOf(tailOf(documents))]);
  const file = openTerms(path(name));
  return { source: file, items: file.items };
}

function every(items: number, step: number): Uint32Array {
  const bits = createBitset(items, false);
  for (let item = 0; item < items; item += step) addItem(bits, item);
  return bits;
}

const query = new Map([
  ['w3', 1],
  ['w40', 2],
  ['absent', 1],
]);
const packed = packQueryTerms(query);

/** Compares the answer with BM25 of all `documents`, of which `numbers` gives those that an item of a part is. */
async function expectExact(
  parts: readonly TermsPart[],
  documents: readonly TestDocument[],
  numbers: (part: number, item: number) => number,
): Promise<void> {
  const scores = scoreAll(documents, query);
  const best = scores
    .map((score, number) => ({ score, number }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, 20);
  const found = await searchParts(parts, packed, { k: 20 });
  expect(best.length).toBe(20);
  expect(found.items).toHaveLength(best.length);
  best.forEach(({ score }, rank) => {
    const number = numbers(found.parts[rank] as number, found.items[rank] as number);
    expect(found.scores[rank]).toBeCloseTo(score, 9);
    expect(scores[number]).toBeCloseTo(score, 9);
  });
}

describe('terms files', () => {
  const documents = randomCorpus(2_000, 300, 1);

  it('finds what scoring every document finds', async () => {
    const tail = tailOf(documents);
    await expectExact([partOf(tail)], documents, (_, item) => item);
    await expectExact([await fileOf(documents)], documents, (_, item) => item);
  });

  it('searches several files and a tail as one index', async () => {
    const parts = [
      await fileOf(documents.slice(0, 700), 'a.terms'),
      await fileOf(documents.slice(700, 1_100), 'b.terms'),
      partOf(tailOf(documents.slice(1_100))),
    ];
    const first = [0, 700, 1_100];
    await expectExact(parts, documents, (part, item) => (first[part] as number) + item);
  });

  it('leaves out deleted documents, also from the statistics', async () => {
    const dead = every(documents.length, 3);
    const alive = documents.filter((_, item) => item % 3 !== 0);
    const source = await fileOf(documents);
    await expectExact([{ ...source, dead }], alive, (_, item) => item - Math.floor(item / 3) - 1);
  });

  it('merges without deleted documents, to the bytes of a build from the rest', async () => {
    const parts = [await fileOf(documents.slice(0, 900), 'a.terms'), partOf(tailOf(documents.slice(900)))];
    const dead = [every(900, 2), every(1_100, 5)];
    const written = await writeTerms(
      path('merged.terms'),
      parts.map((part, position) => ({ ...part, dead: dead[position] })),
      { threads: 2 },
    );
    const rest = documents.filter((_, item) => (item < 900 ? item % 2 !== 0 : (item - 900) % 5 !== 0));
    const built = await writeTerms(path('built.terms'), [partOf(tailOf(rest))], { threads: 1 });
    expect(written).toEqual(built);
    expect(written.items).toBe(rest.length);
    expect(readFileSync(path('merged.terms'))).toEqual(readFileSync(path('built.terms')));
    expect(readFileSync(path('merged.terms'))).toHaveLength(written.bytes);
    expect(await validateTerms(path('merged.terms'))).toBeUndefined();
    expect(await verifyTerms(path('merged.terms'))).toBeUndefined();
  });

  it('finds allowed documents only', async () => {
    const source = await fileOf(documents);
    const allowed = every(documents.length, 7);
    const { items } = await searchParts([source], packed, { k: 1_000, allowed: [allowed] });
    const scores = scoreAll(documents, query);
    const expected = scores.flatMap((score, item) => (score > 0 && item % 7 === 0 ? [item] : []));
    expect([...items].sort((a, b) => a - b)).toEqual(expected);
    expect((await searchParts([source], packed, { k: 10, allowed: [new Uint32Array(0)] })).items).toHaveLength(0);
  });

  it('reports facts and the maximum score', async () => {
    const written = await writeTerms(path(), [partOf(tailOf(documents))], { source: 2 ** 53 - 1 });
    const file = openTerms(path());
    expect(file).toMatchObject({ items: 2_000, bytes: written.bytes, checksum: written.checksum });
    expect(file.source).toBe(2 ** 53 - 1);
    expect(file.terms).toBe(new Set(documents.flatMap((document) => [...document.keys()])).size);
    expect(file.hasChanged()).toBe(false);
    const { maxScore } = await searchParts([{ source: file, items: 2_000 }], packed, { k: 1 });
    const idf = (having: number) => Math.log(1 + (2_000 - having + 0.5) / (having + 0.5));
    const having = (term: string) => documents.filter((document) => document.has(term)).length;
    expect(maxScore).toBeCloseTo(idf(having('w3')) + 2 * idf(having('w40')) + idf(0), 9);
  });

  it('finds nothing in an empty file, and for a query without terms', async () => {
    const empty = await fileOf([]);
    expect((await searchParts([empty], packed, { k: 3 })).items).toHaveLength(0);
    const none = await searchParts([await fileOf(documents, 'b.terms')], packQueryTerms([]), { k: 3 });
    expect(none).toMatchObject({ maxScore: 0, items: [] });
    expect((await searchParts([], packed, { k: 3 })).items).toHaveLength(0);
  });

  it('keeps what a search uses when it is closed', async () => {
    const source = await fileOf(documents);
    const tail = tailOf(documents);
    const pending = searchParts([source, partOf(tail)], packed, { k: 5 });
    source.source.close();
    tail.close();
    expect((await pending).items).toHaveLength(5);
    await expect(searchParts([source], packed, { k: 5 })).rejects.toMatchObject({ code: 'CLOSED' });
    expect(() => tail.append(packDocuments([]), 0, undefined)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    expect(tail.items).toBe(0);
  });

  it('refuses files that are missing, of another kind, or damaged in the header', async () => {
    expect(() => openTerms(path())).toThrow(expect.objectContaining({ code: 'IO' }));
    writeFileSync(path(), 'not a terms file');
    expect(() => openTerms(path())).toThrow(expect.objectContaining({ code: 'INVALID_FILE' }));
    expect(await validateTerms(path())).toMatch('not a terms file');
    await expect(validateTerms(path('missing.terms'))).rejects.toMatchObject({ code: 'IO' });
    await fileOf(documents, 'b.terms');
    const bytes = readFileSync(path('b.terms'));
    bytes[20] = (bytes[20] as number) ^ 1;
    writeFileSync(path('b.terms'), bytes);
    expect(() => openTerms(path('b.terms'))).toThrow(expect.objectContaining({ code: 'INVALID_FILE' }));
  });

  it('finds a changed byte anywhere when it validates', async () => {
    const { source } = await fileOf(documents.slice(0, 50));
    source.close();
    const bytes = readFileSync(path());
    for (let place = 0; place < bytes.length; place += 37) {
      const changed = Buffer.from(bytes);
      changed[place] = (changed[place] as number) ^ 0x10;
      writeFileSync(path('changed.terms'), changed);
      expect(await validateTerms(path('changed.terms'))).toEqual(expect.any(String));
      expect(await verifyTerms(path('changed.terms'))).toEqual(expect.any(String));
    }
  });

  it.skipIf(process.platform === 'win32')('fails when a file was cut short in use', async () => {
    const source = await fileOf(documents);
    truncateSync(path(), 400);
    await expect(searchParts([source], packed, { k: 5 })).rejects.toThrow('cut short');
    expect((source.source as ReturnType<typeof openTerms>).hasChanged()).toBe(true);
  });

  it('keeps the old file when writing is cancelled', async () => {
    await fileOf(documents);
    const before = readFileSync(path());
    const reason = new Error('enough');
    const writing = writeTerms(path(), [partOf(tailOf(documents.slice(5)))], { signal: AbortSignal.abort(reason) });
    await expect(writing).rejects.toBe(reason);
    expect(readFileSync(path())).toEqual(before);
  });

  it('refuses to write into a directory that does not exist', async () => {
    const writing = writeTerms(join(directory, 'none', 'a.terms'), [partOf(tailOf(documents))]);
    await expect(writing).rejects.toMatchObject({ code: 'IO' });
  });
});

describe('a terms tail', () => {
  const documents = randomCorpus(400, 100, 2);

  it('grows by batches, whose documents later searches find', async () => {
    const tail = tailOf(documents.slice(0, 100));
    const before = partOf(tail);
    expect(await tail.appendLater(packDocuments(documents.slice(100)), 100, undefined)).toBe(300);
    expect(tail.items).toBe(400);
    await expectExact([partOf(tail)], documents, (_, item) => item);
    await expectExact([before], documents.slice(0, 100), (_, item) => item);
    expect(tail.memory).toBeGreaterThan(1_000);
  });

  it('appends the documents with the given keys only', async () => {
    const tail = createTermsTail();
    const keys = documents.map((_, position) => 3 * position);
    const wanted = Float64Array.from(keys.filter((_, position) => position % 2 === 0).map((key) => key + 1_000));
    expect(tail.append(packDocuments(documents, keys), 1_000, wanted)).toBe(200);
    const rest = documents.filter((_, position) => position % 2 === 0);
    await expectExact([partOf(tail)], rest, (_, item) => item);
    for (const lacking of [Float64Array.of(5), Float64Array.of(1_000, 1_001), Float64Array.of(1_000, 9_999)]) {
      const append = () => tail.append(packDocuments(documents, keys), 1_000, lacking);
      expect(append).toThrow(expect.objectContaining({ code: 'INVALID_FILE' }));
    }
    expect(tail.items).toBe(200);
  });

  it('refuses damaged bytes as a whole', async () => {
    const tail = tailOf(documents);
    const bytes = packDocuments(documents);
    const cut = bytes.subarray(0, bytes.length - 1);
    expect(() => tail.append(cut, 0, undefined)).toThrow(expect.objectContaining({ code: 'INVALID_FILE' }));
    await expect(tail.appendLater(cut, 0, undefined)).rejects.toMatchObject({ code: 'INVALID_FILE' });
    expect(tail.items).toBe(400);
    await expectExact([partOf(tail)], documents, (_, item) => item);
  });
});
