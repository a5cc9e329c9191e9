import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { TermPacker } from '../../../src/analysis/term-packer.js';
import { bundledProvider, modelFolderOf } from '../../../src/embed/bundled/bundled-provider.js';
import { embedAll } from '../../../src/embed/embed-all.js';
import { TextWorkers } from '../../../src/embed/text-workers/text-workers.js';

const provider = bundledProvider();
const model = modelFolderOf(provider);
const folder = mkdtempSync(join(tmpdir(), 'text-workers-'));
afterAll(() => rmSync(folder, { recursive: true }));

const texts = [
  'Pears ripen off the tree.',
  '猫 🍐 …',
  'qzxv',
  `A long text: ${'the wind shook the pear trees in the orchard behind the house. '.repeat(400)}`,
  ...Array.from({ length: 60 }, (_, n) => `Paragraph ${n} of C++20, .NET and the café at 10.0.0.${n}.`),
];

function packed(some: readonly string[]): Uint8Array {
  const packer = new TermPacker();
  for (const [place, text] of some.entries()) packer.add(place, text);
  return packer.take();
}

describe('TextWorkers', () => {
  it('embeds and analyzes as the main thread does, to the bit', async () => {
    const workers = new TextWorkers(2);
    const { vectors, tokens, terms } = await workers.prepare({ texts, model, analyze: { language: 'en' } });
    const expected = await embedAll(provider, texts, 'document');
    expect(vectors).toEqual(Float32Array.from(expected.flatMap((vector) => [...vector])));
    expect(tokens).toBe((await provider.embed(texts, { role: 'document' })).usage?.tokens);
    expect(terms).toEqual(packed(texts));
  });

  it('returns the same for any number of threads', async () => {
    const batches = Array.from({ length: 9 }, (_, first) => texts.slice(first, first + 20));
    const results = [];
    for (const threads of [1, 2, 4]) {
      const workers = new TextWorkers(threads);
      results.push(
        await Promise.all(batches.map((some) => workers.prepare({ texts: some, model, analyze: { language: 'en' } }))),
      );
      expect(workers.threads).toBe(threads);
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  it('embeds some texts and analyzes all', async () => {
    const workers = new TextWorkers(1);
    const all = await workers.prepare({ texts, model, analyze: undefined });
    expect(all.terms).toBeUndefined();
    const some = await workers.prepare({ texts, model, embed: [1, 3], analyze: { language: 'en' } });
    const { dimensions } = provider;
    const row = (place: number) => all.vectors?.subarray(place * dimensions, (place + 1) * dimensions);
    expect(some.vectors).toEqual(Float32Array.from([...row(1)!, ...row(3)!]));
    expect(some.terms).toEqual(packed(texts));
    const none = await workers.prepare({ texts, model: undefined, analyze: { language: 'en' } });
    expect(none).toEqual({ vectors: undefined, tokens: 0, terms: some.terms, languages: ['en'] });
  });

  it('reports a model that cannot be loaded, and loads it once it can be', async () => {
    const workers = new TextWorkers(1);
    const moved = join(folder, 'model');
    await expect(workers.prepare({ texts, model: moved, analyze: undefined })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      hint: expect.stringContaining('config.json'),
    });
    cpSync(model as string, moved, { recursive: true });
    expect((await workers.prepare({ texts, model: moved, analyze: undefined })).vectors).toHaveLength(
      texts.length * provider.dimensions,
    );
    expect(workers.threads).toBe(1);
  });

  it('rejects at once when it is aborted, and continues with other calls', async () => {
    const workers = new TextWorkers(1);
    const controller = new AbortController();
    const long = workers.prepare(
      { texts: Array(200).fill(texts[3]), model, analyze: { language: 'en' } },
      controller.signal,
    );
    const next = workers.prepare({ texts: ['pear'], model: undefined, analyze: { language: 'en' } });
    controller.abort(new Error('enough'));
    await expect(long).rejects.toThrow('enough');
    expect((await next).terms).toEqual(packed(['pear']));
    await expect(workers.prepare({ texts, model, analyze: { language: 'en' } }, controller.signal)).rejects.toThrow(
      'enough',
    );
  });

  it('keeps nothing of a batch that was aborted half-way', async () => {
    const workers = new TextWorkers(1);
    await workers.prepare({ texts: ['pear'], model, analyze: { language: 'en' } });
    const controller = new AbortController();
    const long = workers.prepare(
      { texts: Array(5_000).fill(texts[3]), model, analyze: { language: 'en' } },
      controller.signal,
    );
    const rejected = expect(long).rejects.toThrow('enough');
    await sleep(50);
    controller.abort(new Error('enough'));
    await rejected;
    const next = await workers.prepare({ texts: ['pear'], model: undefined, analyze: { language: 'en' } });
    expect(next.terms).toEqual(packed(['pear']));
  });

  it('ends threads that are idle, and starts others', async () => {
    const workers = new TextWorkers(2, 20);
    await workers.prepare({ texts: ['pear'], model: undefined, analyze: { language: 'en' } });
    expect(workers.threads).toBe(1);
    for (let waited = 0; workers.threads > 0 && waited < 100; waited++) await sleep(20);
    expect(workers.threads).toBe(0);
    expect((await workers.prepare({ texts: ['pear'], model: undefined, analyze: { language: 'en' } })).terms).toEqual(
      packed(['pear']),
    );
  });
});
