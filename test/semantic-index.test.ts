import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deterministicProvider } from '../src/embed/testing/deterministic-provider.js';
import { SemanticIndexError } from '../src/errors.js';
import { SemanticIndex } from '../src/semantic-index.js';
import { sqlite } from '../src/store/sqlite/sqlite.js';
import type { DocumentInput, IndexEvent } from '../src/types.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const provider = deterministicProvider({ dimensions: 32 });
const texts = ['the cat sat on the mat', 'a dog ran in the park', 'stock prices fell today', 'the market lost value'];

async function failure(promise: Promise<unknown>): Promise<SemanticIndexError> {
  try {
    await promise;
  } catch (error) {
    if (SemanticIndexError.is(error)) return error;
    throw error;
  }
  throw new Error('It did not fail');
}

describe.each(['folder', ':memory:'])('an index in %s', (where) => {
  const place = (): string => (where === 'folder' ? join(folder, 'index') : where);

  it('finds what was added, at once', async () => {
    await using index = await SemanticIndex.open(place(), { provider });
    expect((await index.search('cat')).hits).toEqual([]);
    const result = await index.addDocuments(texts);
    expect(result).toMatchObject({ added: 4, updated: 0, unchanged: 0, embedded: 4 });
    expect(result.ids).toHaveLength(4);
    const { hits } = await index.search('cat on a mat', { k: 2 });
    expect(hits).toHaveLength(2);
    expect(hits[0]).toMatchObject({ id: result.ids[0], text: texts[0], metadata: {} });
    expect(hits[0]!.score).toBeGreaterThan(hits[1]!.score);
    expect(hits[0]!.score).toBeLessThanOrEqual(1 + 1e-6);
  });

  it('skips what did not change, replaces what did, keeps metadata apart from text', async () => {
    const counted = deterministicProvider({ dimensions: 32 });
    await using index = await SemanticIndex.open(place(), { provider: counted });
    const first: DocumentInput[] = [
      { id: 'a', text: texts[0]!, metadata: { page: 1 } },
      { id: 7, text: texts[1]!, metadata: { source: { page: 1 } } },
    ];
    expect(await index.addDocuments(first)).toMatchObject({ ids: ['a', 7], added: 2, embedded: 2 });
    expect(await index.addDocuments(first)).toMatchObject({ added: 0, unchanged: 2, embedded: 0 });
    const other = { id: 7, text: texts[1]!, metadata: { source: { page: 2 } } };
    expect(await index.addDocuments([other])).toMatchObject({ updated: 1, embedded: 0 });
    expect(await index.getDocument(7)).toEqual(other);
    expect(await index.addDocuments([{ id: 'a', text: texts[2]! }])).toMatchObject({ updated: 1, embedded: 1 });
    expect((await index.search(texts[0]!, { k: 10 })).hits).toHaveLength(2);
    expect((await index.search(texts[2]!, { k: 1 })).hits[0]).toMatchObject({ id: 'a', text: texts[2], metadata: {} });
    // Three documents, two queries, and the texts by which the model is recognised.
    const canaries = 6;
    expect(counted.answered.texts).toBe(3 + 2 + canaries);
    // A text that was there before is not paid for again.
    expect(await index.addDocuments([{ id: 'b', text: texts[0]! }])).toMatchObject({ added: 1, embedded: 0 });
  });

  it('distinguishes 1 from "1", and derives missing ids', async () => {
    await using index = await SemanticIndex.open(place(), { provider });
    await index.addDocuments([
      { id: 1, text: texts[0]! },
      { id: '1', text: texts[1]! },
    ]);
    expect((await index.getDocument(1))?.text).toBe(texts[0]);
    expect((await index.getDocument('1'))?.text).toBe(texts[1]);
    const { ids } = await index.addDocuments([texts[2]!, texts[2]!]);
    expect(ids[0]).toBe(ids[1]);
    expect(await index.count()).toBe(3);
  });

  it('deletes by id and by filter, lists in pages, counts', async () => {
    await using index = await SemanticIndex.open<{ n: number }>(place(), { provider });
    await index.addDocuments(
      Array.from({ length: 25 }, (_, n) => ({ id: n, text: `text number ${n}`, metadata: { n } })),
    );
    expect(await index.deleteDocuments([3, 4, 99])).toBe(2);
    expect(await index.deleteDocuments({ where: { n: { $gte: 20 } } })).toBe(5);
    expect(await index.count()).toBe(18);
    expect(await index.count({ where: { n: { $lt: 5 } } })).toBe(3);
    const seen: unknown[] = [];
    let after: string | undefined;
    do {
      const page = await index.listDocuments({ limit: 7, after });
      seen.push(...page.documents.map((document) => document.id));
      after = page.next;
    } while (after !== undefined);
    expect(seen).toEqual([0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    const { hits } = await index.search('text number 3', { k: 25 });
    expect(hits.map((hit) => hit.id).sort((a, b) => Number(a) - Number(b))).toEqual(seen);
  });

  it('filters without starving', async () => {
    await using index = await SemanticIndex.open(place(), { provider });
    await index.addDocuments(
      Array.from({ length: 200 }, (_, n) => ({ id: n, text: `text ${n}`, metadata: { even: n % 2 === 0, n } })),
    );
    const { hits } = await index.search('text 7', { k: 10, where: { n: { $in: [3, 150, 199] } } });
    expect(hits.map((hit) => hit.id).sort()).toEqual([150, 199, 3]);
    expect((await index.search('text 7', { k: 300, where: { even: true } })).hits).toHaveLength(100);
  });

  it('explains how it searched', async () => {
    await using index = await SemanticIndex.open(place(), { provider });
    await index.addDocuments(texts.map((text, n) => ({ id: n, text, metadata: { n } })));
    const explained = await index.search('cat on a mat', { k: 2, where: { n: { $lt: 3 } }, explain: true });
    const { hits } = await index.search('cat on a mat', { k: 2, where: { n: { $lt: 3 } } });
    expect(explained.hits.map(({ explanation: _, ...hit }) => hit)).toEqual(hits);
    expect(explained.explanation).toMatchObject({
      exact: true,
      matchingWords: 1,
      segments: [{ segment: 0, items: 4, allowed: 3, exact: true }],
    });
    expect(explained.explanation?.milliseconds.vectors).toBeGreaterThan(0);
  });

  it('finds unlike documents when asked for diversity', async () => {
    await using index = await SemanticIndex.open(place(), { provider });
    const likes = Array.from({ length: 5 }, (_, n) => ({ id: `like ${n}`, text: `red apple pie ${n}` }));
    await index.addDocuments([...likes, { id: 'unlike', text: 'red bicycle' }]);
    const ids = async (diversity: number) =>
      (await index.search('red apple pie', { k: 2, diversity })).hits.map(({ id }) => id);
    expect(await ids(0)).not.toContain('unlike');
    expect(await ids(0.7)).toContain('unlike');
    await expect(index.search('x', { diversity: 2 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('searches by vector and by document', async () => {
    await using index = await SemanticIndex.open(place(), { provider });
    const { ids } = await index.addDocuments(texts);
    const { vectors } = await provider.embed([texts[3]!], { role: 'query' });
    expect((await index.search(vectors[0]!, { k: 1 })).hits[0]!.id).toBe(ids[3]);
    const { hits: likes } = await index.search({ id: ids[2]! }, { k: 10 });
    expect(likes).toHaveLength(3);
    expect(likes.map((hit) => hit.id)).not.toContain(ids[2]);
    const many = (await index.searchMany([texts[0]!, vectors[0]!, { id: ids[1]! }], { k: 2 })).map(({ hits }) => hits);
    expect(many.map((hits) => hits.length)).toEqual([2, 2, 2]);
    expect(many[0]![0]!.id).toBe(ids[0]);
    expect((await index.search(texts[0]!, { k: 10, minScore: 0.99, mode: 'vector' })).hits).toHaveLength(1);
  });

  it('refuses bad input and stays as it was', async () => {
    await using index = await SemanticIndex.open(place(), { provider });
    await index.addDocuments([{ id: 'a', text: 'one' }]);
    const bad: [unknown, string][] = [
      [['fine', ''], 'INVALID_TEXT'],
      [['fine', '  \n'], 'INVALID_TEXT'],
      [['fine', { id: 'x', text: 5 }], 'INVALID_TEXT'],
      [['fine', null], 'INVALID_ARGUMENT'],
      [['fine', { text: 'x', id: 1.5 }], 'INVALID_ID'],
      [['fine', { text: 'x', id: '' }], 'INVALID_ID'],
      [['fine', { text: 'x', id: {} }], 'INVALID_ID'],
      [['fine', { text: 'x', metadata: [] }], 'INVALID_METADATA'],
      [['fine', { text: 'x', metadata: { when: new Date() } }], 'INVALID_METADATA'],
      [['fine', { text: 'x', metadata: { a: { b: Number.NaN } } }], 'INVALID_METADATA'],
      [['fine', { text: 'x', vector: [1, Number.NaN] }], 'INVALID_VECTOR'],
      [['fine', { text: 'x', vector: new Float32Array(32) }], 'INVALID_VECTOR'],
      [['fine', { text: 'x', vector: [1, 2, 3] }], 'DIMENSION_MISMATCH'],
      [['fine', { text: 'x', meta: {} }], 'UNKNOWN_OPTION'],
      [
        [
          { id: 'b', text: 'x' },
          { id: 'b', text: 'y' },
        ],
        'DUPLICATE_ID',
      ],
      ['a string', 'INVALID_ARGUMENT'],
      [undefined, 'INVALID_ARGUMENT'],
    ];
    for (const [documents, code] of bad) {
      const error = await failure(index.addDocuments(documents as string[]));
      expect([error.code, documents]).toEqual([code, documents]);
      expect(error.hint).not.toBe('');
    }
    expect(await failure(index.addDocuments(['x'], { batchsize: 3 } as object))).toMatchObject({
      code: 'UNKNOWN_OPTION',
      hint: 'Did you mean "batchSize"?',
    });
    expect((await failure(index.search('').then(({ hits }) => hits))).code).toBe('INVALID_TEXT');
    expect((await failure(index.search('x', { k: 0 }).then(({ hits }) => hits))).code).toBe('INVALID_ARGUMENT');
    expect((await failure(index.search([1, 2]).then(({ hits }) => hits))).code).toBe('DIMENSION_MISMATCH');
    expect((await failure(index.search({ id: 'missing' }).then(({ hits }) => hits))).code).toBe('NOT_FOUND');
    expect(
      (await failure(index.search('x', { where: { a: { $gtt: 1 } } as never }).then(({ hits }) => hits))).code,
    ).toBe('INVALID_FILTER');
    expect((await failure(index.deleteDocuments({} as never))).code).toBe('INVALID_ARGUMENT');
    expect(await index.count()).toBe(1);
  });

  it('takes vectors of the caller without a provider', async () => {
    await using index = await SemanticIndex.open(place(), { provider: null });
    await index.addDocuments([
      { id: 'x', text: '', vector: [1, 0, 0] },
      { id: 'y', text: 'why', vector: [0, 1, 0] },
    ]);
    expect((await index.search([0.1, 0.9, 0])).hits[0]).toMatchObject({ id: 'y' });
    expect(await failure(index.search('words').then(({ hits }) => hits))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await failure(index.addDocuments(['words']))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    // Another vector for the same id is a change.
    expect(await index.addDocuments([{ id: 'x', text: '', vector: [0, 0, 1] }])).toMatchObject({ updated: 1 });
    expect((await index.search([0, 0, 1], { k: 1 })).hits[0]!.score).toBeCloseTo(1, 5);
  });

  it('refuses everything after close', async () => {
    const index = await SemanticIndex.open(place(), { provider });
    await index.addDocuments(['x']);
    await index.close();
    await index.close();
    for (const call of [
      index.search('x').then(({ hits }) => hits),
      index.addDocuments(['y']),
      index.count(),
      index.getDocument('x'),
      index.stats(),
    ]) {
      expect((await failure(call)).code).toBe('CLOSED');
    }
  });

  it('takes an iterable of any length, reports progress, and stops when aborted', async () => {
    await using index = await SemanticIndex.open(place(), { provider });
    async function* endless(): AsyncGenerator<string> {
      for (let n = 0; ; n++) yield `text ${n}`;
    }
    const controller = new AbortController();
    const progress: number[] = [];
    const running = index.addDocuments(endless(), {
      batchSize: 50,
      signal: controller.signal,
      onProgress: ({ done }) => {
        progress.push(done);
        if (done >= 200) controller.abort(new Error('enough'));
      },
    });
    await expect(running).rejects.toThrow('enough');
    expect(progress).toEqual([50, 100, 150, 200]);
    expect(await index.count()).toBe(200);
  });
});

describe('open', () => {
  it.each([
    [{ ann: { trees: 0 } }, 'a positive integer as ann.trees, got 0'],
    [{ ann: { trees: 2.5 } }, 'a positive integer as ann.trees, got 2.5'],
    [{ ann: { threads: 0 } }, 'a positive integer as ann.threads, got 0'],
    [{ ann: { seed: -1 } }, 'a non-negative integer as ann.seed, got -1'],
    [{ storage: { busyTimeout: -1 } }, 'a non-negative integer as storage.busyTimeout, got -1'],
    [{ storage: { busyTimeout: 1.5 } }, 'a non-negative integer as storage.busyTimeout, got 1.5'],
    [{ cache: { queries: -1 } }, 'a non-negative integer as cache.queries, got -1'],
  ])('refuses %j', async (options, expected) => {
    const path = join(folder, 'refused');
    await expect(SemanticIndex.open(path, { provider, ...options })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: `SemanticIndex.open: expected ${expected}`,
    });
    expect(existsSync(path)).toBe(false);
  });

  it('without a provider names the mode that needs none', async () => {
    await using index = await SemanticIndex.open(':memory:', { provider: null });
    await index.addDocuments([{ id: 1, text: 'a lantern', vector: [1, 0] }]);
    await expect(index.search('lantern')).rejects.toMatchObject({ hint: expect.stringContaining("mode: 'text'") });
    expect((await index.search('lantern', { mode: 'text' })).hits).toHaveLength(1);
  });
});

describe('an index on disk', () => {
  it('is there again after a reopen, and the model is asked nothing', async () => {
    const path = join(folder, 'index');
    const first = await SemanticIndex.open(path, { provider });
    const { ids } = await first.addDocuments(texts);
    await first.optimize({ full: true });
    await first.addDocuments(['something new']);
    await first.deleteDocuments(ids[1]!);
    await first.close();
    expect(readdirSync(path).sort()).toEqual(['index.db', 'segments']);
    const counted = deterministicProvider({ dimensions: 32 });
    await using second = await SemanticIndex.open(path, { provider: counted });
    expect(await second.count()).toBe(4);
    expect((await second.search({ id: ids[0]! }, { k: 9 })).hits.map((hit) => hit.text)).not.toContain(texts[1]);
    expect(await second.addDocuments([texts[0]!])).toMatchObject({ unchanged: 1, embedded: 0 });
    expect(counted.answered.texts).toBe(0);
    expect(await second.stats()).toMatchObject({
      documents: 4,
      tail: 1,
      dimensions: 32,
      segments: [{ items: 4, dead: 1 }],
    });
  });

  it('gives the same answers with forests as by scanning', async () => {
    const path = join(folder, 'index');
    await using index = await SemanticIndex.open(path, { provider, ann: { sealAt: 300, trees: 8 } });
    const documents = Array.from({ length: 2_000 }, (_, n) => ({
      id: n,
      text: `w${n % 40} x${n % 7} y${n % 11} z${n}`,
    }));
    for (let start = 0; start < documents.length; start += 250)
      await index.addDocuments(documents.slice(start, start + 250));
    await index.optimize({ full: true });
    const stats = await index.stats();
    expect(stats).toMatchObject({ documents: 2_000, tail: 0, segments: [{ items: 2_000, dead: 0 }] });
    let found = 0;
    for (let n = 0; n < 20; n++) {
      const query = `w${n} x${n % 7} y${n % 11}`;
      const { hits: exact } = await index.search(query, { k: 10, exact: true });
      const forest = new Set((await index.search(query, { k: 10 })).hits.map((hit) => hit.id));
      found += exact.filter((hit) => forest.has(hit.id)).length;
    }
    expect(found / 200).toBeGreaterThan(0.9);
  });

  it('refuses another model, and what is no index', async () => {
    const path = join(folder, 'index');
    await (await SemanticIndex.open(path, { provider })).close();
    const index = await SemanticIndex.open(path, { provider });
    await index.addDocuments(['x']);
    await index.close();
    const other = deterministicProvider({ dimensions: 32, seed: 1 });
    expect(await failure(SemanticIndex.open(path, { provider: other }))).toMatchObject({
      code: 'SPACE_MISMATCH',
      details: { expected: provider.id, actual: other.id },
    });
    // The same name, and yet another model: found out before the first vector is compared.
    const disguised = await SemanticIndex.open(path, { provider: { ...other, id: provider.id } });
    expect((await failure(disguised.search('x').then(({ hits }) => hits))).code).toBe('SPACE_MISMATCH');
    expect((await failure(disguised.addDocuments(['y']))).code).toBe('SPACE_MISMATCH');
    expect(await disguised.count()).toBe(1);
    await disguised.close();
    const strange = join(folder, 'strange');
    writeFileSync(join(folder, 'file'), 'x');
    expect((await failure(SemanticIndex.open(join(folder, 'file'), { provider }))).code).toBe('NOT_AN_INDEX');
    expect((await failure(SemanticIndex.open(folder, { provider }))).code).toBe('NOT_AN_INDEX');
    expect((await failure(SemanticIndex.open(strange, { provider, create: false }))).code).toBe('NOT_AN_INDEX');
    expect((await failure(SemanticIndex.open(strange, { provider, readonly: true }))).code).toBe('NOT_AN_INDEX');
    expect(existsSync(strange)).toBe(false);
    expect((await failure(SemanticIndex.open('', { provider }))).code).toBe('INVALID_ARGUMENT');
    expect((await failure(SemanticIndex.open(path, { provder: provider } as object))).hint).toBe(
      'Did you mean "provider"?',
    );
  });

  it('refuses the database of another program, of a later version, and files that are not a database', async () => {
    const open = async (make: (path: string) => void): Promise<string> => {
      const path = mkdtempSync(join(folder, 'index-'));
      make(join(path, 'index.db'));
      return (await failure(SemanticIndex.open(path, { provider }))).code;
    };
    expect(await open((file) => new (sqlite())(file).exec('CREATE TABLE t (x)').close())).toBe('NOT_AN_INDEX');
    expect(await open((file) => writeFileSync(file, 'no database at all, whatever its name'.repeat(100)))).toBe(
      'NOT_AN_INDEX',
    );
    const newer = (file: string): void => {
      const db = new (sqlite())(file);
      db.pragma(`application_id = ${0x53494458}`);
      db.pragma('user_version = 999');
      db.close();
    };
    expect(await open(newer)).toBe('NEWER_FORMAT');
  });

  it('refuses changes when it is read-only, and shows the changes of others', async () => {
    const path = join(folder, 'index');
    await using writer = await SemanticIndex.open(path, { provider });
    await writer.addDocuments(['one']);
    await using reader = await SemanticIndex.open(path, { provider, readonly: true });
    expect((await reader.search('one')).hits).toHaveLength(1);
    await writer.addDocuments(['two', 'three']);
    expect((await reader.search('two')).hits).toHaveLength(3);
    const {
      hits: [{ id } = { id: '' }],
    } = await reader.search('two', { k: 1 });
    await writer.deleteDocuments(id);
    expect((await reader.search('two')).hits).toHaveLength(2);
    await writer.optimize({ full: true });
    expect((await reader.search('two')).hits).toHaveLength(2);
    expect((await reader.stats()).segments).toHaveLength(1);
    expect((await failure(reader.addDocuments(['four']))).code).toBe('READ_ONLY');
    expect((await failure(reader.deleteDocuments('x'))).code).toBe('READ_ONLY');
    expect((await failure(reader.optimize({ full: true }))).code).toBe('READ_ONLY');
    expect((await failure(reader.optimize())).code).toBe('READ_ONLY');
  });

  it('searches correctly when segment files are missing, and repairs them', async () => {
    const path = join(folder, 'index');
    const first = await SemanticIndex.open(path, { provider });
    await first.addDocuments(Array.from({ length: 300 }, (_, n) => ({ id: n, text: `word${n} and more` })));
    await first.optimize({ full: true });
    const { hits: expected } = await first.search('word17 and more', { k: 5, exact: true });
    await first.close();
    for (const file of readdirSync(join(path, 'segments'))) rmSync(join(path, 'segments', file));
    const events: IndexEvent[] = [];
    const second = await SemanticIndex.open(path, { provider, onEvent: (event) => events.push(event) });
    expect((await second.search('word17 and more', { k: 5 })).hits).toEqual(expected);
    expect(events[0]).toMatchObject({ type: 'damage' });
    await expect.poll(() => events.map(({ type }) => type), { timeout: 60_000 }).toContain('repair');
    expect((await second.stats()).segments).toMatchObject([{ items: 300, damaged: false }]);
    expect((await second.search('word17 and more', { k: 5, exact: true })).hits).toEqual(expected);
    expect(await second.validate({ level: 'full' })).toMatchObject({ valid: true });
    await second.close();
  });

  it('compacts, validates, rebuilds and backs up', async () => {
    const path = join(folder, 'index');
    await using index = await SemanticIndex.open(path, { provider });
    await index.addDocuments(
      Array.from({ length: 1_000 }, (_, n) => ({ id: n, text: `word${n} ${'filler '.repeat(50)}` })),
    );
    await index.optimize({ full: true });
    await index.deleteDocuments(Array.from({ length: 500 }, (_, n) => n * 2));
    const result = await index.optimize();
    expect(result).toMatchObject({ items: 500, vectors: 500 });
    expect(result.bytesAfter).toBeLessThan(result.bytesBefore * 0.75);
    const copy = join(folder, 'copy');
    await index.backup(copy);
    expect((await failure(index.backup(copy))).code).toBe('INVALID_ARGUMENT');
    await index.rebuild();
    await index.rebuild({ from: 'texts' });
    const report = await index.validate({ level: 'full' });
    expect(report.checks.filter((check) => !check.passed)).toEqual([]);
    await using restored = await SemanticIndex.open(copy, { provider });
    expect(await restored.count()).toBe(500);
    expect((await restored.search('word7', { exact: true })).hits).toEqual(
      (await index.search('word7', { exact: true })).hits,
    );
    expect((await restored.stats()).segments).toMatchObject([{ damaged: false }]);
  });
});
