import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type DocumentId, type SearchOptions, SemanticIndex } from '../../src/index.js';
import { MetadataColumns } from '../../src/store/snapshot/metadata-columns.js';
import { deterministicProvider } from '../../src/testing.js';
import { denseMetadata, denseWhere } from '../columns/dense-arbitraries.js';
import { matches } from '../operations/search/filter-oracle.js';

const provider = deterministicProvider({ dimensions: 8 });
const runs = Number(process.env.SEMANTIC_INDEX_PROPERTY_RUNS ?? 10);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-filters-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const options = { provider, ann: { background: false, trees: 2, threads: 1 } };
const open = (directory = join(folder, 'index')) => SemanticIndex.open(directory, options);
type Metadata = NonNullable<Parameters<SemanticIndex['updateMetadata']>[0][number]['metadata']>;

const id = fc.integer({ min: 0, max: 40 }).map((number) => `document ${number}`);
const documents = fc.array(fc.record({ id, version: fc.nat({ max: 2 }), metadata: denseMetadata }), {
  minLength: 1,
  maxLength: 15,
});
const change = fc.oneof(
  { weight: 4, arbitrary: documents.map((add) => ({ add })) },
  { weight: 4, arbitrary: documents.map((update) => ({ update })) },
  { weight: 2, arbitrary: fc.array(id, { minLength: 1, maxLength: 5 }).map((remove) => ({ remove })) },
  { weight: 2, arbitrary: fc.constantFrom('seal', 'merge', 'reopen').map((work) => ({ work })) },
);

/** How many filters were evaluated by columns, and how many by SQL. */
function watchColumns(): { byColumns: number; bySql: number } {
  const counts = { byColumns: 0, bySql: 0 };
  const matching = MetadataColumns.prototype.matching;
  vi.spyOn(MetadataColumns.prototype, 'matching').mockImplementation(async function (this: MetadataColumns, ...args) {
    const found = await matching.apply(this, args);
    counts[found === undefined ? 'bySql' : 'byColumns'] += 1;
    return found;
  });
  return counts;
}

/** The ids of the documents that a search finds among all. */
async function found(index: SemanticIndex, where: SearchOptions['where']): Promise<DocumentId[]> {
  const { hits } = await index.search('which documents', { where, k: 1000, mode: 'vector' });
  return hits.map((hit) => hit.id).sort();
}

describe.each(['a directory', ':memory:'])('filtered searches of %s', (kind) => {
  it('find what a predicate matches after any order of changes', async () => {
    const isMemory = kind === ':memory:';
    const counts = watchColumns();
    let number = 0;
    const property = fc.asyncProperty(
      fc.array(change, { minLength: 2, maxLength: 10 }),
      fc.array(denseWhere, { minLength: 2, maxLength: 4 }),
      async (changes, filters) => {
        const directory = isMemory ? kind : join(folder, `index ${number++}`);
        const known = new Map<string, object>();
        let index = await open(directory);
        // Another process, as it were: it reads what the first one commits.
        let reader = isMemory ? index : await open(directory);
        try {
          for (const step of changes) {
            if ('add' in step) {
              const added = new Map(step.add.map((document) => [document.id, document]));
              await index.addDocuments(
                [...added.values()].map(({ id, version, metadata }) => ({
                  id,
                  text: `${id} ${version}`,
                  metadata: metadata as Metadata,
                })),
              );
              for (const { id, metadata } of added.values()) known.set(id, metadata);
            } else if ('update' in step) {
              const updated = new Map(step.update.filter(({ id }) => known.has(id)).map((one) => [one.id, one]));
              await index.updateMetadata(
                [...updated.values()].map(({ id, metadata }) => ({ id, metadata: metadata as Metadata })),
              );
              for (const { id, metadata } of updated.values()) known.set(id, metadata);
            } else if ('remove' in step) {
              await index.deleteDocuments(step.remove);
              for (const id of step.remove) known.delete(id);
            } else if (step.work === 'reopen' && !isMemory) {
              await Promise.all([index.close(), reader.close()]);
              [index, reader] = [await open(directory), await open(directory)];
            } else {
              await index.optimize({ full: step.work === 'merge' });
            }
            for (const where of filters) {
              const expected = [...known].flatMap(([id, metadata]) =>
                matches(JSON.parse(JSON.stringify(metadata)), where as never) ? [id] : [],
              );
              expect(await found(index, where as never)).toEqual(expected.sort());
              expect(await found(reader, where as never)).toEqual(expected);
            }
            // What is read in the background after the first filter.
            await sleep(2);
          }
        } finally {
          await Promise.all([index.close(), reader.close()]);
        }
      },
    );
    await fc.assert(property, { numRuns: runs, endOnFailure: true });
    expect(counts.byColumns).toBeGreaterThan(counts.bySql / 4);
    if (process.env.SEMANTIC_INDEX_PROPERTY_RUNS !== undefined) console.log(counts);
  });

  it('follow many changes of metadata', async () => {
    const counts = watchColumns();
    const index = await open(kind === ':memory:' ? kind : undefined);
    const ids = Array.from({ length: 600 }, (_, number) => `document ${number}`);
    await index.addDocuments(ids.map((id) => ({ id, text: id, metadata: { a: 1 } })));
    for (const round of [2, 3]) {
      await vi.waitFor(async () => {
        const before = counts.byColumns;
        expect((await found(index, { a: round - 1 })).length).toBe(600);
        expect(counts.byColumns).toBe(before + 1);
      });
      await index.updateMetadata(ids.map((id) => ({ id, metadata: { a: round } })));
      expect(await found(index, { a: round - 1 })).toEqual([]);
      expect((await found(index, { a: { $gte: round } })).length).toBe(600);
    }
    await index.close();
  });
});
