// Adds documents in batches while searches run, then deletes half and compacts; prints what an operator asks about.
// Run: npx tsx bench/ingest.ts --help
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { SemanticIndex } from 'semantic-index';
import { benchFlags } from './flags.js';
import { generatedTexts } from './generated-texts.js';
import { randomNumbers } from './generated-vectors.js';
import { quantiles } from './quantile.js';

const flags = benchFlags(
  'Adds documents while searches run, then deletes half and optimizes; prints times, event loop delays and memory.',
  {
    documents: [200_000, 'documents'],
    dimensions: [256, 'numbers of a generated vector'],
    words: [30, 'words of a generated text'],
    vectors: [false, 'generated vectors; otherwise texts go through the bundled model'],
    index: [undefined, 'folder that is kept; a run adds what is missing'],
    seconds: [Number.POSITIVE_INFINITY, 'how long a run with --index adds at most'],
    open: [false, 'with --index: nothing is added; it is opened and searched, and time and memory are printed'],
  },
);
const { documents, dimensions } = flags;
// A run that goes on with an index must not repeat what is there.
const random = randomNumbers(7 + (flags.index === undefined ? 0 : Date.now() % 1_000_000));
const text = generatedTexts(random, flags.words);
const centers = Array.from({ length: 1_000 }, () => Float32Array.from({ length: dimensions }, () => random() - 0.5));
const vector = (): Float32Array =>
  Float32Array.from(centers[Math.floor(random() * centers.length)] as Float32Array, (x) => x + 0.6 * (random() - 0.5));

const folder = mkdtempSync(join(tmpdir(), 'semantic-index-bench-'));
const path = flags.index ?? join(folder, 'index');
const open = () => SemanticIndex.open(path, flags.vectors ? { provider: null } : {});
const query = (): string | Float32Array => (flags.vectors ? vector() : text());
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

async function timeSearches(index: SemanticIndex, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const asked = query();
    const began = performance.now();
    await index.search(asked, { k: 10, mode: 'vector' });
    times.push(performance.now() - began);
  }
  return times;
}

async function bytes(index: SemanticIndex): Promise<string> {
  const { bytes: on, segments, tail } = await index.stats();
  return `${megabytes(on.database)} catalog + ${megabytes(on.segments)} in ${segments.length} segments, tail ${tail}`;
}

/** What a process pays that only opens and searches. */
async function openAndSearch(): Promise<void> {
  const before = process.memoryUsage().rss;
  const opening = performance.now();
  const index = await open();
  const opened = performance.now() - opening;
  const resident = process.memoryUsage().rss;
  const first = quantiles(await timeSearches(index, 1));
  const searched = process.memoryUsage().rss;
  const next = quantiles(await timeSearches(index, 100));
  console.log(
    `open in a new process: ${opened.toFixed(1)} ms; resident ${megabytes(before)} before, ${megabytes(resident)} after`,
  );
  console.log(`  first search ${first}, resident ${megabytes(searched)}`);
  console.log(`  next searches ${next}, resident ${megabytes(process.memoryUsage().rss)}`);
  await index.close();
}

if (flags.open) {
  await openAndSearch();
  rmSync(folder, { recursive: true, force: true });
  process.exit();
}

try {
  const index = await open();
  let adding = true;
  const during: number[] = [];
  const searching = (async () => {
    while (adding) {
      during.push(...(await timeSearches(index, 1)));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const began = performance.now();
  const already = await index.count();
  let added = 0;
  for (let id = already; id < documents && performance.now() - began < flags.seconds * 1000; ) {
    const batch: { id: number; text: string; vector?: Float32Array }[] = [];
    // Generating takes its time too: it is cut into pieces so that it does not pass for a delay of the index.
    while (batch.length < 1_000 && id < documents) {
      batch.push(flags.vectors ? { id, text: `document ${id}`, vector: vector() } : { id, text: text() });
      id++;
      if (batch.length % 10 === 0) await new Promise(setImmediate);
    }
    await index.addDocuments(batch);
    added += batch.length;
  }
  const seconds = (performance.now() - began) / 1000;
  delay.disable();
  adding = false;
  await searching;
  console.log(`added ${added} in ${seconds.toFixed(1)} s: ${(added / seconds).toFixed(0)} documents/s`);
  console.log(`searches meanwhile: ${quantiles(during)}`);
  const ms = (nanoseconds: number): string => `${(nanoseconds / 1e6).toFixed(1)} ms`;
  console.log(`event loop: p50 ${ms(delay.percentile(50))}, p99 ${ms(delay.percentile(99))}, most ${ms(delay.max)}`);
  console.log(`at the end: ${await bytes(index)}`);
  console.log(`searches after: ${quantiles(await timeSearches(index, 200))}`);
  await index.close();
  if (already + added < documents) {
    // The index stays for the next run.
    rmSync(folder, { recursive: true, force: true });
    process.exit();
  }

  const given = [
    '--open',
    '--index',
    path,
    '--dimensions',
    String(dimensions),
    ...(flags.vectors ? ['--vectors'] : []),
  ];
  spawnSync(process.execPath, [...process.execArgv, import.meta.filename, ...given], { stdio: 'inherit' });
  const again = await open();
  let [found, sought] = [0, 0];
  for (let i = 0; i < 50; i++) {
    const asked = query();
    const exact = new Set((await again.search(asked, { mode: 'vector', exact: true })).hits.map((hit) => hit.id));
    const { hits } = await again.search(asked, { mode: 'vector' });
    found += hits.filter((hit) => exact.has(hit.id)).length;
    sought += exact.size;
  }
  console.log(`recall@10 of 50 queries: ${(found / sought).toFixed(3)}`);
  const deleted = await again.deleteDocuments(Array.from({ length: documents / 2 }, (_, n) => n * 2));
  console.log(`deleted ${deleted}: ${await bytes(again)}`);
  const compacting = performance.now();
  const result = await again.optimize();
  const took = ((performance.now() - compacting) / 1000).toFixed(1);
  console.log(`compacted in ${took} s, ${result.items} items dropped: ${await bytes(again)}`);
  await again.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
