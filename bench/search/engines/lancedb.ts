import { loadPeer, versionOf } from '../../speed/engine.js';
import { type Found, rowOf, type SearchEngine } from '../engine.js';

interface Query {
  limit(k: number): Query;
  distanceType(type: string): Query;
  ef(count: number): Query;
  refineFactor(factor: number): Query;
  select(columns: string[]): Query;
  where(condition: string): Query;
  fullTextSearch(query: string, options: { columns: string[] }): Query;
  nearestTo(vector: Float32Array): Query;
  rerank(reranker: unknown): Query;
  toArray(): Promise<Found[]>;
}

interface Table {
  createIndex(column: string, options: { config: unknown }): Promise<void>;
  add(rows: unknown): Promise<unknown>;
  query(): Query;
}

interface Connection {
  createTable(name: string, rows: unknown): Promise<Table>;
  openTable(name: string): Promise<Table>;
  tableNames(): Promise<string[]>;
  close(): void;
}

interface Lance {
  connect(path: string): Promise<Connection>;
  Index: { hnswSq(options: object): unknown; fts(options: object): unknown };
  rerankers: { RRFReranker: { create(constant: number): Promise<unknown> } };
}

export const engine: SearchEngine = {
  library: versionOf('@lancedb/lancedb'),
  modes: ['text', 'vector', 'hybrid'],
  fusion: 'reciprocal ranks',
  batchSize: 20_000,
  persistent: true,
  async open(folder, dimensions) {
    const { connect, Index, rerankers } = await loadPeer<Lance>('@lancedb/lancedb');
    const db = await connect(folder);
    let table = (await db.tableNames()).includes('items') ? await db.openTable('items') : undefined;
    const reranker = await rerankers.RRFReranker.create(60);
    return {
      async add({ paragraphs, vectors }) {
        const rows = paragraphs.map((paragraph, row) => ({
          ...paragraph,
          vector: Array.from(rowOf(vectors, row, dimensions)),
        }));
        if (table === undefined) table = await db.createTable('items', rows);
        else await table.add(rows);
      },
      async build() {
        await table?.createIndex('text', {
          config: Index.fts({ withPosition: false, stem: true, removeStopWords: true }),
        });
        await table?.createIndex('vector', { config: Index.hnswSq({ distanceType: 'cosine' }) });
      },
      async search(mode, text, vector, k, filter) {
        let query = (table as Table).query();
        if (mode !== 'text') query = query.nearestTo(vector).distanceType('cosine').ef(64).refineFactor(2);
        if (mode !== 'vector') query = query.fullTextSearch(text, { columns: ['text'] });
        if (mode === 'hybrid') query = query.rerank(reranker);
        if (filter !== undefined) query = query.where(`bucket < ${filter.below}`);
        const columns = ['id', 'text', mode === 'vector' ? '_distance' : '_score'];
        const found = await (mode === 'hybrid' ? query : query.select(columns)).limit(k).toArray();
        return found.map(({ id, text }) => ({ id, text }));
      },
      close: async () => db.close(),
    };
  },
};
