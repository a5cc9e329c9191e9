// How fast rows of file-backed matrices are written and read, for each format and order.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MatrixDtype, type MatrixOrder, VectorMatrix } from 'semantic-index';
import { benchFlags } from './flags.js';

const flags = benchFlags(
  'Writes and reads matrices of random numbers, block after block, and prints MB of file per second.',
  {
    rows: [200_000, 'rows of each matrix'],
    columns: [384, 'numbers of a row'],
    blocks: ['0,1024', "rows of a block, several separated by commas; 0 is the library's own choice"],
    folder: [tmpdir(), 'where the files are made; they are deleted afterwards'],
  },
  {
    notes:
      "The files come from the system's cache when they fit into memory: the figures are those of the code, not of the disk.",
  },
);

const { rows, columns } = flags;
const blockSizes = flags.blocks.split(',').map(Number);
const formats: { name: string; dtype: MatrixDtype; order?: MatrixOrder; separated?: boolean }[] = [
  { name: 'a.npy', dtype: 'f4', order: 'C' },
  { name: 'a.npy', dtype: 'f4', order: 'F' },
  { name: 'a.npy', dtype: 'f8', order: 'C' },
  { name: 'a.npy', dtype: 'f8', order: 'F' },
  { name: 'a.npy', dtype: 'f2', order: 'C' },
  { name: 'a.npy', dtype: 'i1', order: 'C' },
  { name: 'a.fvecs', dtype: 'f4' },
  { name: 'a.desc', dtype: 'f8' },
  { name: 'a.desc', dtype: 'f4', separated: true },
];

const folder = mkdtempSync(join(flags.folder, 'matrix-stream-'));
try {
  console.log(`${rows} rows of ${columns} numbers; MB/s of file; in parentheses per second of processor time`);
  const columnNames = blockSizes.map((size) => (size === 0 ? 'read' : `read, ${size} rows`).padStart(18));
  console.log(`${'format'.padEnd(24)}${'MB'.padStart(7)}${'write'.padStart(9)}${columnNames.join('')}`);
  for (const { name, ...shape } of formats) {
    const matrix = await VectorMatrix.create(join(folder, name), { rows, columns, ...shape });
    const some = Float32Array.from({ length: 4096 * columns }, () =>
      shape.dtype[0] === 'i' ? Math.floor(Math.random() * 100) : Math.random(),
    );
    const rate = (milliseconds: number) => (matrix.byteLength / 1e3 / milliseconds).toFixed(0);
    const processorTime = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e3;
    const writing = performance.now();
    for (let first = 0; first < rows; first += 4096) {
      await matrix.setRows(first, some.subarray(0, Math.min(4096, rows - first) * columns));
    }
    const written = rate(performance.now() - writing);
    const read: string[] = [];
    for (const size of blockSizes) {
      const [reading, used] = [performance.now(), processorTime()];
      const blockRows = size === 0 ? undefined : size;
      for await (const block of matrix.blocks({ blockRows, reuse: true }))
        if (block.count === 0) throw new Error('empty');
      read.push(`${rate(performance.now() - reading)} (${rate(processorTime() - used)})`.padStart(18));
    }
    const label = `${name.slice(1)} ${shape.dtype} ${matrix.order}${shape.separated ? ' separated' : ''}`;
    const megabytes = (matrix.byteLength / 1e6).toFixed(0);
    console.log(`${label.padEnd(24)}${megabytes.padStart(7)}${written.padStart(9)}${read.join('')}`);
    await matrix.close();
    for (const file of readdirSync(folder)) rmSync(join(folder, file));
  }
  console.log(`peak memory of this process: ${(process.resourceUsage().maxRSS / 1e3).toFixed(0)} MB`);
} finally {
  rmSync(folder, { recursive: true });
}
