// What a large Annoy file costs those who only read it: npx tsx bench/open.ts --help
import { fork } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AnnoyIndex } from 'semantic-index';
import { benchFlags } from './flags.js';
import { clusterRows } from './speed/clusters.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const flags = benchFlags(
  `Builds a forest and its graph index over generated clusters, once; opens the file lazily in new processes, one and then several
at a time; prints the time and the memory of opening, of the first search, and of a thousand.`,
  {
    rows: [1_000_000, 'rows'],
    dimensions: [384, 'numbers in a row'],
    trees: [10, 'trees of the forest'],
    processes: [4, 'processes that search at the same time'],
    cache: [join(here, '.cache'), 'where the file is kept'],
    read: [undefined],
  },
);

const { rows, dimensions } = flags;
const shape = { dimensions, topics: Math.round(Math.sqrt(rows) * 3), seed: 1 };

/** Megabytes of this process: what it has mapped, and its share of it where others have it mapped too (Linux). */
function memory(): { resident: number; proportional: number; own: number } {
  const all = readFileSync('/proc/self/smaps_rollup', 'utf8');
  const field = (name: string): number => Number(all.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))?.[1] ?? 0) / 1024;
  return { resident: field('Rss'), proportional: field('Pss'), own: field('Private_Dirty') };
}

interface Reading {
  readonly openMilliseconds: number;
  readonly firstMilliseconds: number;
  readonly nextMicroseconds: number;
  readonly atStart: ReturnType<typeof memory>;
  readonly opened: ReturnType<typeof memory>;
  readonly searched: ReturnType<typeof memory>;
  readonly atEnd: ReturnType<typeof memory>;
}

/** In a process of its own: opens, searches, and stays until all have measured. */
async function read(path: string): Promise<void> {
  const queries = Array.from(clusterRows(shape, 1_000, 2), (row) => row.slice());
  const atStart = memory();
  const began = performance.now();
  const index = await AnnoyIndex.open(path, { loadMode: 'lazy', engine: 'graph' });
  const openMilliseconds = performance.now() - began;
  const opened = memory();
  const asked = performance.now();
  index.getNnsByVector(queries[0] as Float32Array, 10);
  const firstMilliseconds = performance.now() - asked;
  const searched = memory();
  const again = performance.now();
  for (const query of queries) index.getNnsByVector(query, 10);
  const nextMicroseconds = ((performance.now() - again) * 1e3) / queries.length;
  process.send?.('searched');
  await new Promise((resolve) => process.once('message', resolve));
  const reading: Reading = {
    openMilliseconds,
    firstMilliseconds,
    nextMicroseconds,
    atStart,
    opened,
    searched,
    atEnd: memory(),
  };
  process.stdout.write(JSON.stringify(reading));
  await index.close();
  process.disconnect?.();
}

/** Starts readers together, and lets them measure their memory while all of them have searched. */
async function readTogether(path: string, count: number): Promise<Reading[]> {
  const readers = Array.from({ length: count }, () =>
    fork(fileURLToPath(import.meta.url), ['--read', path, '--rows', `${rows}`, '--dimensions', `${dimensions}`], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    }),
  );
  const output = readers.map(async (reader) => {
    let text = '';
    for await (const chunk of reader.stdout ?? []) text += String(chunk);
    return JSON.parse(text) as Reading;
  });
  await Promise.all(readers.map((reader) => new Promise((resolve) => reader.once('message', resolve))));
  for (const reader of readers) reader.send('measure');
  return Promise.all(output);
}

if (flags.read !== undefined) {
  await read(flags.read);
} else {
  mkdirSync(flags.cache, { recursive: true });
  const path = join(flags.cache, `open-${rows}-${dimensions}-${flags.trees}.ann`);
  if (!existsSync(path)) {
    console.log(`building ${rows} x ${dimensions} …`);
    const index = new AnnoyIndex(dimensions, 'angular', { seed: 1 });
    const block = new Float32Array(1_000 * dimensions);
    let filled = 0;
    for (const row of clusterRows(shape, rows, 1)) {
      block.set(row, filled);
      filled += dimensions;
      if (filled < block.length) continue;
      index.addItems(block);
      filled = 0;
    }
    index.addItems(block.subarray(0, filled));
    const began = performance.now();
    await index.build(flags.trees, { threads: os.availableParallelism() });
    const built = performance.now();
    const partial = join(flags.cache, 'partial.ann');
    await index.save(partial);
    const saved = performance.now();
    await index.buildGraph({ threads: os.availableParallelism() });
    const seconds = (from: number, to: number): string => `${((to - from) / 1000).toFixed(1)} s`;
    console.log(
      `forest ${seconds(began, built)}, save ${seconds(built, saved)}, graph ${seconds(saved, performance.now())}`,
    );
    await index.close();
    for (const end of ['.accel', '.meta.json', '']) renameSync(`${partial}${end}`, `${path}${end}`);
  }
  // The pages of the files may be in memory or not: both are read once, so that all start alike.
  for (const file of [path, `${path}.accel`]) for await (const _ of createReadStream(file, { highWaterMark: 2 ** 22 }));
  const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  console.log(`forest ${mega(statSync(path).size)}, graph ${mega(statSync(`${path}.accel`).size)}`);
  for (const count of [1, flags.processes]) {
    const all = await readTogether(path, count);
    const [one] = all as [Reading];
    const sum = (pick: (reading: Reading) => number): string =>
      `${all.reduce((total, each) => total + pick(each), 0).toFixed(0)} MiB`;
    console.log(
      `${count} process${count === 1 ? '' : 'es'}: open ${one.openMilliseconds.toFixed(1)} ms (resident ${(one.opened.resident - one.atStart.resident).toFixed(1)} MiB more), ` +
        `first search ${one.firstMilliseconds.toFixed(1)} ms (${(one.searched.resident - one.opened.resident).toFixed(1)} MiB more), next ${one.nextMicroseconds.toFixed(0)} µs each`,
    );
    console.log(
      `  after 1,000 searches: resident ${sum(({ atEnd }) => atEnd.resident)} summed, proportional ${sum(({ atEnd }) => atEnd.proportional)}, ` +
        `of their own ${sum(({ atEnd }) => atEnd.own)} (${sum(({ atStart }) => atStart.own)} before)`,
    );
  }
}
