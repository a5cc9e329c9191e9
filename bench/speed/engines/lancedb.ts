import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildInput, type Built, type Engine, loadPeer, versionOf } from '../engine.js';

interface Query {
  limit(k: number): Query;
  distanceType(type: string): Query;
  nprobes(count: number): Query;
  ef(count: number): Query;
  refineFactor(factor: number): Query;
  select(columns: string[]): Query;
  toArray(): Promise<{ item: number }[]>;
}

interface Table {
  createIndex(column: string, options: { config: unknown }): Promise<void>;
  add(rows: unknown): Promise<unknown>;
  vectorSearch(query: Float32Array): Query;
}

interface Lance {
  connect(path: string): Promise<{ createTable(name: string, rows: unknown): Promise<Table>; close(): void }>;
  Index: { ivfPq(options: object): unknown; hnswSq(options: object): unknown };
}

const rowsPerCall = 20_000;

function folderBytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

async function build({ vectors, count, dimensions, folder, settings }: BuildInput): Promise<Built<Float32Array>> {
  const { connect, Index } = await loadPeer<Lance>('@lancedb/lancedb');
  const db = await connect(folder);
  let table: Table | undefined;
  for (let first = 0; first < count; first += rowsPerCall) {
    const rows = Array.from({ length: Math.min(rowsPerCall, count - first) }, (_, row) => {
      const item = first + row;
      return { item, vector: Array.from(vectors.subarray(item * dimensions, (item + 1) * dimensions)) };
    });
    if (table === undefined) table = await db.createTable('items', rows);
    else await table.add(rows);
  }
  const indexed = table as Table;
  const graph = settings.index === 'hnsw-sq';
  await indexed.createIndex('vector', {
    config: graph ? Index.hnswSq({ distanceType: 'cosine' }) : Index.ivfPq({ distanceType: 'cosine' }),
  });
  return {
    prepare: (query) => query,
    async search(query, k, effort) {
      let search = indexed.vectorSearch(query).distanceType('cosine').limit(k).select(['item', '_distance']);
      search = graph ? search.ef(effort).refineFactor(2) : search.nprobes(effort).refineFactor(10);
      return (await search.toArray()).map(({ item }) => item);
    },
    bytes: { folder: folderBytes(folder) },
    close: () => db.close(),
  };
}

export const engine: Engine = { build: build as Engine['build'], library: versionOf('@lancedb/lancedb') };
