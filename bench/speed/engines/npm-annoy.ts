import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildInput, type Built, type Engine, loadPeer, versionOf } from '../engine.js';

interface Annoy {
  addItem(item: number, vector: readonly number[]): void;
  build(trees: number): void;
  save(path: string): boolean;
  getNNsByVector(vector: readonly number[], n: number, searchK: number, includeDistances: false): number[];
}

async function build({ vectors, count, dimensions, folder, settings }: BuildInput): Promise<Built<number[]>> {
  const Index = await loadPeer<new (f: number, metric: string) => Annoy>('annoy');
  const index = new Index(dimensions, 'Angular');
  for (let item = 0; item < count; item++) {
    index.addItem(item, Array.from(vectors.subarray(item * dimensions, (item + 1) * dimensions)));
  }
  index.build(Number(settings.trees));
  const path = join(folder, 'index.ann');
  index.save(path);
  return {
    prepare: (query) => Array.from(query),
    search: (query, k, searchK) => index.getNNsByVector(query, k, searchK, false),
    bytes: { file: statSync(path).size },
    close() {},
  };
}

export const engine: Engine = { build: build as Engine['build'], library: versionOf('annoy') };
