import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deterministicProvider } from '../../../src/embed/testing/deterministic-provider.js';
import { SemanticIndexError } from '../../../src/errors.js';
import { SemanticIndex } from '../../../src/semantic-index.js';
import type { DocumentId, Where } from '../../../src/types.js';

/** What breaks programs that put strings together: SQL, FTS5's query language, JSON paths, patterns. */
const attacks = [
  "'; DROP TABLE documents; --",
  "' OR '1'='1",
  '" OR 1=1 --',
  '1); DELETE FROM texts; --',
  'text:*',
  'NEAR(a b, 5)',
  'a AND NOT b',
  'whale*',
  '^whale',
  '"whale',
  'whale" OR "shore',
  '{text} : whale',
  '-whale',
  'a + b',
  '$.a',
  '$."a"',
  'a[0]',
  'a.b',
  '%',
  '_',
  '?1',
  ':name',
  '@p',
  '\\',
  '\u0000',
  '\u202e',
  '__proto__',
  'constructor',
  'toString',
];
const nasty = fc.oneof(
  fc.constantFrom(...attacks),
  fc.string({ unit: 'grapheme', minLength: 1 }),
  fc.tuple(fc.constantFrom(...attacks), fc.constantFrom(...attacks)).map((both) => both.join(' ')),
);

const kept = [
  { id: 'whale', text: 'A whale and the captain who hunts it.', metadata: { a: 1, tag: 'sea' } },
  { id: 'marsh', text: 'An orphan meets a convict on the marshes.', metadata: { a: 2, tag: 'land' } },
];

async function open(): Promise<SemanticIndex> {
  const index = await SemanticIndex.open(':memory:', {
    provider: deterministicProvider({ dimensions: 32 }),
    fields: { a: 'number' },
  });
  await index.addDocuments(kept);
  return index;
}

/** Whatever was tried, all is as it was. */
async function intact(index: SemanticIndex): Promise<void> {
  expect((await index.listDocuments()).documents.map(({ id }) => id)).toEqual(['whale', 'marsh']);
  expect((await index.search('whale captain', { mode: 'text' })).hits.map(({ id }) => id)).toEqual(['whale']);
  expect((await index.validate({ level: 'full' })).valid).toBe(true);
}

describe('nothing that is given is read as a program', () => {
  it('as the text of a query, in any mode', async () => {
    await using index = await open();
    await fc.assert(
      fc.asyncProperty(nasty, fc.constantFrom('text', 'hybrid', 'vector'), async (query, mode) => {
        try {
          const { hits } = await index.search(query, { mode });
          expect(hits.length).toBeLessThanOrEqual(2);
          // In text mode a hit has a word of the query: an operator would have matched without.
          if (mode !== 'text') return;
          // Text is compared without accents.
          const asked = query.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
          for (const { text } of hits) {
            const words = text.toLowerCase().match(/[a-z]+/g) ?? [];
            expect(words.some((word) => asked.includes(word.slice(0, 3)) || asked.includes(word))).toBe(true);
          }
        } catch (error) {
          expect(SemanticIndexError.is(error, 'INVALID_TEXT')).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
    await intact(index);
  });

  it('as a field or a value of a filter', async () => {
    await using index = await open();
    const scalar = fc.oneof(nasty, fc.integer(), fc.boolean(), fc.constant(null));
    const condition = fc.oneof(
      scalar,
      fc.dictionary(
        fc.oneof(nasty, fc.constantFrom('$eq', '$in', '$gt', '$contains', '$not', '$exists')),
        fc.oneof(scalar, fc.array(scalar)),
        {
          maxKeys: 2,
        },
      ),
    );
    const where = fc.dictionary(fc.oneof(nasty, fc.constantFrom('a', 'tag', '$or', '$not')), condition, { maxKeys: 3 });
    await fc.assert(
      fc.asyncProperty(where, async (filter) => {
        for (const use of [
          () => index.count({ where: filter as Where }),
          () => index.search('whale', { where: filter as Where }).then(({ hits }) => hits),
          () => index.listDocuments({ where: { $and: [filter as Where, { a: 1 }] } }),
        ]) {
          try {
            await use();
          } catch (error) {
            expect(SemanticIndexError.is(error, 'INVALID_FILTER')).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
    await intact(index);
  });

  it('as a filter of what is deleted: only what matches goes', async () => {
    await using index = await open();
    await fc.assert(
      fc.asyncProperty(nasty, async (value) => {
        fc.pre(value !== 'sea' && value !== 'land');
        expect(await index.deleteDocuments({ where: { tag: value } })).toBe(0);
        expect(await index.deleteDocuments({ where: { tag: { $in: [value] } } })).toBe(0);
      }),
      { numRuns: 100 },
    );
    await intact(index);
  });

  it('as an id', async () => {
    await using index = await open();
    await fc.assert(
      fc.asyncProperty(nasty, async (id) => {
        fc.pre(!kept.some((document) => document.id === id));
        const document = {
          id: id as DocumentId,
          text: 'something else',
          metadata: { [id === '__proto__' ? 'x' : id]: id },
        };
        await index.addDocuments([document]);
        expect((await index.getDocument(id))?.text).toBe('something else');
        expect((await index.search({ id }, { k: 5 })).hits.map((hit) => hit.id)).not.toContain(id);
        expect(await index.updateMetadata([{ id, metadata: { id } }])).toBe(1);
        expect((await index.getDocument(id))?.metadata).toEqual({ id });
        expect(await index.deleteDocuments(id)).toBe(1);
        expect(await index.getDocument(id)).toBeUndefined();
      }),
      { numRuns: 150 },
    );
    await intact(index);
  });
});
