// Does tune() keep its word? For each data set and target: what it chose and measured, and the recall that fresh queries, which
// it never saw, have then; repeated with several seeds.
// Run: npx tsx bench/tune.ts --help
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Query, SemanticIndex } from 'semantic-index';
import { benchFlags } from './flags.js';
import { generatedVectors } from './generated-vectors.js';

interface DataSet {
  readonly name: string;
  readonly metric: 'angular' | 'euclidean';
  readonly documents: readonly { id: number; text: string; vector?: Float32Array }[];
  readonly queries: readonly Query[];
  readonly texts: boolean;
}

const flags = benchFlags(
  'Chooses with tune() for each set and target, and prints the recall of fresh queries. DATA holds eval/ and train/.',
  {
    seeds: [5, 'how often, with other random numbers'],
    documents: [30_000, 'documents of a set'],
    svg: [undefined, 'file for the plot of a tuning'],
    only: ['', 'only sets whose name contains this'],
  },
  { operands: '[DATA]' },
);
const [data] = flags.operands;
const count = flags.documents;
const k = 10;
const targets = [0.9, 0.95, 0.99];

function withVectors(name: string, dimensions: number, metric: DataSet['metric'], seed: number): DataSet {
  const vectors = generatedVectors(count + 1_000, dimensions, seed);
  const documents = vectors.slice(0, count).map((vector, id) => ({ id, text: '', vector }));
  return { name, metric, documents, queries: vectors.slice(count), texts: false };
}

/** Paragraphs of Wikipedia, and questions of SQuAD about others: what is asked is not what is stored. */
function wikipedia(folder: string): DataSet {
  const jsonl = execFileSync('xz', ['-dc', join(folder, 'train/wikipedia.jsonl.xz')], {
    maxBuffer: 2 ** 30,
  }).toString();
  const texts: string[] = [];
  for (const line of jsonl.split('\n')) {
    if (line === '' || texts.length >= count) continue;
    const article = JSON.parse(line) as { sections: { paragraphs?: string[]; text?: string }[] };
    for (const section of article.sections) texts.push(...(section.paragraphs ?? [section.text ?? '']));
  }
  const questions = readFileSync(join(folder, 'eval/squad/questions.jsonl'), 'utf8').split('\n').filter(Boolean);
  return {
    name: 'Wikipedia paragraphs, SQuAD questions',
    metric: 'angular',
    documents: [...new Set(texts.filter((text) => text.trim().length > 40))]
      .slice(0, count)
      .map((text, id) => ({ id, text })),
    queries: questions.filter((_, row) => row % 10 === 0).map((line) => JSON.parse(line).question as string),
    texts: true,
  };
}

/** The arrays of an .npz file, which is a ZIP of .npy files: only what this set needs of either format. */
function sift(folder: string): DataSet {
  const extract = (name: string): Float32Array[] => {
    const bytes = execFileSync(
      'python3',
      [
        '-c',
        `import sys,zipfile;sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))`,
        join(folder, 'eval/ann/sift-10k.npz'),
        `${name}.npy`,
      ],
      { maxBuffer: 2 ** 30 },
    );
    const start = 10 + bytes.readUInt16LE(8);
    const shape = /\((\d+), (\d+)\)/.exec(bytes.toString('latin1', 10, start));
    const [rows, columns] = [Number(shape?.[1]), Number(shape?.[2])];
    return Array.from({ length: rows }, (_, row) =>
      Float32Array.from({ length: columns }, (_, column) => bytes.readFloatLE(start + 4 * (row * columns + column))),
    );
  };
  return {
    name: 'SIFT 10k',
    metric: 'euclidean',
    documents: extract('vectors').map((vector, id) => ({ id, text: '', vector })),
    queries: extract('queries'),
    texts: false,
  };
}

const sets: (() => DataSet)[] = [
  () => withVectors('clusters, 64 dimensions', 64, 'euclidean', 1),
  ...(data === undefined
    ? [
        () => withVectors('clusters, 128 dimensions', 128, 'angular', 2),
        () => withVectors('clusters, 32 dimensions', 32, 'angular', 3),
      ]
    : [() => sift(data), () => wikipedia(data)]),
];

let [kept, asked] = [0, 0];
console.log('| set | target | chosen | measured (at least) | ms, exact ms | fresh recall, per seed | kept |');
console.log('|---|---|---|---|---|---|---|');
for (const make of sets) {
  const set = make();
  if (!set.name.includes(flags.only)) continue;
  const folder = mkdtempSync(join(tmpdir(), 'semantic-index-'));
  try {
    await using index = await SemanticIndex.open(folder, {
      metric: set.metric,
      ...(set.texts ? {} : { provider: null }),
      ann: { background: false },
    });
    await index.addDocuments(set.documents);
    await index.optimize({ full: true });
    const options = { k, mode: 'vector' as const };
    const truth = (await index.searchMany(set.queries, { ...options, exact: true })).map(({ hits }) => hits);
    for (const targetRecall of targets) {
      const fresh: number[] = [];
      let shown = '';
      for (let seed = 0; seed < flags.seeds; seed++) {
        const { tuning, svg } = await index.tune({ recall: targetRecall, k, seed });
        if (flags.svg !== undefined) writeFileSync(flags.svg, svg);
        const found = (await index.searchMany(set.queries, options)).map(({ hits }) => hits);
        let hits = 0;
        found.forEach((list, query) => {
          const bound = (truth[query]?.at(-1)?.score ?? 0) - 1e-6;
          hits += list.filter(({ score }) => score >= bound).length / Math.max(1, truth[query]?.length ?? 0);
        });
        fresh.push(hits / set.queries.length);
        const how = tuning.exact ? 'exact' : `searchK ${tuning.searchK}`;
        shown = `${how} | ${tuning.recall.toFixed(3)} (${tuning.low.toFixed(3)}) | ${tuning.milliseconds.toFixed(2)}, ${tuning.exactMilliseconds.toFixed(2)}`;
      }
      const enough = fresh.filter((recall) => recall >= targetRecall).length;
      kept += enough;
      asked += fresh.length;
      console.log(
        `| ${set.name} | ${targetRecall} | ${shown} | ${fresh.map((recall) => recall.toFixed(4)).join(' ')} | ${enough} of ${fresh.length} |`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
console.log(`\nKept: ${kept} of ${asked}.`);
