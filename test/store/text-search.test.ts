import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DocumentId, SemanticIndex } from '../../src/index.js';
import { deterministicProvider } from '../../src/testing.js';
import { expectExhaustive, textOf } from './text-oracle.js';

const provider = deterministicProvider({ dimensions: 8 });
const runs = Number(process.env.SEMANTIC_INDEX_PROPERTY_RUNS ?? 8);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-texts-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const options = { provider, ann: { background: false, trees: 2, threads: 1 } };
const open = (directory = join(folder, 'index')) => SemanticIndex.open(directory, options);

const text = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { maxLength: 12 }).map(textOf);
const id = fc.integer({ min: 0, max: 60 });
const change = fc.oneof(
  { weight: 5, arbitrary: fc.dictionary(id.map(String), text, { minKeys: 1, maxKeys: 25 }).map((add) => ({ add })) },
  { weight: 2, arbitrary: fc.array(id, { minLength: 1, maxLength: 8 }).map((remove) => ({ remove })) },
  { weight: 1, arbitrary: id.map((group) => ({ group: group % 3 })) },
  { weight: 2, arbitrary: fc.constantFrom('seal', 'merge', 'reopen', 'rebuild').map((work) => ({ work })) },
);

/** The texts of an index in the order of their keys. */
class Texts extends Map<DocumentId, string> {
  replace(id: DocumentId, text: string): void {
    if (this.get(id) === text) return;
    this.delete(id);
    this.set(id, text);
  }
}

describe.each(['a directory', ':memory:'])('searches by text in %s', (kind) => {
  it('equal the scores of every document after any order of changes', async () => {
    const isMemory = kind === ':memory:';
    let count = 0;
    const property = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 10 }), async (changes) => {
      const directory = isMemory ? kind : join(folder, `index ${count++}`);
      const texts = new Texts();
      const groupOf = (id: DocumentId): number => Number(id) % 3;
      let index = await open(directory);
      // Another process, as it were: it reads what the first one commits.
      let reader = isMemory ? index : await open(directory);
      try {
        for (const step of changes) {
          if ('add' in step) {
            const added = Object.entries(step.add).map(([id, text]) => ({
              id,
              text,
              metadata: { group: groupOf(id) },
            }));
            await index.addDocuments(added.filter(({ text }) => text !== ''));
            for (const { id, text } of added) if (text !== '') texts.replace(id, text);
          } else if ('remove' in step) {
            await index.deleteDocuments(step.remove.map(String));
            for (const id of step.remove) texts.delete(String(id));
          } else if ('group' in step) {
            await index.deleteDocuments({ where: { group: step.group } });
            for (const id of [...texts.keys()]) if (groupOf(id) === step.group) texts.delete(id);
          } else if (step.work === 'seal') {
            await index.optimize();
          } else if (step.work === 'merge') {
            await index.optimize({ full: true });
          } else if (step.work === 'rebuild') {
            await index.rebuild();
          } else if (!isMemory) {
            await index.close();
            [index, reader] = [reader, await open(directory)];
          }
          await expectExhaustive(index, texts);
          if (reader !== index) await expectExhaustive(reader, texts);
          await expectExhaustive(index, texts, { where: { group: 1 }, mayBeFound: (id) => groupOf(id) === 1 });
        }
        const { checks } = await index.validate({ level: 'full' });
        expect(checks.filter(({ passed, severity }) => !passed && severity !== 'info')).toEqual([]);
      } finally {
        await index.close();
        if (reader !== index) await reader.close();
      }
    });
    await fc.assert(property, { numRuns: runs });
  }, 120_000);
});

it('sees documents that are committed while the tail is sealed', async () => {
  const texts = new Texts();
  await using index = await SemanticIndex.open(join(folder, 'index'), {
    provider,
    ann: { sealAt: 100, trees: 2, threads: 1 },
  });
  for (let round = 0; round < 12; round++) {
    const documents = Array.from({ length: 40 }, (_, n) => {
      const numbers = Array.from({ length: 5 }, (_, place) => ((round * 7 + n * 13 + place * 29) % 100) / 100);
      return { id: `${round} ${n}`, text: textOf(numbers) };
    });
    await index.addDocuments(documents);
    for (const { id, text } of documents) texts.replace(id, text);
    await index.deleteDocuments([`${round} 3`]);
    texts.delete(`${round} 3`);
    await expectExhaustive(index, texts);
  }
  expect((await index.stats()).segments.length).toBeGreaterThan(0);
}, 60_000);
