// The lower layer alone: vectors in, neighbours out, in files that Spotify's annoy reads and writes.
//
//   npx tsx examples/annoy-index.ts
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnnoyIndex } from 'semantic-index';

const [items, dimensions] = [2000, 32];
const folder = mkdtempSync(join(tmpdir(), 'annoy-'));
let state = 7;
const random = (): number => {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return state / 2 ** 31 - 1;
};

const index = new AnnoyIndex(dimensions, 'angular');
for (let item = 0; item < items; item++) index.addItem(item, Array.from({ length: dimensions }, random));
await index.build(10, { seed: 42 });
await index.save(join(folder, 'vectors.ann'));
await index.close();

// In another program, or in Python: AnnoyIndex(32, 'angular').load('vectors.ann')
const loaded = await AnnoyIndex.open(join(folder, 'vectors.ann'));
const own = loaded.getNnsByItem(17, 3, { includeDistances: true });
console.log(`${loaded.getNItems()} items, ${loaded.getNTrees()} trees; nearest to 17: ${own.items.join(', ')}`);
const query = Float32Array.from({ length: dimensions }, random);
const nearest = loaded.getNnsByVector(query, 10, { searchK: items * 10 });
for (const searchK of [200, 1000, 5000]) {
  const found = new Set(loaded.getNnsByVector(query, 10, { searchK }));
  console.log(`searchK ${searchK} finds ${[...nearest].filter((item) => found.has(item)).length} of the 10 nearest`);
}
await loaded.close();
rmSync(folder, { recursive: true });
