// Fits the trees of src/analysis/likeness/fitted-trees.ts: npx tsx bench/duplicates/fit.ts --help
// What it prints comes from cross-validation: no pair is judged by trees that were fitted to it.
import { writeFileSync } from 'node:fs';
import { Lexicon } from '../../src/analysis/likeness/compared-words.js';
import { pairFeatures } from '../../src/analysis/likeness/pair-features.js';
import { loadWordKnowledge } from '../../src/embed/bundled/bundled-provider.js';
import { defaultThresholds } from '../../src/options.js';
import { benchFlags } from '../flags.js';
import { randomNumbers } from '../generated-vectors.js';
import { type Ensemble, type Examples, fitTrees, predict, written } from './boosted-trees.js';
import {
  heldOutPairs,
  type LabelledPair,
  labelledSets,
  medicalTopics,
  quizAnswers,
  similarSentences,
} from './labelled-pairs.js';
import { madePairs } from './made-pairs.js';

const flags = benchFlags(
  `Fits trees to labelled pairs and prints precision/recall of cross-validation: over ten parts of all pairs, and leaving out one
source at a time. Besides pairs labelled by reading, it learns from STS Benchmark dev, from similar questions of DATA/train with the same
and with different answers, and from texts edited so that the label follows.`,
  {
    packages: [undefined, 'file with the output of `apt-cache dumpavail`, for pairs of package summaries'],
    registries: [undefined, 'table of registry (npm, pypi), name and summary of packages'],
    seed: [1, 'of the random numbers'],
    write: [undefined, 'file to write the trees to: src/analysis/likeness/fitted-trees.ts'],
    held: [false, 'judge the pairs held out of the fit'],
    errors: [undefined, 'set whose pairs that cross-validation judges wrongly are printed'],
    folds: [10, 'parts of the cross-validation; 0: only fit'],
  },
  { operands: 'DATA' },
);
const [data = ''] = flags.operands;
const thresholds = [0.5, 0.6, 0.7, 0.8, 0.9];

interface Row {
  readonly pair: LabelledPair;
  readonly set: string;
  /** Sets that are left out together. */
  readonly source: string;
  readonly labelled: boolean;
  readonly duplicate: boolean;
  readonly label: number;
  readonly features: Float64Array | undefined;
  readonly weight: number;
}

const random = randomNumbers(flags.seed);
const lexicon = new Lexicon(await loadWordKnowledge());
const rows: Row[] = [];
interface Kind {
  readonly set: string;
  readonly source?: string;
  readonly labelled?: boolean;
  /** The weights of a pair that is a duplicate, and of one that is not. */
  readonly weights: readonly [number, number];
  /** How likely a pair that is said to be a duplicate is one. */
  readonly certainty?: number;
}
const featuresOf = ({ first, second }: LabelledPair): Float64Array | undefined =>
  pairFeatures(lexicon, lexicon.read(first), lexicon.read(second));
const add = (
  pairs: readonly LabelledPair[],
  { set, source = set, labelled = false, weights, certainty = 1 }: Kind,
): void => {
  for (const pair of pairs) {
    const { duplicate } = pair;
    const label = duplicate ? certainty : 0;
    rows.push({
      pair,
      set,
      source,
      labelled,
      duplicate,
      label,
      features: featuresOf(pair),
      weight: weights[duplicate ? 0 : 1],
    });
  }
};
const texts: string[] = [];
for (const read of labelledSets(data, flags.packages, flags.registries)) {
  const { name, pairs, others } = read();
  add(pairs, { set: name, labelled: true, weights: [1, 1] });
  texts.push(...others.slice(0, 20_000), ...pairs.map(({ first }) => first));
}
add(similarSentences(data), { set: 'stsb', labelled: true, weights: [0.5, 0.5] });
add(quizAnswers(data), { set: 'trivia answers', source: 'trivia', weights: [0.5, 0.15], certainty: 0.85 });
add(medicalTopics(data), { set: 'medical topics', source: 'medical', weights: [0, 0.3] });
add(madePairs(texts, 300, random), { set: 'edited', weights: [0.6, 0.6] });

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

/** Prints the pairs of a set that are found and are not duplicates, and of those that are missed. */
function reportErrors(set: string, values: readonly number[]): void {
  const wrong = [...rows.keys()].filter((at) => {
    const { set: own, duplicate } = rows[at] as Row;
    return own === set && duplicate !== (values[at] as number) >= defaultThresholds.probability;
  });
  for (const at of wrong.sort((a, b) => (values[b] as number) - (values[a] as number))) {
    const { pair, duplicate } = rows[at] as Row;
    console.log(
      `${duplicate ? 'missed' : 'found'} ${(values[at] as number).toFixed(2)}\t${pair.first}\t${pair.second}`,
    );
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
  report(`${flags.folds} parts`, parts);
  if (flags.errors !== undefined) reportErrors(flags.errors, parts);
  console.log('\nProbability as said, and the share of duplicates\n\n| said | pairs | share |\n|---|---|---|');
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

if (flags.held) {
  const trees = fitted(rows);
  console.log(`\nHeld out\n\n| set | pairs | duplicates | ${thresholds.join(' | ')} |`);
  console.log(`|---|---|---|${thresholds.map(() => '---|').join('')}`);
  for (const { name, pairs } of heldOutPairs(data, flags.registries)) {
    const values = pairs.map((pair) => {
      const features = featuresOf(pair);
      return features === undefined ? 0 : predict(trees, features);
    });
    const all = pairs.filter(({ duplicate }) => duplicate).length;
    const figures = thresholds.map((threshold) => {
      const found = pairs.filter((_, at) => (values[at] as number) >= threshold);
      const right = found.filter(({ duplicate }) => duplicate).length;
      return `${(right / found.length).toFixed(2)}/${(right / all).toFixed(2)}`;
    });
    console.log(`| ${name} | ${pairs.length} | ${all} | ${figures.join(' | ')} |`);
  }
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
