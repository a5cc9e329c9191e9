// How well the modes of search find what people judged relevant: nDCG@10 and recall@10 for vector, text and
// hybrid, and for vector and hybrid reranked by tokens.
// Run: npx tsx bench/retrieval.ts DATA [--among FILE] [--long 500,1000,2000] [--endings 3,8], where DATA holds eval/squad and eval/cisi, and FILE other
// texts, one a line, that the right ones are to be found among: large indexes leave out what small ones need not.
import { readFileSync } from 'node:fs';
import { bundledProvider, type EmbeddingProvider, SemanticIndex } from 'semantic-index';
import { benchFlags } from './flags.js';
import { cisi, inflected, longTexts, squad, type TestSet } from './search/judged-sets.js';

const compare = [
  ...(['vector', 'text', 'hybrid'] as const).map((mode) => ({ name: mode, mode })),
  ...(['vector', 'hybrid'] as const).map((mode) => ({ name: `${mode}, tokens`, mode, rerank: 'tokens' as const })),
];

const flags = benchFlags(
  'Compares the modes of search by what people judged relevant. DATA holds eval/squad and eval/cisi.',
  {
    every: [5, 'of so many questions of SQuAD one is asked'],
    offset: [0, 'the first of these questions'],
    long: [
      '',
      'words of texts joined from paragraphs of SQuAD, among others of train/wikipedia.jsonl, separated by commas',
    ],
    endings: [
      '',
      'endings of words of a language without a stemmer whose meaning the model knows, separated by commas',
    ],
    among: [undefined, 'file of other texts, one a line, that the right ones are to be found among'],
  },
  { operands: 'DATA' },
);
const [data = ''] = flags.operands;

const others = flags.among === undefined ? [] : readFileSync(flags.among, 'utf8').split('\n').filter(Boolean);

console.log('| set | mode | nDCG@10 | recall@10 | ms/query |\n|---|---|---|---|---|');
const lengths = flags.long.split(',').filter(Boolean).map(Number);
const sets: (TestSet & { meaningOf?(text: string): string })[] = [
  squad(data, flags.every, flags.offset),
  cisi(data),
  ...lengths.map((words) => longTexts(data, words, flags.every, flags.offset)),
];
for (const endings of flags.endings.split(',').filter(Boolean).map(Number)) {
  sets.push(inflected(squad(data, flags.every, flags.offset), endings), inflected(cisi(data), endings));
}

/** The bundled model, for texts that mean what others do. */
function providerOf(meaningOf: (text: string) => string): EmbeddingProvider {
  const model = bundledProvider();
  return {
    id: 'retrieval-meaning',
    dimensions: model.dimensions,
    embed: (texts, options) => model.embed(texts.map(meaningOf), options),
  };
}

for (const set of sets) {
  const { meaningOf } = set;
  // Czech is indexed by its words as they are.
  const options = meaningOf && { provider: providerOf(meaningOf), language: 'cs' };
  await using index = await SemanticIndex.open(':memory:', options);
  await index.addDocuments(set.documents);
  await index.addDocuments(others);
  const { variants } = await index.evaluate(set.questions, { compare });
  for (const { name, measures, milliseconds } of variants) {
    const { ndcg, recall } = measures;
    console.log(
      `| ${set.name} | ${name} | ${ndcg.mean.toFixed(3)} | ${recall.mean.toFixed(3)} | ${milliseconds.toFixed(2)} |`,
    );
  }
}
