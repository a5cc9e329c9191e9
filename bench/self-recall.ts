// Whether items are found by their own vectors where that is hard: npx tsx bench/self-recall.ts --help
import { AnnoyIndex } from 'semantic-index';
import { benchFlags } from './flags.js';
import {
  duplicates,
  groups,
  type HardSet,
  islands,
  letters,
  nested,
  ordinary,
  outliers,
  unevenLengths,
  variants,
} from './self-recall/sets.js';

const flags = benchFlags(
  `Builds a forest over each of several sets that are hard for approximate search, and asks for the ten nearest of items by
their own vectors: near-duplicates, exact duplicates, outliers, islands, letters of one template. Prints how often the item
is among the ten by exact search, by the trees and with the graph index, at the default searchK, and the processor time of a search.
For queries that are not items, the figure is recall@10.`,
  {
    trees: [10, 'trees of the forests'],
    runs: [3, 'times that all searches are timed; the fastest counts'],
    only: ['', 'a part of the names of the sets to run'],
  },
);

const k = 10;

interface Outcome {
  readonly recall: number;
  readonly micros: number;
}

function measure(index: AnnoyIndex, set: HardSet, truth: readonly Set<number>[]): Outcome {
  const queries = set.asked.length > 0 ? set.asked.map((item) => set.rows[item] as Float32Array) : set.queries;
  let found: Int32Array[] = [];
  let micros = Number.POSITIVE_INFINITY;
  for (let run = 0; run < flags.runs; run++) {
    // Processor time: other programs on the machine count for less.
    const start = process.cpuUsage();
    found = queries.map((query) => index.getNnsByVector(query, k) as Int32Array);
    const { user, system } = process.cpuUsage(start);
    micros = Math.min(micros, (user + system) / queries.length);
  }
  return { recall: recallOf(set, found, truth), micros };
}

function recallOf(set: HardSet, found: readonly ArrayLike<number>[], truth: readonly Set<number>[]): number {
  let hits = 0;
  let possible = 0;
  found.forEach((items, place) => {
    const right = truth[place] as Set<number>;
    if (set.asked.length === 0) {
      possible += right.size;
      for (const item of Array.from(items)) hits += right.has(item) ? 1 : 0;
    } else if (right.has(set.asked[place] as number)) {
      possible++;
      hits += Array.from(items).includes(set.asked[place] as number) ? 1 : 0;
    }
  });
  return hits / possible;
}

async function run(set: HardSet): Promise<void> {
  const { name, metric, dimensions, rows } = set;
  const index = new AnnoyIndex(dimensions, metric);
  rows.forEach((row, item) => {
    index.addItem(item, row);
  });
  await index.build(flags.trees);
  const queries = set.asked.length > 0 ? set.asked.map((item) => rows[item] as Float32Array) : [...set.queries];
  const { items } = await index.getNnsByVectors(queries, k, { exact: true });
  const truth = queries.map((_, place) => new Set(items.subarray(place * k, place * k + k)));
  const trees = measure(index, set, truth);
  const start = performance.now();
  await index.buildGraph();
  const seconds = (performance.now() - start) / 1e3;
  const graph = measure(index, set, truth);
  const show = ({ recall, micros }: Outcome): string => `${recall.toFixed(3)} | ${micros.toFixed(0)}`;
  const kind = set.asked.length > 0 ? 'self' : 'recall';
  console.log(
    `| ${metric} ${dimensions} | ${name} | ${kind} | ${show(trees)} | ${show(graph)} | ${seconds.toFixed(1)} |`,
  );
  index.close();
}

const sets: (() => HardSet | Promise<HardSet>)[] = [];
for (const metric of ['angular', 'euclidean'] as const) {
  for (const size of [20, 50, 100, 300, 600]) {
    for (const cosine of [0.95, 0.99, 0.997, 0.9999]) sets.push(() => groups(metric, 64, size, cosine));
  }
}
for (const cosine of [0.95, 0.997, 0.9999]) sets.push(() => groups('angular', 384, 100, cosine));
for (const size of [100, 600]) sets.push(() => groups('angular', 384, size, 0.9999));
sets.push(
  () => groups('euclidean', 384, 100, 0.997),
  () => groups('angular', 768, 100, 0.997, 3000),
);
sets.push(
  () => variants(groups('angular', 64, 100, 0.997), 0.05),
  () => variants(groups('angular', 384, 300, 0.997), 0.05),
);
for (const metric of ['angular', 'euclidean'] as const) {
  for (const count of [40, 400]) sets.push(() => outliers(metric, 64, count, 3));
  sets.push(
    () => outliers(metric, 384, 100, 1),
    () => islands(metric, 64, 5, 40),
    () => islands(metric, 64, 20, 10),
  );
  for (const size of [20, 100]) sets.push(() => nested(metric, 64, size));
  sets.push(() => nested(metric, 384, 100));
}
sets.push(
  () => duplicates('angular', 64, 600, [1]),
  () => duplicates('euclidean', 64, 600, [1]),
);
sets.push(
  () => variants(duplicates('angular', 64, 600, [1]), 0.3),
  () => variants(duplicates('euclidean', 64, 600, [1]), 0.3),
);
sets.push(
  () => duplicates('angular', 64, 600, [1, 2]),
  () => duplicates('angular', 64, 40, [1]),
);
sets.push(
  () => letters(1000),
  () => letters(5000),
);
for (const sigma of [0, 0.05, 0.1, 0.2, 0.3])
  sets.push(
    () => unevenLengths(32, sigma),
    () => unevenLengths(64, sigma),
  );
for (const metric of ['angular', 'euclidean', 'dot'] as const) sets.push(() => ordinary(metric, 128, 20_000));
sets.push(() => ordinary('angular', 384, 20_000));

console.log('| vectors | set | figure | trees | µs | graph | µs | s to derive |');
console.log('|---|---|---|---|---|---|---|---|');
for (const make of sets) {
  const set = await make();
  if (`${set.metric} ${set.dimensions} ${set.name}`.includes(flags.only)) await run(set);
}
