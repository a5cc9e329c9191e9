// Several processes search one index file. The system keeps one copy of the file in memory for all processes: each
// process prints how much memory is its own and how much is its part of what is shared.
//
//   npx tsx examples/several-processes.ts [processes] [megabytes]    by default 4 processes, a file of about 100 MB
import cluster from 'node:cluster';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AnnoyIndex } from 'semantic-index';

const dimensions = 128;
const threadFile = new URL('./several-processes/search-in-thread.mjs', import.meta.url);

interface Memory {
  /** Bytes that no other process shares. */
  readonly own: number;
  /** Bytes in which each shared page counts in equal parts for those who share it. */
  readonly proportional: number;
  /** The same, of the pages of the index file only. */
  readonly file: number;
}

/** What Linux says about this process's memory; undefined elsewhere. */
function readMemory(path: string): Memory | undefined {
  if (!existsSync('/proc/self/smaps_rollup')) return undefined;
  const sum = (text: string, name: RegExp) =>
    [...text.matchAll(name)].reduce((total, match) => total + Number(match[1]) * 1024, 0);
  const all = readFileSync('/proc/self/smaps_rollup', 'utf8');
  // Each mapping begins with a line that ends with its path.
  const mappings = readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const ofFile = mappings.filter((mapping) => mapping.slice(0, mapping.indexOf('\n')).includes(basename(path)));
  return {
    own: sum(all, /^Private_(?:Clean|Dirty): +(\d+) kB/gm),
    proportional: sum(all, /^Pss: +(\d+) kB/gm),
    file: sum(ofFile.join(''), /^Pss: +(\d+) kB/gm),
  };
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

function describeMemory(memory: Memory | undefined): string {
  if (memory === undefined) return 'memory is not told apart on this system';
  return `${megabytes(memory.own)} private, ${megabytes(memory.proportional)} proportional, of it ${megabytes(memory.file)} index file`;
}

/** Opens the index, searches a little, and waits until everybody has done so. */
async function search(path: string): Promise<AnnoyIndex> {
  const index = await AnnoyIndex.open(path, { prefault: true });
  for (let item = 0; item < 100; item++) index.getNnsByItem(item, 10);
  return index;
}

async function makeIndex(path: string, bytes: number): Promise<void> {
  const index = new AnnoyIndex(dimensions, 'angular');
  // An item takes its vector and twelve bytes; ten trees add about a third.
  const items = Math.max(1000, Math.round(bytes / 1.35 / (dimensions * 4 + 12)));
  for (let first = 0; first < items; first += 5000) {
    index.addItems(
      Float32Array.from({ length: Math.min(5000, items - first) * dimensions }, () => Math.random() - 0.5),
    );
  }
  await index.build(10);
  await index.save(path);
  index.close();
}

async function asPrimary(): Promise<void> {
  const processes = Number(process.argv[2] ?? 4);
  const folder = await mkdtemp(join(tmpdir(), 'several-processes-'));
  const path = join(folder, 'shared.ann');
  try {
    await makeIndex(path, Number(process.argv[3] ?? 100) * 1e6);
    const { size } = await stat(path);
    console.log(`${path}: ${megabytes(size)}`);

    const workers = Array.from({ length: processes }, () => cluster.fork({ INDEX_PATH: path }));
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    // Only now have all of them mapped the file.
    let inFiles = 0;
    for (const worker of workers) {
      const answer = once(worker, 'message');
      worker.send('measure');
      const [memory] = (await answer) as [Memory | null];
      console.log(`process ${worker.process.pid}: ${describeMemory(memory ?? undefined)}`);
      inFiles += memory?.file ?? 0;
    }
    console.log(`${processes} processes together hold ${megabytes(inFiles)} of the file of ${megabytes(size)}`);
    const exits = workers.map((worker) => once(worker, 'exit'));
    for (const worker of workers) worker.send('done');
    await Promise.all(exits);

    const threads = Array.from({ length: processes }, () => new Worker(threadFile, { workerData: path }));
    await Promise.all(threads.map((thread) => once(thread, 'message')));
    console.log(`${processes} worker threads of one process: ${describeMemory(readMemory(path))}`);
    const ends = threads.map((thread) => once(thread, 'exit'));
    for (const thread of threads) thread.postMessage('done');
    await Promise.all(ends);
  } finally {
    await rm(folder, { recursive: true });
  }
}

if (cluster.isPrimary) {
  await asPrimary();
} else {
  const path = process.env.INDEX_PATH ?? '';
  const index = await search(path);
  process.send?.('ready');
  process.on('message', (message) => {
    if (message === 'measure') return process.send?.(readMemory(path) ?? null);
    index.close();
    process.disconnect();
  });
}
