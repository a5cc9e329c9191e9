// Your own vectors in a NumPy file: build an index from it, search it with the rows of another file, and stream the
// answers into files that NumPy opens again. Nothing is ever in memory but one block of rows and the index.
//
//   npx tsx examples/own-vectors.ts                            vectors made up for the occasion
//   npx tsx examples/own-vectors.ts vectors.npy queries.npy    your own: rows of equal length, .npy, .fvecs or .desc
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnnoyIndex, VectorMatrix } from 'semantic-index';

const neighborsWanted = 5;
const folder = await mkdtemp(join(tmpdir(), 'own-vectors-'));

/** Points around a few hundred centres: row i belongs to centre i modulo `centres`. */
async function makeUp(path: string, rows: number, noise: number): Promise<string> {
  const [columns, centres] = [64, 300];
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const means = Float32Array.from({ length: centres * columns }, random);
  state = rows;
  await using matrix = await VectorMatrix.create(path, { rows, columns, dtype: 'f4' });
  for (let first = 0; first < rows; first += 1000) {
    const block = new Float32Array(Math.min(1000, rows - first) * columns);
    for (let at = 0; at < block.length; at++) {
      const centre = (first + Math.floor(at / columns)) % centres;
      block[at] = (means[centre * columns + (at % columns)] as number) + noise * random();
    }
    await matrix.setRows(first, block);
  }
  return path;
}

try {
  const [givenVectors, givenQueries] = process.argv.slice(2);
  const vectors = givenVectors ?? (await makeUp(join(folder, 'vectors.npy'), 20_000, 0.6));
  const queries = givenQueries ?? givenVectors ?? (await makeUp(join(folder, 'queries.npy'), 1000, 0.6));

  await using matrix = await VectorMatrix.open(vectors);
  console.log(`${vectors}: ${matrix.rows} rows of ${matrix.columns} numbers (${matrix.dtype}, order ${matrix.order})`);

  const index = new AnnoyIndex(matrix.columns, 'angular');
  await index.addItems(matrix);
  await index.build(20);
  console.log(`built ${index.getNTrees()} trees over ${index.getNItems()} items`);

  const outputs = { neighbors: join(folder, 'neighbors.npy'), distances: join(folder, 'distances.npy') };
  const started = performance.now();
  const count = await index.getNnsByVectors(queries, neighborsWanted, outputs);
  console.log(`answered ${count} queries in ${(performance.now() - started).toFixed(0)} ms`);

  // The outputs are ordinary matrices: attach them again, now or in another program.
  await using neighbors = await VectorMatrix.open(outputs.neighbors);
  await using distances = await VectorMatrix.open(outputs.distances);
  const shown = Math.min(3, neighbors.rows);
  const items = await neighbors.getRows(0, shown, new Int32Array(shown * neighborsWanted));
  const lengths = await distances.getRows(0, shown);
  for (let row = 0; row < shown; row++) {
    const answers = Array.from({ length: neighborsWanted }, (_, rank) => {
      const at = row * neighborsWanted + rank;
      return `${items[at]} (${lengths[at]?.toFixed(3)})`;
    });
    console.log(`  query ${row}: items ${answers.join(', ')}`);
  }
  console.log(
    `in Python: numpy.load('neighbors.npy', mmap_mode='r').shape == (${neighbors.rows}, ${neighbors.columns})`,
  );
  index.close();
} finally {
  await rm(folder, { recursive: true });
}
