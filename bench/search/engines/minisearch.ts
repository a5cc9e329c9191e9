import { loadPeer, versionOf } from '../../speed/engine.js';
import type { Found, SearchEngine } from '../engine.js';

interface MiniSearch {
  addAll(documents: readonly object[]): void;
  search(query: string, options: object): (Found & { bucket: number })[];
}

export const engine: SearchEngine = {
  library: versionOf('minisearch'),
  modes: ['text'],
  batchSize: 5_000,
  persistent: false,
  async open() {
    const Index = await loadPeer<new (options: object) => MiniSearch>('minisearch');
    const index = new Index({ fields: ['text'], storeFields: ['text', 'bucket'] });
    return {
      async add({ paragraphs }) {
        index.addAll(paragraphs);
      },
      build: async () => {},
      async search(_mode, text, _vector, k, filter) {
        const options =
          filter === undefined ? {} : { filter: ({ bucket }: { bucket: number }) => bucket < filter.below };
        return index
          .search(text, options)
          .slice(0, k)
          .map(({ id, text }) => ({ id, text }));
      },
      close: async () => {},
    };
  },
};
