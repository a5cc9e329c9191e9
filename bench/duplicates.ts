// Precision and recall of findDuplicates on pairs labelled by reading: npx tsx bench/duplicates.ts --help
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DocumentId, findDuplicates, SemanticIndex } from 'semantic-index';
import { benchFlags } from './flags.js';

// The rule of the labels: two texts are duplicates when a reader of one gains nothing by the other. Word order,
// spelling, synonyms, and details that the other text implies do not matter. Another part of a product (development files,
// documentation), another version, number, name, language, relation or direction does. Pairs in doubt were left out.

interface LabelledPair {
  readonly first: string;
  readonly second: string;
  readonly duplicate: boolean;
}

interface LabelledSet {
  readonly name: string;
  readonly texts: ReadonlyMap<string, string>;
  readonly pairs: readonly LabelledPair[];
}

const flags = benchFlags(
  `Prints precision and recall of findDuplicates on labelled pairs: titles of products (written for this), and questions of two
sets below DATA/train (medquad.jsonl, opentriviaqa.jsonl, decompressed). Each text is looked for among all texts of its set.`,
  {
    packages: [undefined, 'file with the output of `apt-cache dumpavail`, for pairs of package summaries'],
    among: [20000, 'most texts of a set'],
    thresholds: ['0.8,0.85,0.9,0.95', 'thresholds, separated by commas'],
  },
  { operands: 'DATA' },
);
const [data = ''] = flags.operands;

function linesOf(path: string | URL): string[] {
  return readFileSync(path, 'utf8').split('\n').filter(Boolean);
}

/** Rows of a table with a header. */
function rowsOf(name: string): string[][] {
  return linesOf(new URL(`duplicates/${name}`, import.meta.url))
    .slice(1)
    .map((line) => line.split('\t'));
}

function questions(file: string): Map<string, string> {
  const rows = linesOf(join(data, 'train', file)).map((line) => JSON.parse(line) as { question: string });
  return new Map(rows.map(({ question }, row) => [String(row), question]));
}

function packages(file: string): Map<string, string> {
  const summaries = new Map<string, string>();
  let name = '';
  for (const line of linesOf(file)) {
    if (line.startsWith('Package: ')) name = line.slice(9);
    const summary = /^Description(?:-en)?: (.*)$/.exec(line)?.[1];
    if (summary !== undefined && !summaries.has(name)) summaries.set(name, summary);
  }
  return summaries;
}

function* labelledSets(): Generator<LabelledSet> {
  const titles = rowsOf('titles.tsv');
  yield {
    name: 'titles',
    texts: new Map(titles.flatMap(([first = '', second = '']) => [first, second]).map((text) => [text, text])),
    pairs: titles.map(([first = '', second = '', label]) => ({ first, second, duplicate: label === '1' })),
  };
  const labelled = rowsOf('pairs.tsv');
  const sources: [string, () => Map<string, string>][] = [
    ['medical', () => questions('medquad.jsonl')],
    ['trivia', () => questions('opentriviaqa.jsonl')],
  ];
  if (flags.packages !== undefined) {
    const file = flags.packages;
    sources.push(['packages', () => packages(file)]);
  }
  for (const [name, read] of sources) {
    const all = read();
    const pairs = labelled
      .filter(([set]) => set === name)
      .map(([, first = '', second = '', label]) => ({ first, second, duplicate: label === '1' }))
      .filter(({ first, second }) => all.has(first) && all.has(second));
    const wanted = new Set(pairs.flatMap(({ first, second }) => [first, second]));
    const others = [...all.keys()].filter((id) => !wanted.has(id));
    const step = Math.max(1, others.length / Math.max(1, flags.among - wanted.size));
    for (let place = 0; place < others.length; place += step) wanted.add(others[Math.floor(place)] as string);
    yield { name, texts: new Map([...wanted].map((id) => [id, all.get(id) as string])), pairs };
  }
}

console.log('| set | texts | threshold | pairs | duplicates | found | precision | recall |');
console.log('|---|---|---|---|---|---|---|---|');
for (const { name, texts, pairs } of labelledSets()) {
  await using index = await SemanticIndex.open(':memory:');
  await index.addDocuments([...texts].map(([id, text]) => ({ id, text })));
  for (const threshold of flags.thresholds.split(',').map(Number)) {
    const { groups } = await findDuplicates(index, { threshold });
    const groupOf = new Map<DocumentId, DocumentId>();
    for (const { representative, duplicates } of groups) {
      for (const id of [representative, ...duplicates.map((duplicate) => duplicate.id)])
        groupOf.set(id, representative);
    }
    const found = pairs.filter(({ first, second }) => groupOf.has(first) && groupOf.get(first) === groupOf.get(second));
    const right = found.filter(({ duplicate }) => duplicate).length;
    const all = pairs.filter(({ duplicate }) => duplicate).length;
    const figures = [pairs.length, all, found.length, (right / found.length).toFixed(2), (right / all).toFixed(2)];
    console.log(`| ${name} | ${texts.size} | ${threshold} | ${figures.join(' | ')} |`);
  }
}
