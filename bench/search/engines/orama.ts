import { loadPeer, versionOf } from '../../speed/engine.js';
import { rowOf, type SearchEngine } from '../engine.js';

interface Orama {
  create(options: object): unknown;
  insertMultiple(db: unknown, documents: readonly object[], batchSize: number): Promise<string[]>;
  search(
    db: unknown,
    query: object,
  ):
    | Promise<{ hits: { document: { id: string; text: string } }[] }>
    | { hits: { document: { id: string; text: string } }[] };
}

export const engine: SearchEngine = {
  library: versionOf('@orama/orama'),
  modes: ['text', 'vector', 'hybrid'],
  fusion: 'sum of normalized scores',
  batchSize: 5_000,
  persistent: false,
  async open(_folder, dimensions) {
    const { create, insertMultiple, search } = await loadPeer<Orama>('@orama/orama');
    const db = create({
      schema: {
        text: 'string',
        source: 'string',
        number: 'number',
        bucket: 'number',
        embedding: `vector[${dimensions}]`,
      },
      components: { tokenizer: { stemming: true, language: 'english' } },
    });
    return {
      async add({ paragraphs, vectors }) {
        const documents = paragraphs.map((paragraph, row) => ({
          ...paragraph,
          embedding: Array.from(rowOf(vectors, row, dimensions)),
        }));
        await insertMultiple(db, documents, 500);
      },
      build: async () => {},
      async search(mode, text, vector, k, filter) {
        const { hits } = await search(db, {
          mode: mode === 'text' ? 'fulltext' : mode,
          ...(mode !== 'vector' && { term: text, properties: ['text'] }),
          ...(mode !== 'text' && { vector: { value: Array.from(vector), property: 'embedding' }, similarity: 0 }),
          ...(filter !== undefined && { where: { bucket: { lt: filter.below } } }),
          limit: k,
          includeVectors: false,
        });
        return hits.map(({ document: { id, text } }) => ({ id, text }));
      },
      close: async () => {},
    };
  },
};
