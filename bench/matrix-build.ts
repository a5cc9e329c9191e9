// Builds an index on disk from more vectors than the process may have memory.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnnoyIndex, VectorMatrix } from 'semantic-index';
import { benchFlags } from './flags.js';

const flags = benchFlags(
  `Makes a .npy file of vectors, builds an index from it with onDiskBuild in a process that the system allows less private
memory than that (RLIMIT_DATA, by prlimit; Linux only), validates the index, and searches it.`,
  {
    megabytes: [2000, 'size of the vectors'],
    limit: [512, 'megabytes of private memory that the build may have'],
    columns: [256, 'numbers of a vector'],
    trees: [2, 'trees of the index'],
    threads: [1, 'threads of the build, -1 for all cores'],
    folder: [tmpdir(), 'where the files are made; they are deleted afterwards'],
    phase: [''],
  },
  {
    notes: `Pages of the mapped index file belong to the system's cache, which takes them back when it needs memory; the limit does not
count them. To limit those too, run it in a control group: systemd-run --scope -p MemoryMax=512M tsx bench/matrix-build.ts`,
  },
);

const { columns } = flags;
const rows = Math.round((flags.megabytes * 1e6) / (columns * 4));
const vectorsFile = () => join(flags.folder, 'vectors.npy');
const indexFile = () => join(flags.folder, 'index.ann');
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;

/** A line of /proc/self/status, in bytes. */
function status(name: string): number {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line?.[1] ?? 0) * 1024;
}

async function make(): Promise<void> {
  let state = 99;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const means = Float32Array.from({ length: 2000 * columns }, random);
  await using matrix = await VectorMatrix.create(vectorsFile(), { rows, columns });
  for (let first = 0; first < rows; first += 4096) {
    const block = new Float32Array(Math.min(4096, rows - first) * columns);
    for (let at = 0; at < block.length; at += columns) {
      const mean = Math.floor((random() + 0.5) * 2000) * columns;
      for (let column = 0; column < columns; column++) {
        block[at + column] = (means[mean + column] as number) + 0.7 * random();
      }
    }
    await matrix.setRows(first, block);
  }
}

async function build(): Promise<void> {
  let [data, own] = [0, 0];
  const watch = () => {
    data = Math.max(data, status('VmData'));
    own = Math.max(own, status('RssAnon'));
  };
  const timer = setInterval(watch, 100);
  const index = new AnnoyIndex(columns, 'angular');
  index.onDiskBuild(indexFile());
  let start = performance.now();
  await index.addItems(vectorsFile());
  const adding = (performance.now() - start) / 1e3;
  start = performance.now();
  await index.build(flags.trees, { threads: flags.threads });
  const building = (performance.now() - start) / 1e3;
  watch();
  clearInterval(timer);
  index.close();
  console.log(`added in ${adding.toFixed(1)} s, built and published in ${building.toFixed(1)} s`);
  console.log(
    `peak of what the limit counts: ${megabytes(data)}; private memory in use: ${megabytes(own)}; with mapped pages: ${megabytes(status('VmHWM'))}`,
  );
}

async function check(): Promise<void> {
  const index = await AnnoyIndex.open(indexFile());
  const { valid, checks } = await index.validate();
  const failed = checks.filter((one) => !one.passed).map((one) => `${one.check}: ${one.message}`);
  console.log(
    `index of ${megabytes(statSync(indexFile()).size)}: ${index.getNItems()} items, ${index.getNTrees()} trees, valid: ${valid}`,
  );
  for (const line of failed) console.log(`  ${line}`);
  await using matrix = await VectorMatrix.open(vectorsFile());
  let same = 0;
  const sample = Array.from({ length: 200 }, (_, at) => Math.floor((at * (rows - 1)) / 199));
  for (const row of sample) {
    const vector = await matrix.getRows(row, 1);
    if (index.getNnsByVector(vector, 1, { searchK: 20_000 })[0] === row) same++;
  }
  console.log(`${same} of ${sample.length} rows are their own nearest neighbour`);
  index.close();
  if (!valid || same < sample.length) process.exitCode = 1;
}

/** Runs one phase in a process of its own, for the build under the limit. */
function phase(name: string, limit: readonly string[] = []): void {
  const command = [
    ...limit,
    process.execPath,
    ...process.execArgv,
    ...process.argv.slice(1),
    '--folder',
    flags.folder,
    '--phase',
    name,
  ];
  const run = spawnSync(command[0] as string, command.slice(1), { stdio: 'inherit' });
  if (run.status !== 0) throw new Error(`phase ${name} ended with ${run.status ?? run.signal ?? run.error?.message}`);
}

if (flags.phase === 'make') await make();
else if (flags.phase === 'build') await build();
else if (flags.phase === 'check') await check();
else {
  flags.folder = mkdtempSync(join(flags.folder, 'matrix-build-'));
  try {
    phase('make');
    console.log(
      `${rows} vectors of ${columns} numbers: ${megabytes(statSync(vectorsFile()).size)}; limit ${flags.limit} MB`,
    );
    phase('build', ['prlimit', `--data=${flags.limit * 1_000_000}`]);
    phase('check');
  } finally {
    rmSync(flags.folder, { recursive: true });
  }
}
