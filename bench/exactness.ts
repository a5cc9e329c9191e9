// Are searches by text and filters exact? Compares them with plain JavaScript that scores every document, and evaluates every filter.
// Run: npx tsx bench/exactness.ts --help
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { SemanticIndex, type Where } from 'semantic-index';
import { analyzeDocument, analyzeQuery } from '../dist/analysis/analyze.js';
import { metadata, where } from '../test/operations/search/filter-arbitraries.js';
import { matches } from '../test/operations/search/filter-oracle.js';
import { benchFlags } from './flags.js';
import { generatedTexts } from './generated-texts.js';
import { randomNumbers } from './generated-vectors.js';

const flags = benchFlags(
  'Compares the hits of text queries with BM25 of every document, over three corpora, and filters with a JavaScript predicate. Ends with code 1 when something differs. DATA holds eval/squad and eval/cisi.',
  {
    documents: [10_000, 'most documents of a corpus'],
    queries: [1_000, 'queries of each corpus'],
    filters: [10_000, 'random filters'],
    seed: [1, 'of the random numbers'],
  },
  { operands: 'DATA' },
);
const [data = ''] = flags.operands;
const random = randomNumbers(flags.seed);
const [k, k1, b] = [10, 1.2, 0.75];

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

interface Text {
  readonly id: string;
  readonly text: string;
}

function rows<T>(path: string): T[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as T);
}

/** Asked questions, then random words of documents until there are enough. */
function queriesOf(documents: readonly Text[], asked: readonly string[]): string[] {
  const every = Math.max(1, Math.floor(asked.length / flags.queries));
  const queries = asked.filter((_, place) => place % every === 0).slice(0, flags.queries);
  while (queries.length < flags.queries) {
    const { text } = documents[Math.floor(random() * documents.length)] as Text;
    const words = text.split(/\s+/);
    const count = 1 + Math.floor(random() * 8);
    queries.push(Array.from({ length: count }, () => words[Math.floor(random() * words.length)]).join(' '));
  }
  return queries;
}

/** Scores every document for each query, and returns how many queries are answered otherwise. */
async function textDifferences(documents: readonly Text[], queries: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'semantic-index-exactness-'));
  folders.push(folder);
  await using index = await SemanticIndex.open(folder, { ann: { background: false } });
  // Two segments and a tail; what was deleted or replaced does not count.
  const third = Math.ceil(documents.length / 3);
  const gone = documents.slice(0, third).map(({ text }, place) => ({ id: `gone ${place}`, text }));
  for (let first = 0; first < documents.length; first += third) {
    const some = documents.slice(first, first + third);
    await index.addDocuments([...some, ...(first === 0 ? gone : [])], { batchSize: 4_096 });
    if (first + third < documents.length) await index.optimize();
  }
  await index.deleteDocuments(gone.map(({ id }) => id));
  const analyzed = documents.map(({ id, text }) => ({ id, ...analyzeDocument(text) }));
  const average = analyzed.reduce((sum, { length }) => sum + length, 0) / analyzed.length;
  const having = new Map<string, number>();
  for (const { terms } of analyzed) for (const term of terms.keys()) having.set(term, (having.get(term) ?? 0) + 1);
  let different = 0;
  for (const query of queries) {
    const { terms, weights } = analyzeQuery(query);
    const idf = terms.map((term, place) => {
      const count = having.get(term) ?? 0;
      return (weights[place] as number) * Math.log(1 + (analyzed.length - count + 0.5) / (count + 0.5));
    });
    const scores = new Map<string, number>();
    for (const { id, length, terms: own } of analyzed) {
      const norm = k1 * (1 - b + (b * length) / average);
      let score = 0;
      for (const [place, term] of terms.entries()) {
        const frequency = own.get(term);
        if (frequency !== undefined) score += ((idf[place] as number) * frequency) / (frequency + norm);
      }
      if (score > 0) scores.set(id, score);
    }
    const best = [...scores.values()].sort((one, other) => other - one).slice(0, k);
    const { hits } = await index.search(query, { mode: 'text', k, typos: false });
    const near = (one: number, other = Number.NaN): boolean => Math.abs(one - other) <= 1e-9 * one;
    const isSame =
      hits.length === best.length &&
      new Set(hits.map(({ id }) => id)).size === hits.length &&
      hits.every(({ id, score }, rank) => near(score, best[rank]) && near(score, scores.get(id as string)));
    if (!isSame) {
      if (different++ === 0) console.log(`differs: ${JSON.stringify(query)}`);
    }
  }
  return different;
}

/** Random filters over documents with random metadata; returns how many match other documents, and how many matched. */
async function filterDifferences(): Promise<{ different: number; matched: number; compared: number }> {
  const [documents, filtersPerIndex] = [100, 500];
  let [different, matched, compared] = [0, 0, 0];
  for (let done = 0; done < flags.filters; done += filtersPerIndex) {
    const all = fc.sample(metadata, { numRuns: documents, seed: flags.seed + done });
    const filters = fc.sample(where, {
      numRuns: Math.min(filtersPerIndex, flags.filters - done),
      seed: flags.seed + done,
    });
    await using index = await SemanticIndex.open(':memory:', { provider: null });
    await index.addDocuments(
      all.map((own, id) => ({ id, text: 'word', vector: [1, id + 1], metadata: own as object })) as never,
    );
    const stored = all.map((own) => JSON.parse(JSON.stringify(own)) as object);
    for (const filter of filters) {
      const expected = stored.flatMap((own, id) => (matches(own, filter as never) ? [id] : []));
      const { hits } = await index.search([1, 1], { where: filter as Where, k: documents });
      const found = hits.map(({ id }) => id as number).sort((one, other) => one - other);
      compared += documents;
      matched += expected.length;
      if (found.join() === expected.join()) continue;
      if (different++ === 0) console.log(`differs: ${JSON.stringify(filter)}`);
    }
  }
  return { different, matched, compared };
}

const squad = rows<Text>(join(data, 'eval/squad/paragraphs.jsonl'))
  .slice(0, flags.documents)
  .map(({ id, text }) => ({ id, text }));
const cisi = rows<{ _id: string; title: string; text: string }>(join(data, 'eval/cisi/corpus.jsonl'))
  .slice(0, flags.documents)
  .map(({ _id, title, text }) => ({ id: _id, text: `${title}\n${text}` }));
const nextText = generatedTexts(random, 60);
const generated = Array.from({ length: flags.documents }, (_, place) => ({ id: String(place), text: nextText() }));
const corpora: readonly [string, readonly Text[], readonly string[]][] = [
  [
    'SQuAD',
    squad,
    rows<{ question: string }>(join(data, 'eval/squad/questions.jsonl')).map(({ question }) => question),
  ],
  ['CISI', cisi, rows<Text>(join(data, 'eval/cisi/queries.jsonl')).map(({ text }) => text)],
  ['generated', generated, []],
];
let differences = 0;
for (const [name, documents, asked] of corpora) {
  const queries = queriesOf(documents, asked);
  const different = await textDifferences(documents, queries);
  console.log(`${name}: ${documents.length} documents, ${queries.length} text queries, ${different} differences`);
  differences += different;
}
const filters = await filterDifferences();
console.log(
  `filters: ${flags.filters} random filters, ${filters.compared} documents compared, ${filters.matched} matched, ${filters.different} differences`,
);
process.exitCode = differences + filters.different === 0 ? 0 : 1;
