import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseFilter } from '../../src/operations/parse-filter.js';
import { add, answer } from './documents.js';
import { openFolder, openMemory } from './stores.js';

/** Runs of the property; more of them find rarer orders of events. */
const runs = Number(process.env.SEMANTIC_INDEX_PROPERTY_RUNS ?? 12);

const words = ['red', 'green', 'apple', 'pear', 'stone', 'of', 'the'];
const document = fc.record({
  id: fc.integer({ min: 0, max: 12 }),
  text: fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 5 }).map((some) => some.join(' ')),
  metadata: fc.record({ size: fc.integer({ min: 0, max: 3 }) }),
});
const event = fc.oneof(
  fc
    .uniqueArray(document, { selector: ({ id }) => id, minLength: 1, maxLength: 6 })
    .map((documents) => ({ documents })),
  fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 4 }).map((ids) => ({ ids })),
  fc.integer({ min: 0, max: 3 }).map((size) => ({ size })),
  fc.constant({ build: true }),
);

it('a directory and memory give equal lists and scores after any order of changes', async () => {
  const property = fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 8 }), async (events) => {
    const [left, right] = [await openFolder(), await openMemory()];
    const both = [left.backend, right.backend];
    try {
      for (const change of events) {
        const results = [];
        for (const backend of both) {
          if ('documents' in change) results.push(await add(backend, change.documents));
          else if ('ids' in change) results.push(await backend.deleteByIds(change.ids));
          else if ('size' in change) results.push(await backend.deleteWhere(parseFilter({ size: change.size })));
          else await backend.optimize({ full: true });
        }
        expect(results[0]).toEqual(results[1]);
      }
      for (const query of ['red apple', 'the stone of pear']) {
        const [one, other] = [await answer(left.backend, query), await answer(right.backend, query)];
        expect(one).toEqual(other);
      }
    } finally {
      for (const { backend, remove } of [left, right]) {
        await backend.close();
        remove();
      }
    }
  });
  await fc.assert(property, { numRuns: runs });
});
