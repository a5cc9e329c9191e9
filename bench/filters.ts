// Filters of any selectivity: does every search give min(k, matches) hits, with what recall and in what time?
// Random ranges over a number of each document, on generated vectors; no data is needed.
// Run: npx tsx bench/filters.ts --help
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SemanticIndex, type Where } from 'semantic-index';
import { benchFlags } from './flags.js';
import { generatedVectors, randomNumbers } from './generated-vectors.js';
import { quantile } from './quantile.js';

const flags = benchFlags(
  'Searches with filters of every selectivity; prints whether they find min(k, matches), recall and time.',
  {
    documents: [200_000, 'documents'],
    dimensions: [96, 'numbers of a vector'],
    filters: [20, 'filters of each selectivity'],
    seed: [1, 'of the random numbers'],
  },
);
const { documents } = flags;
const random = randomNumbers(flags.seed + 100);
const vectors = generatedVectors(documents + 200, flags.dimensions, flags.seed);
const queries = vectors.splice(documents);
const k = 10;
const queriesPerFilter = 5;

function* withMetadata(): Generator<{ id: number; text: string; vector: Float32Array; metadata: object }> {
  for (const [id, vector] of vectors.entries()) {
    const place = random();
    yield { id, text: '', vector, metadata: { plain: place, indexed: place } };
  }
}

const folder = mkdtempSync(join(tmpdir(), 'semantic-index-filters-'));
try {
  await using index = await SemanticIndex.open<{ plain: number; indexed: number }>(folder, {
    provider: null,
    fields: { indexed: 'number' },
    ann: { background: false },
  });
  await index.addDocuments(withMetadata() as never, { batchSize: 4_096 });
  await index.optimize({ full: true });
  const { segments } = await index.stats();
  console.log(
    `${documents} documents, ${flags.dimensions} dimensions, ${segments.length} segment of ${segments[0]?.trees} trees; ` +
      `${flags.filters} filters a row, ${queriesPerFilter} queries each, k ${k}.\n`,
  );
  console.log(
    '| selectivity | matches | starved | recall@10 | exact | ms, field declared | ms, not declared | ms, exact search |',
  );
  console.log('|---|---|---|---|---|---|---|---|');
  let starved = 0;
  for (const selectivity of [1e-5, 1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.3, 1]) {
    const times: Record<'indexed' | 'plain' | 'exact', number[]> = { indexed: [], plain: [], exact: [] };
    let [found, wanted, matches, exact, searches, short] = [0, 0, 0, 0, 0, 0];
    for (let filter = 0; filter < flags.filters; filter++) {
      const from = random() * (1 - selectivity);
      const range = (field: string): Where => ({ [field]: { $gte: from, $lt: from + selectivity } });
      const matching = await index.count({ where: range('indexed') });
      matches += matching;
      for (let query = 0; query < queriesPerFilter; query++) {
        const vector = queries[Math.floor(random() * queries.length)] as Float32Array;
        const timed = async (kind: keyof typeof times, options: object) => {
          const began = performance.now();
          const { hits } = await index.search(vector, { k, ...options });
          times[kind].push(performance.now() - began);
          return hits;
        };
        const truth = await timed('exact', { where: range('indexed'), exact: true });
        const hits = await timed('indexed', { where: range('indexed') });
        const same = await timed('plain', { where: range('plain') });
        const expected = Math.min(k, matching);
        for (const list of [truth, hits, same]) if (list.length !== expected) short++;
        const ids = new Set(truth.map(({ id }) => id));
        found += hits.filter(({ id }) => ids.has(id)).length;
        wanted += ids.size;
        searches++;
        const { explanation } = await index.search(vector, { k, where: range('indexed'), explain: true });
        if (explanation?.exact) exact++;
      }
    }
    starved += short;
    const recall = wanted === 0 ? '-' : (found / wanted).toFixed(4);
    console.log(
      `| ${selectivity} | ${Math.round(matches / flags.filters)} | ${short} | ${recall} | ${Math.round((100 * exact) / searches)} % | ` +
        `${quantile(times.indexed, 0.5).toFixed(2)} | ${quantile(times.plain, 0.5).toFixed(2)} | ${quantile(times.exact, 0.5).toFixed(2)} |`,
    );
  }
  console.log(`\nSearches with other than min(k, matches) hits: ${starved}.`);
  process.exitCode = starved === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
