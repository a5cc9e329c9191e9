// Memory and answers of a search whose queries come from a file and whose answers go into files.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnnoyIndex, VectorMatrix } from 'semantic-index';
import { benchFlags } from './flags.js';

const flags = benchFlags(
  `Searches with 10,000 and then 100,000 rows of a .npy file, writes neighbours and distances into .npy files, and prints
the peak memory of each. Then does the same in memory, in a process of its own, and compares every number.`,
  {
    queries: ['10000,100000', 'numbers of queries, separated by commas; the last is compared'],
    items: [50_000, 'items of the index'],
    columns: [128, 'numbers of a vector'],
    n: [10, 'neighbours wanted'],
    trees: [10, 'trees of the index'],
    threads: [-1, 'threads of search and build, -1 for all cores'],
    folder: [tmpdir(), 'where the files are made; they are deleted afterwards'],
    phase: [''],
  },
);

const { items, columns, n, trees, threads } = flags;
const queryCounts = flags.queries.split(',').map(Number);
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
const peak = () => megabytes(process.resourceUsage().maxRSS * 1024);
const queriesFile = (count: number) => join(flags.folder, `queries-${count}.npy`);
const outputs = (count: number) => ({
  neighbors: join(flags.folder, `neighbors-${count}.npy`),
  distances: join(flags.folder, `distances-${count}.npy`),
});
const indexFile = () => join(flags.folder, 'index.ann');

/** Points around a thousand centres, the same centres for items and queries. */
async function makeMatrix(path: string, rows: number): Promise<void> {
  let state = 7;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const means = Float32Array.from({ length: 1000 * columns }, random);
  state = rows;
  await using matrix = await VectorMatrix.create(path, { rows, columns });
  for (let first = 0; first < rows; first += 4096) {
    const block = new Float32Array(Math.min(4096, rows - first) * columns);
    for (let at = 0; at < block.length; at += columns) {
      const mean = Math.floor((random() + 0.5) * 1000) * columns;
      for (let column = 0; column < columns; column++) {
        block[at + column] = (means[mean + column] as number) + 0.7 * random();
      }
    }
    await matrix.setRows(first, block);
  }
}

async function prepare(): Promise<void> {
  await makeMatrix(join(flags.folder, 'items.npy'), items);
  for (const count of queryCounts) await makeMatrix(queriesFile(count), count);
  const index = new AnnoyIndex(columns, 'angular');
  await index.addItems(join(flags.folder, 'items.npy'));
  await index.build(trees, { threads });
  await index.save(indexFile());
  index.close();
}

async function stream(count: number): Promise<void> {
  const index = await AnnoyIndex.open(indexFile(), { prefault: true });
  const before = peak();
  const start = performance.now();
  await index.getNnsByVectors(queriesFile(count), n, { ...outputs(count), threads });
  const seconds = ((performance.now() - start) / 1e3).toFixed(1);
  console.log(`${count} queries from and into files: ${seconds} s, peak memory ${peak()}, ${before} before the search`);
  index.close();
}

async function inMemory(count: number): Promise<void> {
  const index = await AnnoyIndex.open(indexFile(), { prefault: true });
  const before = peak();
  await using queries = await VectorMatrix.open(queriesFile(count));
  const rows = await queries.getRows(0, count);
  const start = performance.now();
  const found = await index.getNnsByVectors(rows, n, { threads });
  const seconds = ((performance.now() - start) / 1e3).toFixed(1);
  console.log(`${count} queries in memory: ${seconds} s, peak memory ${peak()}, ${before} before the search`);
  await using neighbors = await VectorMatrix.open(outputs(count).neighbors);
  await using distances = await VectorMatrix.open(outputs(count).distances);
  const streamed = await neighbors.getRows(0, count, new Int32Array(count * n));
  const lengths = await distances.getRows(0, count);
  const different = found.items.filter((item, at) => item !== streamed[at]).length;
  const apart = found.distances.filter((distance, at) => !Object.is(distance, lengths[at])).length;
  console.log(`of ${streamed.length} answers, ${different} item numbers and ${apart} distances differ`);
  if (different + apart > 0) process.exitCode = 1;
  index.close();
}

/** What NumPy, where there is one, makes of the outputs. */
function numpy(count: number): void {
  const script = `import numpy, sys
n = numpy.load(sys.argv[1], mmap_mode='r'); d = numpy.load(sys.argv[2], mmap_mode='r')
print('NumPy', numpy.__version__, 'opens', n.shape, n.dtype, 'and', d.shape, d.dtype, '- rows sorted by distance:',
      bool((numpy.diff(d, axis=1) >= 0).all()), '- items from', n.min(), 'to', n.max())`;
  for (const python of ['python3', '/usr/bin/python3']) {
    const { neighbors, distances } = outputs(count);
    const run = spawnSync(python, ['-c', script, neighbors, distances], { encoding: 'utf8' });
    if (run.status !== 0) continue;
    console.log(run.stdout.trim());
    return;
  }
  console.log('no Python with NumPy here to open the outputs');
}

/** Runs one phase in a process of its own, so that its peak memory is its own. */
function phase(name: string): void {
  const run = spawnSync(
    process.execPath,
    [...process.execArgv, ...process.argv.slice(1), '--folder', flags.folder, '--phase', name],
    {
      stdio: 'inherit',
    },
  );
  if (run.status !== 0) throw new Error(`phase ${name} ended with ${run.status ?? run.signal}`);
}

const last = queryCounts.at(-1) ?? 0;
const [phaseName, phaseCount] = flags.phase.split(':');
if (phaseName === 'prepare') await prepare();
else if (phaseName === 'stream') await stream(Number(phaseCount));
else if (phaseName === 'memory') await inMemory(last);
else {
  flags.folder = mkdtempSync(join(flags.folder, 'matrix-search-'));
  try {
    console.log(`${items} items of ${columns} numbers, ${trees} trees, ${n} neighbours for each query`);
    phase('prepare');
    for (const count of queryCounts) phase(`stream:${count}`);
    phase('memory');
    numpy(last);
  } finally {
    rmSync(flags.folder, { recursive: true });
  }
}
