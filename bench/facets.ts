// How long facets take over many documents: npx tsx bench/facets.ts --help
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FacetOptions, SemanticIndex, type Where } from 'semantic-index';
import { benchFlags } from './flags.js';
import { randomNumbers } from './generated-vectors.js';
import { quantile } from './quantile.js';

const flags = benchFlags(
  `Counts generated documents by values, lists, ranges and dates, of all documents and of those that pass a filter, and prints the
least time, the median and the 99th percentile of the whole call, with the time of the first one, which reads the column.`,
  {
    documents: [200_000, 'documents'],
    tail: [2_000, 'of them that are not in a segment yet'],
    rounds: [60, 'calls of each kind'],
    limit: [5, 'milliseconds that the median of every kind may take; the exit code is 1 otherwise'],
    seed: [1, 'of the random numbers'],
  },
);
const random = randomNumbers(flags.seed);
const upTo = (count: number): number => Math.floor(random() * count);
const skewed = (count: number): number => Math.floor(random() ** 3 * count);
const [now, day] = [Date.UTC(2026, 5, 1), 86_400_000];

/** Numbered documents with one value, lists, numbers and dates. */
function* generated(first: number, last: number) {
  for (let id = first; id < last; id++) {
    const tags = Array.from({ length: upTo(7) }, () => `tag ${skewed(200)}`);
    const metadata = {
      source: `source ${skewed(40)}`,
      tags,
      terms: Array.from({ length: 1 + upTo(3) }, () => `term ${upTo(20_000)}`),
      sizes: Array.from({ length: upTo(4) }, () => upTo(1_000)),
      price: upTo(100_000) / 100,
      date: new Date(now - upTo(3_650) * day).toISOString().slice(0, 10),
      time: new Date(now - random() * 3_650 * day).toISOString(),
      place: id,
    };
    yield { id, text: '', vector: Float32Array.of(random(), random()), metadata };
  }
}

const ranges = [{ to: 10 }, { from: 10, to: 100 }, { from: 100, to: 500 }, { from: 500 }];
const overlapping = [{ to: 100 }, { from: 50, to: 500 }, { from: 200 }];
const kinds: Readonly<Record<string, readonly [field: string, options: FacetOptions]>> = {
  values: ['source', {}],
  'list of 200 values': ['tags', {}],
  'list of 20,000 values': ['terms', {}],
  ranges: ['price', { ranges }],
  'ranges that overlap': ['price', { ranges: overlapping }],
  'list by ranges that overlap': ['sizes', { ranges: overlapping }],
  'months of days': ['date', { interval: 'month' }],
  'months of instants': ['time', { interval: 'month' }],
  'hours of instants': ['time', { interval: 'hour' }],
};
const filters: Readonly<Record<string, Where | undefined>> = {
  all: undefined,
  half: { place: { $lt: flags.documents / 2 } },
  tenth: { place: { $lt: flags.documents / 10 } },
};

const folder = mkdtempSync(join(tmpdir(), 'semantic-index-facets-'));
let slowest = 0;
try {
  await using index = await SemanticIndex.open(folder, { provider: null, ann: { background: false } });
  const sealed = flags.documents - flags.tail;
  await index.addDocuments(generated(0, sealed), { batchSize: 4_096 });
  await index.optimize();
  await index.addDocuments(generated(sealed, flags.documents), { batchSize: 4_096 });
  const hash = createHash('sha256');
  console.log(`${flags.documents} documents, ${flags.tail} of them in the tail; ms of a whole call\n`);
  console.log(
    `| facet | first | ${Object.keys(filters).join(' least, p50, p99 | ')} least, p50, p99 |\n|---|---|---|---|---|`,
  );
  for (const [name, [field, options]] of Object.entries(kinds)) {
    const cells: string[] = [];
    for (const where of Object.values(filters)) {
      const times: number[] = [];
      for (let round = 0; round <= flags.rounds; round++) {
        const began = performance.now();
        const found = await index.facets({ fields: { [field]: options }, ...(where && { where }) });
        times.push(performance.now() - began);
        if (round === 0) hash.update(JSON.stringify(found));
      }
      const [first = 0] = times.splice(0, 1);
      if (cells.length === 0) cells.push(first.toFixed(0));
      slowest = Math.max(slowest, quantile(times, 0.5));
      cells.push([0, 0.5, 0.99].map((share) => quantile(times, share).toFixed(2)).join(', '));
    }
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
  console.log(`\nSlowest median ${slowest.toFixed(2)} ms; counts ${hash.digest('hex').slice(0, 16)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(slowest <= flags.limit ? 0 : 1);
