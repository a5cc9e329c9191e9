import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadPeer, versionOf } from '../../speed/engine.js';
import { rowOf, type SearchEngine } from '../engine.js';

interface Hit {
  readonly id: string;
  readonly fields: { readonly text: string };
}

interface Collection {
  insertSync(documents: readonly object[]): { ok?: boolean; code?: string; message?: string }[];
  query(query: object): Promise<Hit[]>;
  multiQuery(query: object): Promise<Hit[]>;
  optimize(): Promise<void>;
  closeSync(): void;
}

interface Zvec {
  ZVecCreateAndOpen(path: string, schema: unknown): Collection;
  ZVecOpen(path: string): Collection;
  ZVecCollectionSchema: new (schema: object) => unknown;
  ZVecDataType: Record<string, number>;
  ZVecIndexType: Record<string, number>;
  ZVecMetricType: Record<string, number>;
}

const insertedAtOnce = 1_000;

export const engine: SearchEngine = {
  library: versionOf('@zvec/zvec'),
  modes: ['text', 'vector', 'hybrid'],
  fusion: 'reciprocal ranks',
  batchSize: 20_000,
  persistent: true,
  async open(folder, dimensions) {
    const zvec = await loadPeer<Zvec>('@zvec/zvec');
    const { ZVecDataType: type, ZVecIndexType: index, ZVecMetricType: metric } = zvec;
    const path = join(folder, 'collection');
    const schema = new zvec.ZVecCollectionSchema({
      name: 'items',
      vectors: {
        name: 'embedding',
        dataType: type.VECTOR_FP32,
        dimension: dimensions,
        indexParams: { indexType: index.HNSW, metricType: metric.COSINE },
      },
      fields: [
        {
          name: 'text',
          dataType: type.STRING,
          indexParams: {
            indexType: index.FTS,
            filters: ['lowercase', 'stemmer'],
            extraParams: '{"stemmer_lang":"english"}',
          },
        },
        { name: 'bucket', dataType: type.INT64, indexParams: { indexType: index.INVERT } },
      ],
    });
    const collection = existsSync(path) ? zvec.ZVecOpen(path) : zvec.ZVecCreateAndOpen(path, schema);
    return {
      async add({ paragraphs, vectors }) {
        for (let first = 0; first < paragraphs.length; first += insertedAtOnce) {
          const statuses = collection.insertSync(
            paragraphs.slice(first, first + insertedAtOnce).map(({ id, text, bucket }, row) => ({
              id,
              vectors: { embedding: rowOf(vectors, first + row, dimensions) },
              fields: { text, bucket },
            })),
          );
          const failed = statuses.find(({ ok }) => ok === false);
          if (failed !== undefined) throw new Error(`zvec: ${failed.code} ${failed.message}`);
        }
      },
      build: () => collection.optimize(),
      async search(mode, text, vector, k, filter) {
        const byWords = { fieldName: 'text', fts: { matchString: text } };
        const byVector = { fieldName: 'embedding', vector };
        const common = {
          topk: k,
          outputFields: ['text'],
          ...(filter !== undefined && { filter: `bucket < ${filter.below}` }),
        };
        const found =
          mode === 'hybrid'
            ? await collection.multiQuery({ queries: [byWords, byVector], ...common })
            : await collection.query({ ...(mode === 'text' ? byWords : byVector), ...common });
        return found.map(({ id, fields }) => ({ id, text: fields.text }));
      },
      close: async () => collection.closeSync(),
    };
  },
};
