import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildInput, type Built, type Engine, loadPeer, versionOf } from '../engine.js';

interface UsearchIndex {
  add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
  search(vector: Float32Array, k: number, threads: number): { keys: BigUint64Array };
  save(path: string): void;
  load(path: string): void;
}

interface UsearchOptions {
  metric: string;
  dimensions: number;
  quantization: string;
  connectivity: number;
  expansion_add: number;
  expansion_search: number;
  multi: boolean;
}

const rowsPerCall = 10_000;

async function build({ vectors, count, dimensions, threads, folder, settings }: BuildInput): Promise<Built> {
  const { Index } = await loadPeer<{ Index: new (options: UsearchOptions) => UsearchIndex }>('usearch');
  const open = (expansion: number) =>
    new Index({
      metric: 'cos',
      dimensions,
      quantization: String(settings.quantization),
      connectivity: Number(settings.connectivity),
      expansion_add: Number(settings.expansionAdd),
      expansion_search: expansion,
      multi: false,
    });
  let index = open(64);
  for (let first = 0; first < count; first += rowsPerCall) {
    const rows = Math.min(rowsPerCall, count - first);
    const keys = BigUint64Array.from({ length: rows }, (_, row) => BigInt(first + row));
    index.add(keys, vectors.subarray(first * dimensions, (first + rows) * dimensions), threads);
  }
  const path = join(folder, 'index.usearch');
  index.save(path);
  return {
    prepare: (query) => query,
    // The expansion of searches is set when an index is made.
    turn(expansion) {
      index = open(expansion);
      index.load(path);
    },
    search: (query, k) => Array.from(index.search(query as Float32Array, k, 1).keys, Number),
    bytes: { file: statSync(path).size },
    close() {},
  };
}

export const engine: Engine = { build, library: versionOf('usearch') };
