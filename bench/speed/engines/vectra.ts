import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildInput, type Built, type Engine, loadPeer, versionOf } from '../engine.js';

interface VectraIndex {
  createIndex(): Promise<void>;
  beginUpdate(): Promise<void>;
  endUpdate(): Promise<void>;
  insertItem(item: { vector: number[]; metadata: { item: number } }): Promise<unknown>;
  queryItems(vector: number[], query: string, k: number): Promise<{ item: { metadata: { item: number } } }[]>;
}

async function build({ vectors, count, dimensions, folder }: BuildInput): Promise<Built<number[]>> {
  const { LocalIndex } = await loadPeer<{ LocalIndex: new (folder: string) => VectraIndex }>('vectra');
  const index = new LocalIndex(folder);
  await index.createIndex();
  await index.beginUpdate();
  for (let item = 0; item < count; item++) {
    const vector = Array.from(vectors.subarray(item * dimensions, (item + 1) * dimensions));
    await index.insertItem({ vector, metadata: { item } });
  }
  await index.endUpdate();
  return {
    prepare: (query) => Array.from(query),
    search: async (query, k) => (await index.queryItems(query, '', k)).map(({ item }) => item.metadata.item),
    bytes: { file: statSync(join(folder, 'index.json')).size },
    close() {},
  };
}

export const engine: Engine = { build: build as Engine['build'], library: versionOf('vectra') };
