// How well the modes of search find what people judged relevant: nDCG@10 and recall@10 for vector, text and hybrid.
// Run: npx tsx bench/retrieval.ts DATA [--among FILE], where DATA holds eval/squad and eval/cisi, and FILE other texts, one a line,
// that the right ones are to be found among: large indexes leave out what small ones need not.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SemanticIndex } from 'semantic-index';
import { benchFlags } from './flags.js';

interface TestSet {
  readonly name: string;
  readonly documents: readonly { id: string; text: string }[];
  readonly queries: readonly { text: string; relevant: ReadonlyMap<string, number> }[];
}

const modes = ['vector', 'text', 'hybrid'] as const;
const depth = 10;

function rows<T>(path: string): T[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

function squad(folder: string, every: number): TestSet {
  const documents = rows<{ id: string; text: string }>(join(folder, 'paragraphs.jsonl'));
  const questions = rows<{ question: string; para: string }>(join(folder, 'questions.jsonl'));
  return {
    name: `SQuAD 1.1 dev, every ${every}th question`,
    documents: documents.map(({ id, text }) => ({ id, text })),
    queries: questions
      .filter((_, position) => position % every === 0)
      .map(({ question, para }) => ({ text: question, relevant: new Map([[para, 1]]) })),
  };
}

function cisi(folder: string): TestSet {
  const documents = rows<{ _id: string; title: string; text: string }>(join(folder, 'corpus.jsonl'));
  const judged = new Map<string, Map<string, number>>();
  for (const line of readFileSync(join(folder, 'qrels.tsv'), 'utf8').split('\n').slice(1)) {
    const [query, document, grade] = line.split('\t');
    if (query === undefined || document === undefined) continue;
    if (!judged.has(query)) judged.set(query, new Map());
    judged.get(query)?.set(document, Number(grade));
  }
  return {
    name: 'CISI',
    documents: documents.map(({ _id, title, text }) => ({ id: _id, text: `${title}\n${text}` })),
    queries: rows<{ _id: string; text: string }>(join(folder, 'queries.jsonl')).flatMap(({ _id, text }) => {
      const relevant = judged.get(_id);
      return relevant === undefined ? [] : [{ text, relevant }];
    }),
  };
}

/** Järvelin, Kekäläinen 2002, with gains as judged and a logarithmic discount. */
function ndcg(ids: readonly unknown[], relevant: ReadonlyMap<string, number>): number {
  const discounted = (gains: number[]): number =>
    gains.reduce((sum, gain, rank) => sum + gain / Math.log2(rank + 2), 0);
  const ideal = discounted([...relevant.values()].sort((a, b) => b - a).slice(0, depth));
  return ideal === 0 ? 0 : discounted(ids.map((id) => relevant.get(id as string) ?? 0)) / ideal;
}

const flags = benchFlags(
  'Compares the modes of search by what people judged relevant. DATA holds eval/squad and eval/cisi.',
  {
    every: [5, 'of so many questions of SQuAD one is asked'],
    among: [undefined, 'file of other texts, one a line, that the right ones are to be found among'],
  },
  { operands: 'DATA' },
);
const [data = ''] = flags.operands;

const others = flags.among === undefined ? [] : readFileSync(flags.among, 'utf8').split('\n').filter(Boolean);

console.log('| set | mode | nDCG@10 | recall@10 | ms/query |\n|---|---|---|---|---|');
for (const set of [squad(join(data, 'eval/squad'), flags.every), cisi(join(data, 'eval/cisi'))]) {
  await using index = await SemanticIndex.open(':memory:');
  await index.addDocuments(set.documents);
  await index.addDocuments(others);
  for (const mode of modes) {
    let gain = 0;
    let recall = 0;
    const began = performance.now();
    for (const { text, relevant } of set.queries) {
      const ids = (await index.search(text, { k: depth, mode })).hits.map((hit) => hit.id);
      gain += ndcg(ids, relevant);
      recall += ids.filter((id) => relevant.has(id as string)).length / Math.min(depth, relevant.size);
    }
    const count = set.queries.length;
    const took = ((performance.now() - began) / count).toFixed(2);
    console.log(`| ${set.name} | ${mode} | ${(gain / count).toFixed(3)} | ${(recall / count).toFixed(3)} | ${took} |`);
  }
}
