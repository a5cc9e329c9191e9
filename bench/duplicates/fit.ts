// Fits the trees of src/analysis/likeness/fitted-trees.ts: npx tsx bench/duplicates/fit.ts --help
// What it prints comes from cross-validation: no pair is judged by trees that were fitted to it.
import { writeFileSync } from 'node:fs';
import { SemanticIndex } from 'semantic-index';
import { Lexicon } from '../../src/analysis/likeness/compared-words.js';
import { pairFeatures } from '../../src/analysis/likeness/pair-features.js';
import { loadWordKnowledge } from '../../src/embed/bundled/bundled-provider.js';
import { benchFlags } from '../flags.js';
import { randomNumbers } from '../generated-vectors.js';
import { type Ensemble, type Examples, fitTrees, predict, written } from './boosted-trees.js';
import { type Answered, type LabelledPair, labelledSets, questionsOf, similarSentences } from './labelled-pairs.js';
import { madePairs } from './made-pairs.js';

const flags = benchFlags(
  `Fits trees to labelled pairs and prints precision/recall of cross-validation: over ten parts of all pairs, and leaving out one
source at a time. Besides pairs labelled by reading, it learns from STS Benchmark dev, from questions of DATA/train with different
answers, and from texts edited so that the label follows.`,
  {
    packages: [undefined, 'file with the output of `apt-cache dumpavail`, for pairs of package summaries'],
    registries: [undefined, 'table of registry (npm, pypi), name and summary of packages'],
    seed: [1, 'of the random numbers'],
    write: [undefined, 'file to write the trees to: src/analysis/likeness/fitted-trees.ts'],
    folds: [10, 'parts of the cross-validation; 0: only fit'],
  },
  { operands: 'DATA' },
);
const [data = ''] = flags.operands;
const thresholds = [0.5, 0.6, 0.7, 0.8, 0.9];

interface Row {
  readonly set: string;
  /** Sets that are left out together. */
  readonly source: string;
  readonly labelled: boolean;
  readonly duplicate: boolean;
  readonly label: number;
  readonly features: Float64Array | undefined;
  weight: number;
}

const random = randomNumbers(flags.seed);
const lexicon = new Lexicon(await loadWordKnowledge());
const rows: Row[] = [];
const add = (set: string, pairs: readonly LabelledPair[], emphasis: number, source = set, positive = 1): void => {
  const weight = emphasis / Math.sqrt(pairs.length);
  for (const { first, second, duplicate } of pairs) {
    const features = pairFeatures(lexicon, lexicon.read(first), lexicon.read(second));
    const labelled = emphasis === 1;
    rows.push({ set, source, labelled, duplicate, label: duplicate ? positive : 0, features, weight });
  }
};
const texts: string[] = [];
const labelledTexts = new Set<string>();
for (const read of labelledSets(data, flags.packages, flags.registries)) {
  const { name, pairs, others } = read();
  add(name, pairs, 1);
  for (const { first, second } of pairs) labelledTexts.add(first).add(second);
  texts.push(...others.slice(0, 20_000), ...pairs.map(({ first }) => first));
}
add('stsb', similarSentences(data), 1);
for (const [name, file] of [
  ['medical', 'medquad.jsonl'],
  ['trivia', 'opentriviaqa.jsonl'],
] as const) {
  const pairs = await answeredAlike(questionsOf(data, file));
  // Equal answers to medical questions are often those of a template; of a quiz, most mean the same question.
  const kept = name === 'medical' ? pairs.filter(({ duplicate }) => !duplicate) : pairs;
  add(`${name} answers`, kept.slice(0, 400), 0.4, name, 0.7);
}
add('edited', madePairs(texts, 300, random), 0.6);
const mean = rows.reduce((sum, { weight }) => sum + weight, 0) / rows.length;
for (const row of rows) row.weight /= mean;

