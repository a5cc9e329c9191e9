import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { DuplicateScorer } from '../../src/analysis/likeness/duplicate-scorer.js';
import { adviseThreshold } from '../../src/dedupe/advise-threshold.js';
import { findDuplicates } from '../../src/dedupe/find-duplicates.js';
import { loadWordKnowledge } from '../../src/embed/bundled/bundled-provider.js';
import { SemanticIndex } from '../../src/semantic-index.js';

let scorer: DuplicateScorer;

beforeAll(async () => {
  scorer = new DuplicateScorer(await loadWordKnowledge());
});

const sentence = fc
  .array(fc.constantFrom('how', 'do', 'can', 'I', 'reset', 'the', 'my', 'password', 'router', 'a', 'to', 'please'), {
    minLength: 2,
    maxLength: 8,
  })
  .map((words) => words.join(' '));

describe('findDuplicates by probability', () => {
  it('groups exactly what the scorer takes for duplicates, and rethreshold equals a new search', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sentence, { minLength: 2, maxLength: 4 }),
        fc.double({ min: 0.1, max: 0.9, noNaN: true }),
        async (texts, threshold) => {
          await using index = await SemanticIndex.open(':memory:');
          await index.addDocuments(texts.map((text, id) => ({ id, text })));
          const found = await findDuplicates(index, { threshold });
          const gone = new Set(found.ids);
          for (const { representative, duplicates } of found.groups) {
            for (const { id, value } of duplicates) {
              expect(value).toBe(
                scorer.compare(texts[representative as number] as string, texts[id as number] as string),
              );
              expect(value).toBeGreaterThanOrEqual(threshold);
            }
          }
          const kept = texts.map((_, id) => id).filter((id) => !gone.has(id));
          for (const [position, a] of kept.entries()) {
            for (const b of kept.slice(position + 1)) {
              expect(scorer.compare(texts[a] as string, texts[b] as string)).toBeLessThan(threshold);
            }
          }
          const higher = await findDuplicates(index, { threshold: 0.95 });
          expect(found.rethreshold(0.95).groups).toEqual(higher.groups);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('keeps nothing twice that onDuplicate compared, and finds it against another index', async () => {
    const texts = [
      'Pelham desk lamp LED dimmable USB',
      'Pelham desk lamp LED dimmable battery',
      'Pelham dimmable LED desk lamp with USB port',
      'pelham DESK lamp, LED dimmable USB',
    ];
    await using index = await SemanticIndex.open(':memory:');
    const { duplicates } = await index.addDocuments(
      texts.map((text, id) => ({ id, text })),
      { onDuplicate: 'skip' },
    );
    expect(duplicates?.map(({ id, of }) => [id, of])).toEqual([
      [2, 0],
      [3, 0],
    ]);
    expect(duplicates?.[1]).toMatchObject({ value: 1, similarity: 1 });
    expect(duplicates?.[0]?.value).toBe(scorer.compare(texts[0] as string, texts[2] as string));
    await using other = await SemanticIndex.open(':memory:');
    await other.addDocuments(texts.slice(2).map((text, at) => ({ id: `new ${at}`, text })));
    const found = await findDuplicates(other, { against: index });
    expect(found.ids.sort()).toEqual(['new 0', 'new 1']);
  });

  it('goes on to neighbors beyond the first where all of them are near', async () => {
    await using index = await SemanticIndex.open(':memory:');
    const numbered = Array.from({ length: 40 }, (_, id) => ({
      id,
      text: `The parcel ${1000 + id} was sent to the shop`,
    }));
    await index.addDocuments([
      ...numbered,
      { id: 'first', text: 'The parcel 77 was sent to the shop' },
      { id: 'second', text: 'The parcel 77 was sent to a shop' },
    ]);
    const found = await findDuplicates(index);
    expect(
      found.groups.map(({ representative, duplicates }) => [representative, duplicates.map(({ id }) => id)]),
    ).toEqual([['first', ['second']]]);
  });

  it('finds nothing unlike in languages that the model does not know', async () => {
    await using index = await SemanticIndex.open(':memory:');
    await index.addDocuments([
      { id: 'ru1', text: 'Наши дома отапливаются природным газом.' },
      { id: 'ru2', text: 'Лошади бегают по лугу за школой.' },
      { id: 'ru3', text: 'Наши дома отапливаются природным газом круглый год, но не летом.' },
      { id: 'ko1', text: '우리 집은 천연가스로 난방합니다.' },
      { id: 'ko2', text: '말들이 학교 뒤 초원을 달린다.' },
      { id: 'zh1', text: '我们的房子用天然气取暖。' },
      { id: 'zh2', text: '马在学校后面的草地上奔跑。' },
    ]);
    expect((await findDuplicates(index)).groups).toEqual([]);
  });

  it('refuses thresholds and measures that are none', async () => {
    await using index = await SemanticIndex.open(':memory:');
    await expect(findDuplicates(index, { threshold: 1.2 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(findDuplicates(index, { measure: 'cosine' as never })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(index.addDocuments(['x'], { onDuplicate: 'skip', measure: 'cosine' as never })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('shows pairs of every probability', async () => {
    await using index = await SemanticIndex.open(':memory:');
    const texts = [
      'reset my password',
      'reset the password',
      'reset my router',
      'how to reset my password',
      'change my name',
    ];
    await index.addDocuments(texts.map((text, id) => ({ id, text })));
    const { bands } = await adviseThreshold(index, { bands: [0, 0.5, 1], pairsPerBand: 10 });
    const examples = bands.flatMap((band) => band.examples);
    expect(examples.length).toBe(10);
    for (const { first, second, probability } of examples)
      expect(probability).toBe(scorer.compare(first.text, second.text));
  });
});
