// How many random pairs of texts are taken for duplicates: npx tsx bench/duplicates/random-pairs.ts --help
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { DuplicateScorer } from '../../src/analysis/likeness/duplicate-scorer.js';
import { loadWordKnowledge } from '../../src/embed/bundled/bundled-provider.js';
import { defaultThresholds } from '../../src/options.js';
import { benchFlags } from '../flags.js';
import { randomNumbers } from '../generated-vectors.js';

const flags = benchFlags(
  `Compares random pairs of the texts of each FILE, one a line, and prints how many have a probability from 0.5 and from the default
threshold, and the likeliest pair.`,
  { pairs: [1000, 'pairs of each file'], seed: [1, 'of the random numbers'] },
  { operands: 'FILE...' },
);

const scorer = new DuplicateScorer(await loadWordKnowledge());
for (const file of flags.operands) {
  const texts = [...new Set(readFileSync(file, 'utf8').split('\n').filter(Boolean))];
  const random = randomNumbers(flags.seed);
  const pick = (): string => texts[Math.floor(random() * texts.length)] as string;
  const pairs: { first: string; second: string; probability: number }[] = [];
  while (pairs.length < flags.pairs) {
    const [first, second] = [pick(), pick()];
    if (first !== second) pairs.push({ first, second, probability: scorer.compare(first, second) });
  }
  const from = (threshold: number): number => pairs.filter(({ probability }) => probability >= threshold).length;
  const likeliest = pairs.reduce((most, pair) => (pair.probability > most.probability ? pair : most));
  console.log(
    `${basename(file)}: ${pairs.length} pairs of ${texts.length} texts, ${from(0.5)} from 0.5, ${from(defaultThresholds.probability)} from ${defaultThresholds.probability}`,
  );
  console.log(`  ${likeliest.probability.toFixed(3)} ${likeliest.first}\n        ${likeliest.second}`);
}
