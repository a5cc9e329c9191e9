import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyzeDocument, analyzeQuery } from '../../../src/analysis/analyze.js';
import { Phrase } from '../../../src/analysis/query/phrase.js';
import { stemOf } from '../../../src/analysis/stem.js';
import { type SearchOptions, SemanticIndex } from '../../../src/index.js';
import { Random } from '../../../src/random.js';
import { deterministicProvider } from '../../../src/testing.js';

/** What a document has of a written word: its words in their order, and its names. */
interface Written {
  readonly text: string;
  readonly words: readonly string[];
  readonly names: readonly string[];
}

const plain = 'connection connected pool pools harbor harbors the of redis running runs library libraries yellow';
const vocabulary: readonly Written[] = [
  ...plain.split(' ').map((text) => ({ text, words: [stemOf(text)], names: [] })),
  { text: 'Pool,', words: ['pool'], names: [] },
  { text: 'Zürich', words: ['zurich'], names: [] },
  { text: 'C', words: ['c'], names: [] },
  { text: 'C++', words: ['c'], names: ['c++'] },
  { text: 'C++20', words: ['c', '20'], names: ['c++20', 'c++'] },
  { text: 'addDocuments', words: ['add', 'document'], names: [stemOf('adddocuments')] },
  { text: 'state-of-the-art', words: ['state', 'of', 'the', 'art'], names: ['state-of-the-art'] },
  { text: '東京', words: ['東', '京'], names: ['東京'] },
  { text: '東京都', words: ['東', '京', '都'], names: ['東京', '京都'] },
];

interface Stored {
  readonly words: readonly Written[];
  readonly group: number;
}

/** What a query of the test is made of. */
interface Wanted {
  readonly words: readonly Written[];
  readonly phrases: readonly (readonly Written[])[];
  readonly prefixes: readonly string[];
  readonly excluded: readonly (readonly Written[])[];
}

const textOf = (words: readonly Written[]): string => words.map(({ text }) => text).join(' ');

/** Compares a phrase with every place of a document. */
function hasPhrase(document: readonly Written[], phrase: readonly Written[]): boolean {
  const flat = (words: readonly Written[]) => words.flatMap((run) => run.words.map((word) => ({ word, run })));
  const [there, wanted] = [flat(document), flat(phrase)];
  return there.some((_, start) =>
    wanted.every(({ word, run }, offset) => {
      const other = there[start + offset];
      if (other?.word !== word) return false;
      return run.names.every((name) => [...other.run.names, ...other.run.words].includes(name));
    }),
  );
}

/** The documents that a query finds, by a scan of all of them. */
function scan(
  documents: ReadonlyMap<string, Stored>,
  wanted: Wanted,
  mode: string,
  group: number | undefined,
): string[] {
  const allowed = [...documents].filter(([, stored]) => group === undefined || stored.group === group);
  const isWanted = ({ words }: Stored): boolean =>
    wanted.phrases.every((phrase) => hasPhrase(words, phrase)) &&
    !wanted.excluded.some((phrase) => hasPhrase(words, phrase));
  const filtered = allowed.filter(([, stored]) => isWanted(stored));
  if (mode !== 'text') return filtered.map(([id]) => id);
  const begins = (term: string) => wanted.prefixes.some((prefix) => term.startsWith(prefix));
  const terms = new Set(wanted.prefixes.map(stemOf));
  for (const [, { words }] of allowed) {
    for (const { text, words: stems } of words) {
      for (const term of analyzeDocument(text).terms.keys()) if (begins(term)) terms.add(term);
      if (stems.length === 1 && begins(text.toLowerCase().replace('ü', 'u'))) terms.add(stems[0] as string);
    }
  }
  if (wanted.prefixes.length === 0) terms.clear();
  for (const term of analyzeQuery(textOf([...wanted.words, ...wanted.phrases.flat()])).terms) terms.add(term);
  const isHit = ({ words }: Stored): boolean =>
    wanted.phrases.length > 0 || [...analyzeDocument(textOf(words)).terms.keys()].some((term) => terms.has(term));
  return filtered.filter(([, stored]) => isHit(stored)).map(([id]) => id);
}

