import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyzeDocument } from '../../../src/analysis/analyze.js';
import { stemOf } from '../../../src/analysis/stem.js';
import { scoreTexts } from '../../../src/crash-test/exact-texts.js';
import { SemanticIndex } from '../../../src/index.js';
import { Random } from '../../../src/random.js';
import { deterministicProvider } from '../../../src/testing.js';

/** Distance by optimal string alignment: the whole table, for two words. */
function edits(left: string, right: string): number {
  const [a, b] = [[...left], [...right]];
  const table = Array.from({ length: a.length + 1 }, (_, row) =>
    Array.from({ length: b.length + 1 }, (_, column) => (row === 0 ? column : column === 0 ? row : 0)),
  );
  const at = (row: number, column: number): number => table[row]?.[column] as number;
  for (let row = 1; row <= a.length; row++) {
    for (let column = 1; column <= b.length; column++) {
      const substitution = at(row - 1, column - 1) + Number(a[row - 1] !== b[column - 1]);
      let best = Math.min(at(row - 1, column) + 1, at(row, column - 1) + 1, substitution);
      const isSwapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwapped) best = Math.min(best, at(row - 2, column - 2) + 1);
      (table[row] as number[])[column] = best;
    }
  }
  return at(a.length, b.length);
}

let folder: string;
let index: SemanticIndex;
const documents = new Map<string, { readonly text: string; readonly group: number }>();

/** Documents of each term, in a group if one is given. */
function frequencies(group?: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { text, group: own } of documents.values()) {
    if (group !== undefined && group !== own) continue;
    for (const term of analyzeDocument(text).terms.keys()) counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  return counts;
}

