// Precision and recall of findDuplicates on pairs labelled by reading: npx tsx bench/duplicates.ts --help
import { countFound } from './duplicates/count-found.js';
import { labelledSets } from './duplicates/labelled-pairs.js';
import { benchFlags } from './flags.js';

const flags = benchFlags(
  `Prints precision and recall of findDuplicates on labelled pairs: titles of products, questions to support, summaries of packages, and
questions of two sets below DATA/train (medquad.jsonl, opentriviaqa.jsonl, perhaps with .xz). Each text is looked for among all texts of
its set. The weights were fitted to these pairs: bench/duplicates/fit.ts prints what cross-validation gives.`,
  {
    packages: [undefined, 'file with the output of `apt-cache dumpavail`, for pairs of package summaries'],
    registries: [undefined, 'table of registry (npm, pypi), name and summary of packages'],
    among: [20000, 'most texts of a set'],
    measure: ['probability', 'or similarity'],
    thresholds: ['0.5,0.7,0.9', 'thresholds, separated by commas'],
  },
  { operands: 'DATA' },
);
const [data = ''] = flags.operands;
const measure = flags.measure === 'similarity' ? 'similarity' : 'probability';

console.log('| set | texts | threshold | pairs | duplicates | found | precision | recall |');
console.log('|---|---|---|---|---|---|---|---|');
const thresholds = flags.thresholds.split(',').map(Number);
for (const read of labelledSets(data, flags.packages, flags.registries)) {
  const set = read();
  const searches = thresholds.map((threshold) => ({ measure, threshold }) as const);
  const { texts, counts } = await countFound(set, flags.among, searches);
  for (const [place, { found, right, duplicates }] of counts.entries()) {
    const figures = [set.pairs.length, duplicates, found, (right / found).toFixed(2), (right / duplicates).toFixed(2)];
    console.log(`| ${set.name} | ${texts} | ${thresholds[place]} | ${figures.join(' | ')} |`);
  }
}
