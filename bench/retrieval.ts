// How well the modes of search find what people judged relevant: nDCG@10 and recall@10 for vector, text and hybrid.
// Run: npx tsx bench/retrieval.ts DATA [--among FILE], where DATA holds eval/squad and eval/cisi, and FILE other texts, one a line,
// that the right ones are to be found among: large indexes leave out what small ones need not.
import { readFileSync } from 'node:fs';
import { SemanticIndex } from 'semantic-index';
import { benchFlags } from './flags.js';
import { cisi, squad } from './search/judged-sets.js';

const modes = ['vector', 'text', 'hybrid'] as const;

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
for (const set of [squad(data, flags.every), cisi(data)]) {
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
