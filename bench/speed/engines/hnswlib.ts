import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildInput, type Built, type Engine, loadPeer, versionOf } from '../engine.js';

interface Hierarchical {
  initIndex(options: { maxElements: number; m: number; efConstruction: number; randomSeed: number }): void;
  addPoint(vector: readonly number[], label: number): void;
  setEf(ef: number): void;
  searchKnn(vector: readonly number[], k: number): { neighbors: number[] };
  writeIndexSync(path: string): void;
}

async function build({ vectors, count, dimensions, folder, settings }: BuildInput): Promise<Built<number[]>> {
  const { HierarchicalNSW } = await loadPeer<{
    HierarchicalNSW: new (space: 'ip', dimensions: number) => Hierarchical;
  }>('hnswlib-node');
  // Rows have unit length, so the inner product orders as the cosine does, and saves hnswlib the normalising.
  const index = new HierarchicalNSW('ip', dimensions);
  index.initIndex({
    maxElements: count,
    m: Number(settings.m),
    efConstruction: Number(settings.efConstruction),
    randomSeed: 1,
  });
  for (let item = 0; item < count; item++) {
    index.addPoint(Array.from(vectors.subarray(item * dimensions, (item + 1) * dimensions)), item);
  }
  const path = join(folder, 'index.hnsw');
  index.writeIndexSync(path);
  return {
    prepare: (query) => Array.from(query),
    turn: (ef) => index.setEf(ef),
    search: (query, k) => index.searchKnn(query, k).neighbors,
    bytes: { file: statSync(path).size },
    close() {},
  };
}

export const engine: Engine = { build: build as Engine['build'], library: versionOf('hnswlib-node') };
