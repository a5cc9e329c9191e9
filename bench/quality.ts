// How good embedding models are on the sets at hand: similarity of sentences, retrieval by vectors and with words, duplicates.
// Run: npx tsx bench/quality.ts DATA [--model bundled,static:FOLDER,…]
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EmbeddingProvider, SemanticIndex } from 'semantic-index';
import { globSync } from 'tinyglobby';
import { providerOf } from '../dist/cli/model-choice.js';
import { MissingData } from './data-files.js';
import { countFound } from './duplicates/count-found.js';
import { labelledSets, scoredSentences } from './duplicates/labelled-pairs.js';
import { benchFlags } from './flags.js';
import { spearman } from './quality/spearman.js';
import { cisi, squad, type TestSet } from './search/judged-sets.js';

const flags = benchFlags(
  `Prints what embedding models give on the sets at hand below DATA: eval/stsb, eval/squad, eval/cisi, and duplicates labelled by reading
(bench/duplicates; their questions are in train/medquad.jsonl and train/opentriviaqa.jsonl, perhaps with .xz). Sets that are
missing are named and left out.`,
  {
    model: ['bundled', 'models as the command line names them, separated by commas'],
    every: [1, 'of so many questions of SQuAD one is asked'],
    among: [20000, 'most texts of a set of duplicates'],
  },
  { operands: 'DATA' },
);

type Figures = [name: string, value: string][];
const rounded = (value: number): string => value.toFixed(3);

async function similarity(data: string, provider: EmbeddingProvider): Promise<Figures> {
  const pairs = scoredSentences(data);
  await using index = await SemanticIndex.open(':memory:', { provider });
  await index.addDocuments(
    pairs.flatMap(({ first, second }, pair) => [
      { id: `${pair} first`, text: first },
      { id: `${pair} second`, text: second },
    ]),
  );
  const vectorsOf = (side: string) => index.getVectors(pairs.map((_, pair) => `${pair} ${side}`));
  const [left, right] = [await vectorsOf('first'), await vectorsOf('second')];
  const cosines = left.map((vector, pair) =>
    (vector as Float32Array).reduce((sum, value, place) => sum + value * (right[pair]?.[place] as number), 0),
  );
  return [
    [
      'STS-B dev: Spearman',
      rounded(
        spearman(
          cosines,
          pairs.map(({ score }) => score),
        ),
      ),
    ],
  ];
}

/** What searches by each mode find. Where each question has one answer, the share that comes first and that is among ten as well. */
async function retrieval(set: TestSet, provider: EmbeddingProvider, hasOneAnswer: boolean): Promise<Figures> {
  await using index = await SemanticIndex.open(':memory:', { provider });
  await index.addDocuments(set.documents);
  const compare = [
    ...(['vector', 'hybrid', 'text'] as const).map((mode) => ({ name: mode, mode })),
    ...(['vector', 'hybrid'] as const).map((mode) => ({ name: `${mode}, tokens`, mode, rerank: 'tokens' as const })),
  ];
  const { variants } = await index.evaluate(set.questions, { compare, resamples: 1 });
  return variants.flatMap(({ name, measures, questions }): Figures => {
    const first = questions.filter((question) => question.measures.mrr === 1).length / questions.length;
    const label = `${set.name}, ${name}:`;
    return [
      ...(hasOneAnswer
        ? ([
            [`${label} R@1`, rounded(first)],
            [`${label} R@10`, rounded(measures.recall.mean)],
          ] as Figures)
        : []),
      [`${label} nDCG@10`, rounded(measures.ndcg.mean)],
    ];
  });
}

async function duplicates(
  read: ReturnType<typeof labelledSets>[number],
  provider: EmbeddingProvider,
): Promise<Figures> {
  const set = read();
  const { counts } = await countFound(set, flags.among, [{}], provider);
  const [{ found, right, duplicates } = { found: 0, right: 0, duplicates: 0 }] = counts;
  const label = `duplicates, ${set.name} (${duplicates} among ${set.pairs.length} pairs):`;
  return [
    [`${label} precision`, found === 0 ? '-' : (right / found).toFixed(2)],
    [`${label} recall`, (right / duplicates).toFixed(2)],
  ];
}

/** Texts of 20 words a second by the clock, the best run over the documentation within a second; megabytes of a model in a directory. */
async function cost(model: string, provider: EmbeddingProvider): Promise<Figures> {
  const words = globSync('docs/*.md', { cwd: root })
    .sort()
    .flatMap((path) => readFileSync(join(root, path), 'utf8').split(/\s+/));
  const size = provider.maxBatchSize ?? 256;
  const batches = Array.from({ length: Math.min(8, Math.floor(words.length / 20 / size)) }, (_, batch) =>
    Array.from({ length: size }, (_, text) =>
      words
        .slice((batch * size + text) * 20)
        .slice(0, 20)
        .join(' '),
    ),
  );
  await provider.embed(['warm'], { role: 'document' });
  let [fastest, spent] = [Number.POSITIVE_INFINITY, 0];
  while (spent < 1) {
    const began = performance.now();
    for (const texts of batches) await provider.embed(texts, { role: 'document' });
    const seconds = (performance.now() - began) / 1000;
    fastest = Math.min(fastest, seconds);
    spent += seconds;
  }
  const folder = model === 'bundled' ? join(root, 'models/semantic-index-en') : model.slice(model.indexOf(':') + 1);
  const bytes = globSync('**', { cwd: folder, absolute: true }).reduce((sum, path) => sum + statSync(path).size, 0);
  return [
    ['texts of 20 words per second', Math.round((batches.length * size) / fastest).toLocaleString('en')],
    ['megabytes', bytes === 0 ? '-' : (bytes / 1e6).toFixed(1)],
  ];
}

/** The figures of a set; none, and a line, if files of it are missing. */
async function ifPresent(measure: () => Promise<Figures>): Promise<Figures> {
  try {
    return await measure();
  } catch (error) {
    if (!(error instanceof MissingData)) throw error;
    missing.add(error.message);
    return [];
  }
}

const root = fileURLToPath(new URL('..', import.meta.url));
const [data = ''] = flags.operands;
if (!existsSync(data)) {
  console.error(`DATA: there is no directory ${data}`);
  process.exit(2);
}
const missing = new Set<string>();
const table = new Map<string, string[]>();
const models = flags.model.split(',');
for (const model of models) {
  const provider = providerOf({ model });
  if (provider === null) throw new Error('--model: none has no vectors to measure');
  try {
    const figures = [
      ...(await ifPresent(() => similarity(data, provider))),
      ...(await ifPresent(async () => retrieval(squad(data, flags.every), provider, true))),
      ...(await ifPresent(async () => retrieval(cisi(data), provider, false))),
      ...(await Promise.all(labelledSets(data).map((read) => ifPresent(() => duplicates(read, provider))))).flat(),
      ...(await cost(model, provider)),
    ];
    for (const [name, value] of figures) table.set(name, [...(table.get(name) ?? []), value]);
  } finally {
    await provider.close?.();
  }
}
console.log(`|  | ${models.join(' | ')} |\n|---|${models.map(() => '---|').join('')}`);
for (const [name, values] of table) console.log(`| ${name} | ${values.join(' | ')} |`);
if (missing.size > 0) console.log(`\nLeft out:\n${[...missing].join('\n')}`);