/** Pairs of similar questions; duplicates are those with the same answer. */
async function answeredAlike(questions: readonly Answered[]): Promise<LabelledPair[]> {
  const plain = (text: string): string =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9 ]/g, '')
      .replace(/^(?:the|an?) /, '')
      .trim();
  await using index = await SemanticIndex.open(':memory:');
  const some = questions.filter(({ question }) => !labelledTexts.has(question)).slice(0, 16_000);
  await index.addDocuments(some.map(({ question }, id) => ({ id, text: question })));
  const pairs: LabelledPair[] = [];
  for (let at = 0; at < some.length; at += 8) {
    const [result] = await index.searchMany([{ id: at }], { mode: 'vector', k: 1 });
    const [hit] = result?.hits ?? [];
    if (hit === undefined || hit.score < 0.7) continue;
    const [one, other] = [some[at] as Answered, some[hit.id as number] as Answered];
    const [a, b] = [plain(one.answer), plain(other.answer)];
    if (a === '' || b === '' || /^(?:true|false|yes|no)$/.test(a) || plain(one.question) === plain(other.question))
      continue;
    pairs.push({ first: one.question, second: other.question, duplicate: a === b });
  }
  return pairs;
}

function fitted(chosen: readonly Row[]): Ensemble {
  const decided = chosen.filter(({ features }) => features !== undefined);
  const examples: Examples = {
    rows: decided.map(({ features }) => features as Float64Array),
    labels: decided.map(({ label }) => label),
    weights: decided.map(({ weight }) => weight),
  };
  return fitTrees(examples, randomNumbers(flags.seed));
}

function report(title: string, values: readonly number[]): void {
  console.log(`\n${title}: precision/recall at each threshold\n`);
  console.log(
    `| set | pairs | duplicates | ${thresholds.join(' | ')} |\n|---|---|---|${thresholds.map(() => '---|').join('')}`,
  );
  const names = [...new Set(rows.filter(({ labelled }) => labelled).map(({ set }) => set))];
  for (const name of [...names, 'read', 'all']) {
    const places = [...rows.keys()].filter((at) => {
      const { set, labelled } = rows[at] as Row;
      return labelled && (name === 'all' || set === name || (name === 'read' && set !== 'stsb'));
    });
    const isDuplicate = (at: number): boolean => (rows[at] as Row).duplicate;
    const all = places.filter(isDuplicate).length;
    const figures = thresholds.map((threshold) => {
      const found = places.filter((at) => (values[at] as number) >= threshold);
      const right = found.filter(isDuplicate).length;
      return `${(right / found.length).toFixed(2)}/${(right / all).toFixed(2)}`;
    });
    console.log(`| ${name} | ${places.length} | ${all} | ${figures.join(' | ')} |`);
  }
}

function crossValidated(partOf: readonly (string | number)[]): number[] {
  const values = rows.map(() => 0);
  for (const part of new Set(partOf)) {
    const trees = fitted(rows.filter((_, at) => partOf[at] !== part));
    for (const [at, { features }] of rows.entries()) {
      if (partOf[at] === part && features !== undefined) values[at] = predict(trees, features);
    }
  }
  return values;
}

if (flags.folds > 0) {
  const parts = crossValidated(rows.map(() => Math.floor(random() * flags.folds)));
  report('Ten parts', parts);
  console.log(
    '\nProbability as said, and the share of duplicates (ten parts)\n\n| said | pairs | share |\n|---|---|---|',
  );
  for (let from = 0; from < 1; from += 0.1) {
    const inside = [...rows.keys()].filter((at) => {
      const value = parts[at] as number;
      return (rows[at] as Row).labelled && value >= from && value < from + 0.1;
    });
    const average = inside.reduce((sum, at) => sum + (parts[at] as number), 0) / inside.length;
    const share = inside.filter((at) => (rows[at] as Row).duplicate).length / inside.length;
    console.log(`| ${average.toFixed(2)} | ${inside.length} | ${share.toFixed(2)} |`);
  }
  report('Without the source of the pair', crossValidated(rows.map(({ source }) => source)));
}

if (flags.write !== undefined) {
  const trees = fitted(rows);
  const text = `/** Written by bench/duplicates/fit.ts, which describes the pairs. Log odds before the trees. */
export const startingLogOdds = ${trees.start.toFixed(4)};
/**
 * Trees of depth 3, one a line: seven tests as feature:threshold, level by level (at most the threshold: left), then the eight leaves in
 * thousandths of log odds.
 */
export const fittedTrees = \`
${written(trees)}
\`;
`;
  writeFileSync(flags.write, text);
}