/** Words of few letters, so that many are similar. */
function randomWord(random: Random): string {
  const letters = Array.from({ length: 3 + random.integer(8) }, () => random.pick(['a', 'b', 'k', 'o', 't', 'ü']));
  return letters.join('');
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-spelling-'));
  index = await SemanticIndex.open(join(folder, 'index'), {
    provider: deterministicProvider({ dimensions: 4 }),
    ann: { background: false, trees: 1, threads: 1 },
  });
  const random = new Random(2);
  const vocabulary = Array.from({ length: 400 }, () => randomWord(random));
  // Two segments with deleted documents, and a tail.
  for (let round = 0; round < 3; round++) {
    const added = Array.from({ length: 80 }, (_, number) => {
      const words = Array.from({ length: 6 }, () => vocabulary[Math.floor(random.number() ** 2 * 400)] as string);
      return { id: `${(round * 60 + number) % 200}`, text: words.join(' '), group: number % 3 };
    });
    for (const { id, text, group } of added) documents.set(id, { text, group });
    await index.addDocuments(added.map(({ id, text, group }) => ({ id, text, metadata: { group } })));
    const removed = [...documents.keys()].filter(() => random.chance(0.1));
    await index.deleteDocuments(removed);
    for (const id of removed) documents.delete(id);
    if (round < 2) await index.optimize();
  }
});
afterAll(async () => {
  await index.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('misspelt words', () => {
  it('are replaced by what a comparison with all terms finds, in 300 random cases', async () => {
    const random = new Random(3);
    const counts = frequencies();
    const ofGroups = [0, 1, 2].map((group) => frequencies(group));
    const differences: unknown[] = [];
    let replaced = 0;
    for (let number = 0; number < 300; number++) {
      const word = randomWord(random);
      const term = stemOf(word.replaceAll('ü', 'u'));
      const group = random.chance(0.3) ? random.integer(3) : undefined;
      const limit = [...term].length < 4 ? 0 : [...term].length < 8 ? 1 : 2;
      const candidates = counts.has(term)
        ? []
        : [...(group === undefined ? counts : (ofGroups[group] as typeof counts))]
            .filter(([other]) => Math.abs(other.length - term.length) <= limit)
            .map(([other, documents]) => ({ other, documents, distance: edits(term, other) }))
            .filter(({ distance }) => distance <= limit)
            .sort((a, b) => a.distance - b.distance || b.documents - a.documents || (a.other < b.other ? -1 : 1));
      const expected = candidates[0]?.other;
      const where = group === undefined ? undefined : { group };
      const { hits, explanation } = await index.search(word, { mode: 'text', k: 500, where, explain: true });
      const [correction] = explanation?.corrected ?? [];
      const to = correction && stemOf(correction.to.replaceAll('ü', 'u'));
      if (to !== expected || (correction !== undefined && correction.from !== word)) {
        differences.push({ word, group, expected, correction });
      }
      if (expected === undefined) continue;
      replaced++;
      expect(hits.length).toBe(candidates[0]?.documents);
    }
    expect(differences).toEqual([]);
    expect(replaced).toBeGreaterThan(30);
  }, 240_000);

  it('stay as they are with typos: false, in phrases, and where they are numbers or names', async () => {
    const [word] = [...frequencies().keys()].filter((term) => /^[abkot]{6,}$/.test(term));
    const misspelt = `${(word as string).slice(0, -1)}z`;
    for (const [query, options] of [
      [misspelt, { typos: false }],
      [`"${misspelt}"`, { syntax: 'operators' }],
      ['20250', {}],
      [`${misspelt}+`, { typos: false }],
    ] as const) {
      const { explanation, hits } = await index.search(query, { mode: 'text', explain: true, ...options });
      expect({ query, corrected: explanation?.corrected, hits }).toEqual({ query, corrected: undefined, hits: [] });
    }
    const { explanation } = await index.search(misspelt, { mode: 'hybrid', explain: true });
    expect(explanation?.corrected).toMatchObject([{ from: misspelt }]);
    const { explanation: plain } = await index.search(misspelt, { explain: true, typos: false });
    expect(explanation?.segments.length).toBe(plain?.segments.length);
  });
});

describe('suggestions', () => {
  it('are the words that begin so, by the number of their documents', async () => {
    for (const group of [undefined, 1]) {
      const counts = frequencies(group);
      for (const begin of ['a', 'ab', 'ko', 'tt', 'bak', 'zz']) {
        const where = group === undefined ? undefined : { group };
        const found = await index.suggest(`o ${begin}`, { limit: 5, where });
        const expected = [...counts]
          .filter(([term]) => term.startsWith(begin))
          .map(([, documents]) => documents)
          .sort((a, b) => b - a)
          .slice(0, 5);
        expect({ begin, documents: found.map(({ documents }) => documents) }).toEqual({ begin, documents: expected });
        for (const { text, word, documents } of found) {
          expect(text).toBe(`o ${word}`);
          expect(counts.get(stemOf(word.replaceAll('ü', 'u')))).toBe(documents);
          expect(word.replaceAll('ü', 'u').startsWith(begin)).toBe(true);
        }
      }
    }
  });

  it('are the words that people write, not stems', async () => {
    await using own = await SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions: 4 }) });
    await own.addDocuments([
      'A connection to Paris.',
      'Two connections, one happy city: Paris',
      'the connection is happy',
    ]);
    const words = async (text: string) => (await own.suggest(text)).map(({ text }) => text);
    expect(await words('conn')).toEqual(['connection']);
    expect(await words('a CONNECTIO')).toEqual(['a connection']);
    expect(await words('happ')).toEqual(['happy']);
    expect(await words('happy')).toEqual(['happy']);
    expect(await words('par')).toEqual(['Paris']);
    expect(await words('paris ')).toEqual([]);
    expect(await words('')).toEqual([]);
  });

  it('refuse what is not a text, and a limit below 1', async () => {
    await expect(index.suggest(5 as unknown as string)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(index.suggest('a', { limit: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

it('counts the words of a prefix as one term, in scores as well', async () => {
  for (const begin of ['a', 'ba', 'tok', 'o']) {
    const united = Array.from(documents, ([id, { text }]) => ({
      id,
      text: text
        .split(' ')
        .map((word) => (stemOf(word.replaceAll('ü', 'u')).startsWith(begin) ? 'zzz' : word))
        .join(' '),
    }));
    const expected = new Map(scoreTexts(united, 'zzz').map(({ id, score }) => [id, score]));
    const { hits } = await index.search(`${begin}*`, { syntax: 'operators', mode: 'text', k: 500 });
    expect(hits.map(({ id }) => id).sort()).toEqual([...expected.keys()].sort());
    for (const { id, score } of hits) expect(score).toBeCloseTo(expected.get(id) as number, 9);
  }
});
