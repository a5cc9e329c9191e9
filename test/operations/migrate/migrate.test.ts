import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SemanticIndex } from '../../../src/index.js';
import { deterministicProvider } from '../../../src/testing.js';
import type { IndexEvent } from '../../../src/types.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'migrate-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const count = 400;
const textOf = (id: number): string => `alpha${id} beta${id % 50} gamma${id % 7}`;
const documents = Array.from({ length: count }, (_, id) => ({ id, text: textOf(id) }));
const old = () => deterministicProvider({ seed: 0, dimensions: 32 });
const next = (more: object = {}) => deterministicProvider({ seed: 1, dimensions: 48, ...more });

/** The text of a document finds it with a cosine of 1 where query and vectors are of one model, and hardly ever else. */
async function expectWhole(index: SemanticIndex, ids: readonly number[]): Promise<void> {
  for (const id of ids) {
    const {
      hits: [hit],
    } = await index.search(textOf(id), { k: 1, mode: 'vector' });
    expect(hit?.id).toBe(id);
    expect(hit?.score).toBeGreaterThan(0.999);
  }
}

describe('migrate', () => {
  it('embeds every text once, moves, and is found by the new provider alone', async () => {
    const directory = join(folder, 'index');
    const provider = next();
    {
      const events: string[] = [];
      const onEvent = ({ type }: IndexEvent): void => void events.push(type);
      await using index = await SemanticIndex.open(directory, { provider: old(), onEvent });
      await index.addDocuments(documents);
      await index.optimize({ full: true });
      const progress: number[] = [];
      const result = await index.migrate(provider, { onProgress: ({ done }) => progress.push(done) });
      expect(result).toMatchObject({ documents: count, embedded: count, reused: 0, cutOver: true });
      expect(result.from).toMatch(/:0:32/);
      expect(result.to).toBe(provider.id);
      // Both models know words only, so they agree on which documents share them.
      expect(result.overlap).toMatchObject({ k: 10, queries: 100 });
      expect(result.overlap?.mean).toBeGreaterThan(0.1);
      expect(result.overlap?.mean).toBeLessThan(1);
      expect(progress.at(-1)).toBe(count);
      expect(progress).toEqual(progress.toSorted((a, b) => a - b));
      await expectWhole(index, [0, 7, 399]);
      const { hits } = await index.search('alpha7 nowhere', { k: 1, mode: 'text' });
      expect(hits.map(({ id }) => id)).toEqual([7]);
      expect(events).not.toContain('terms-missing');
      await index.addDocuments([{ id: 'later', text: 'added under the new model' }]);
      expect((await index.search('added under the new model', { k: 1 })).hits[0]?.id).toBe('later');
      expect(await index.stats()).toMatchObject({ dimensions: 48, provider: provider.id, documents: count + 1 });
      expect((await index.validate({ level: 'full' })).valid).toBe(true);
      await index.optimize({ full: true });
      await expectWhole(index, [1, 200]);
    }
    await expect(SemanticIndex.open(directory, { provider: old() })).rejects.toMatchObject({ code: 'SPACE_MISMATCH' });
    await using again = await SemanticIndex.open(directory, { provider: next() });
    await expectWhole(again, [3, 250]);
  });

  it('continues where it was interrupted', async () => {
    await using index = await SemanticIndex.open(join(folder, 'index'), { provider: old() });
    await index.addDocuments(documents);
    const controller = new AbortController();
    let calls = 0;
    const slow = next({
      maxBatchSize: 32,
      onCall: () => {
        if (++calls === 6) controller.abort(new Error('enough'));
      },
    });
    await expect(index.migrate(slow, { signal: controller.signal })).rejects.toThrow('enough');
    await expectWhole(index, [5]);
    // What was embedded for the new space is not taken for waste.
    await index.optimize();
    const answered = slow.answered.texts;
    const provider = next();
    const result = await index.migrate(provider);
    expect(result.embedded + result.reused).toBe(count);
    // ReferenceEmbeddings are asked each time: six texts.
    expect(answered - 6).toBe(result.reused);
    expect(result.reused).toBeGreaterThan(32);
    await expectWhole(index, [5, 77]);
  });

  it('can be prepared first and done later, and taken back', async () => {
    await using index = await SemanticIndex.open(join(folder, 'index'), { provider: old() });
    await index.addDocuments(documents);
    const provider = next();
    const prepared = await index.migrate(provider, { cutOver: false, queries: ['alpha3', 'beta7 gamma2'] });
    expect(prepared).toMatchObject({ embedded: count, cutOver: false, overlap: { queries: 2 } });
    expect((await index.stats()).dimensions).toBe(32);
    await index.addDocuments([{ id: 900, text: textOf(900) }]);
    expect(await index.migrate(provider)).toMatchObject({ embedded: 1, reused: count, cutOver: true });
    await expectWhole(index, [900, 3]);
    const first = old();
    expect(await index.migrate(first)).toMatchObject({ embedded: 0, reused: count + 1, cutOver: true });
    await expectWhole(index, [900, 3]);
    expect((await index.stats()).dimensions).toBe(32);
    expect(await index.migrate(first)).toMatchObject({ embedded: 0, cutOver: false });
  });

  it('lets searches and adds go on, and never mixes', async () => {
    await using index = await SemanticIndex.open(join(folder, 'index'), { provider: old(), ann: { sealAt: 150 } });
    await index.addDocuments(documents);
    let moving = true;
    let searches = 0;
    const searching = (async () => {
      for (let id = 0; moving || searches < 20; id = (id + 13) % count) {
        await expectWhole(index, [id]);
        const { hits } = await index.search(textOf(id), { k: 5 });
        expect(hits).toHaveLength(5);
        expect(hits[0]?.id).toBe(id);
        const {
          hits: [like],
        } = await index.search({ id }, { k: 1, diversity: 0.1 });
        expect(like).toBeDefined();
        searches++;
      }
    })();
    const adding = (async () => {
      for (let id = count; moving; id++) await index.addDocuments([{ id, text: textOf(id) }]);
    })();
    for (const seed of [1, 2, 0, 3]) {
      const provider = deterministicProvider({ seed, dimensions: seed === 1 ? 48 : 32, delay: 3, maxBatchSize: 64 });
      expect(await index.migrate(provider)).toMatchObject({ cutOver: true });
    }
    moving = false;
    await Promise.all([searching, adding]);
    expect(searches).toBeGreaterThan(10);
    expect((await index.validate({ level: 'full' })).valid).toBe(true);
  });

  it('is detected by other processes, which fail instead of mixing models', async () => {
    const directory = join(folder, 'index');
    await using index = await SemanticIndex.open(directory, { provider: old() });
    await index.addDocuments(documents);
    await using other = await SemanticIndex.open(directory, { provider: old() });
    await expectWhole(other, [1]);
    const vector = (await other.getVectors([1]))[0] as Float32Array;
    await index.migrate(deterministicProvider({ seed: 1, dimensions: 32 }));
    const refused = { code: 'SPACE_MISMATCH' };
    await expect(other.search(textOf(1))).rejects.toMatchObject(refused);
    await expect(other.search(vector)).rejects.toMatchObject(refused);
    await expect(other.addDocuments(['something new'])).rejects.toMatchObject(refused);
    expect(await other.count()).toBe(count);
    await expectWhole(index, [1]);
  });

  it('is done by one at a time', async () => {
    const directory = join(folder, 'index');
    await using index = await SemanticIndex.open(directory, { provider: old() });
    await index.addDocuments(documents);
    await using other = await SemanticIndex.open(directory, { provider: old() });
    let [asked, answer] = [(): void => {}, (): void => {}];
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const mayAnswer = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const slow = next({
      maxBatchSize: 50,
      onCall: () => {
        asked();
        return mayAnswer;
      },
    });
    const first = index.migrate(slow);
    await isAsked;
    await expect(other.migrate(next())).rejects.toMatchObject({ code: 'BUSY' });
    await expect(index.migrate(next())).rejects.toMatchObject({ code: 'BUSY' });
    answer();
    expect(await first).toMatchObject({ embedded: count, cutOver: true });
  });

  it('refuses what no model can make again, and an index without vectors', async () => {
    await using index = await SemanticIndex.open(':memory:', { provider: old() });
    await expect(index.migrate(next())).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await index.addDocuments([{ id: 1, text: 'given', vector: new Float32Array(32).fill(1) }]);
    await expect(index.migrate(next())).rejects.toMatchObject({ code: 'UNSUPPORTED', details: { documents: 1 } });
    await expect(index.migrate(next(), { cutover: true } as never)).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' });
  });

  it('works in memory', async () => {
    await using index = await SemanticIndex.open(':memory:', { provider: old() });
    await index.addDocuments(documents);
    expect(await index.migrate(next())).toMatchObject({ embedded: count, cutOver: true });
    await expectWhole(index, [0, 399]);
  });
});
