// Precision and recall of findDuplicates on pairs labelled by reading: npx tsx bench/duplicates.ts --help
import { type DocumentId, findDuplicates, SemanticIndex } from 'semantic-index';
import { labelledSets } from './duplicates/labelled-pairs.js';
import { benchFlags } from './flags.js';

const flags = benchFlags(
  `Prints precision and recall of findDuplicates on labelled pairs: titles of products, questions to support, summaries of packages, and
questions of two sets below DATA/train (medquad.jsonl, opentriviaqa.jsonl, decompressed). Each text is looked for among all texts of
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
for (const { name, pairs, others } of labelledSets(data, flags.packages, flags.registries)) {
  const texts = new Set(pairs.flatMap(({ first, second }) => [first, second]));
  const step = Math.max(1, others.length / Math.max(1, flags.among - texts.size));
  for (let place = 0; place < others.length; place += step) texts.add(others[Math.floor(place)] as string);
  await using index = await SemanticIndex.open(':memory:');
  const idOf = new Map([...texts].map((text, id) => [text, id]));
  await index.addDocuments([...idOf].map(([text, id]) => ({ id, text })));
  for (const threshold of flags.thresholds.split(',').map(Number)) {
    const { groups } = await findDuplicates(index, { measure, threshold });
    const groupOf = new Map<DocumentId, DocumentId>();
    for (const { representative, duplicates } of groups) {
      for (const id of [representative, ...duplicates.map((duplicate) => duplicate.id)])
        groupOf.set(id, representative);
    }
    const found = pairs.filter(({ first, second }) => {
      const [one, other] = [groupOf.get(idOf.get(first) as number), groupOf.get(idOf.get(second) as number)];
      return one !== undefined && one === other;
    });
    const right = found.filter(({ duplicate }) => duplicate).length;
    const all = pairs.filter(({ duplicate }) => duplicate).length;
    const figures = [pairs.length, all, found.length, (right / found.length).toFixed(2), (right / all).toFixed(2)];
    console.log(`| ${name} | ${texts.size} | ${threshold} | ${figures.join(' | ')} |`);
  }
}
