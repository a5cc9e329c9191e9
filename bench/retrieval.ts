// How well the modes of search find what people judged relevant: nDCG@10 and recall@10 for vector, text and hybrid.
// Run: npx tsx bench/retrieval.ts DATA [--among FILE], where DATA holds eval/squad and eval/cisi, and FILE other texts, one a line,
// that the right ones are to be found among: large indexes leave out what small ones need not.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type JudgedQuestion, SemanticIndex } from 'semantic-index';
import { benchFlags } from './flags.js';

interface TestSet {
  readonly name: string;
  readonly documents: readonly { id: string; text: string }[];
  readonly questions: readonly JudgedQuestion[];
}

const modes = ['vector', 'text', 'hybrid'] as const;

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
    questions: questions
      .filter((_, position) => position % every === 0)
      .map(({ question, para }) => ({ query: question, relevant: [para] })),
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
    questions: rows<{ _id: string; text: string }>(join(folder, 'queries.jsonl')).flatMap(({ _id, text }) => {
      const relevant = judged.get(_id);
      return relevant === undefined ? [] : [{ query: text, relevant }];
    }),
  };
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
  const { variants } = await index.evaluate(set.questions, { compare: modes.map((mode) => ({ name: mode, mode })) });
  for (const { name, measures, milliseconds } of variants) {
    const { ndcg, recall } = measures;
    console.log(
      `| ${set.name} | ${name} | ${ndcg.mean.toFixed(3)} | ${recall.mean.toFixed(3)} | ${milliseconds.toFixed(2)} |`,
    );
  }
}