function randomQuery(random: Random): { readonly query: string; readonly wanted: Wanted } {
  const some = (below: number) => Array.from({ length: 1 + random.integer(below) }, () => random.pick(vocabulary));
  const parts: { readonly text: string; readonly add: Partial<Wanted> }[] = [];
  if (random.chance(0.5)) {
    const phrase = some(3);
    parts.push({ text: `"${textOf(phrase)}"`, add: { phrases: [phrase] } });
  }
  if (random.chance(0.3)) {
    const prefix = random.pick(['con', 'connecti', 'poo', 'libra', 'librar', 'harb', 'run', 'runn', 'add', 'zz', 'c']);
    parts.push({ text: `${prefix}*`, add: { prefixes: [prefix] } });
  }
  if (parts.length === 0 || random.chance(0.5)) {
    const words = some(2);
    parts.push({ text: textOf(words), add: { words } });
  }
  while (random.chance(0.4)) {
    const phrase = some(2);
    const text = phrase.length === 1 ? `-${textOf(phrase)}` : `-"${textOf(phrase)}"`;
    parts.splice(random.integer(parts.length + 1), 0, { text, add: { excluded: [phrase] } });
  }
  const wanted = { words: [], phrases: [], prefixes: [], excluded: [] } as {
    [Kind in keyof Wanted]: Wanted[Kind][number][];
  };
  for (const { add } of parts) {
    for (const kind of Object.keys(add) as (keyof Wanted)[]) wanted[kind].push(...((add[kind] ?? []) as never[]));
  }
  return { query: parts.map(({ text }) => text).join(' '), wanted };
}

let folder: string;
let index: SemanticIndex;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-syntax-'));
  index = await SemanticIndex.open(join(folder, 'index'), {
    provider: deterministicProvider({ dimensions: 8 }),
    ann: { background: false, trees: 1, threads: 1 },
  });
});
afterAll(async () => {
  await index.close();
  rmSync(folder, { recursive: true, force: true });
});

it('compares what the oracle compares', () => {
  for (const { text, words, names } of vocabulary) {
    expect([...new Phrase(text, 'en').terms].sort()).toEqual([...new Set([...words, ...names])].sort());
  }
});

it('finds what a scan of all texts finds, in 1,000 random cases', async () => {
  const random = new Random(1);
  const documents = new Map<string, Stored>();
  const differences: unknown[] = [];
  for (let round = 0; round < 40; round++) {
    const added = Array.from({ length: 1 + random.integer(8) }, () => {
      const words = Array.from({ length: 1 + random.integer(10) }, () => random.pick(vocabulary));
      return { id: `${random.integer(28)}`, words, group: random.integer(2) };
    });
    for (const { id, words, group } of added) documents.set(id, { words, group });
    const last = new Map(added.map((document) => [document.id, document]));
    await index.addDocuments(
      Array.from(last.values(), ({ id, words, group }) => ({ id, text: textOf(words), metadata: { group } })),
    );
    const removed = [...documents.keys()].filter(() => random.chance(0.05));
    await index.deleteDocuments(removed);
    for (const id of removed) documents.delete(id);
    if (round % 4 === 2) await index.optimize({ full: round % 8 === 2 });
    for (let number = 0; number < 25; number++) {
      const { query, wanted } = randomQuery(random);
      const group = random.chance(0.3) ? random.integer(2) : undefined;
      const [mode, k] = [random.pick(['text', 'vector', 'hybrid'] as const), random.pick([3, 1000])];
      const where = group === undefined ? undefined : { group };
      const options: SearchOptions = { mode, k, where, syntax: 'operators', typos: false };
      const { hits } = await index.search(query, options);
      const expected = scan(documents, wanted, mode, group);
      const found = hits.map(({ id }) => id as string);
      const isRight =
        k === 1000
          ? JSON.stringify([...found].sort()) === JSON.stringify([...expected].sort())
          : found.length === Math.min(k, expected.length) && found.every((id) => expected.includes(id));
      if (!isRight) differences.push({ query, mode, k, group, found, expected });
    }
  }
  expect(differences).toEqual([]);
}, 240_000);

describe('operators', () => {
  it('are words in plain syntax', async () => {
    const [plain, quoted] = await index.searchMany(['pool redis', '"pool" -redis'], { k: 50, mode: 'text' });
    expect(quoted?.hits.map(({ id, score }) => ({ id, score }))).toEqual(
      plain?.hits.map(({ id, score }) => ({ id, score })),
    );
  });

  it('are refused when they exclude everything', async () => {
    const search = index.search('-pool -"C++"', { syntax: 'operators' });
    await expect(search).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('refuse an unknown syntax', async () => {
    const search = index.search('pool', { syntax: 'lucene' as 'plain' });
    await expect(search).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('hold on every page', async () => {
    const options: SearchOptions = { mode: 'vector', syntax: 'operators', k: 2 };
    const seen: unknown[] = [];
    let after: string | undefined;
    do {
      const { hits, next } = await index.search('harbor -pool', { ...options, after });
      seen.push(...hits.map(({ id }) => id));
      after = next;
    } while (after !== undefined);
    const { hits } = await index.search('harbor -pool', { ...options, k: 1000 });
    expect(seen).toEqual(hits.map(({ id }) => id));
    expect(hits.every(({ text }) => !/pool/i.test(text))).toBe(true);
  });

  it('report prefixes', async () => {
    const { explanation } = await index.search('harb* zzz*', { syntax: 'operators', explain: true, typos: false });
    expect(explanation?.prefixes).toEqual([
      { prefix: 'harb', terms: 1, cut: false },
      { prefix: 'zzz', terms: 0, cut: false },
    ]);
  });
});
