import { readFileSync } from 'node:fs';
import { SemanticIndex } from 'semantic-index';
import type { SearchEngine } from '../engine.js';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

export const engine: SearchEngine = {
  library: `semantic-index ${version}`,
  modes: ['text', 'vector', 'hybrid'],
  fusion: 'sum of scores',
  batchSize: 20_000,
  embeds: true,
  persistent: true,
  async open(folder) {
    const index = await SemanticIndex.open(folder);
    return {
      async add({ paragraphs }) {
        await index.addDocuments(
          paragraphs.map(({ id, text, source, number, bucket }) => ({
            id,
            text,
            metadata: { source, number, bucket },
          })),
        );
      },
      async build() {
        await index.optimize();
      },
      async search(mode, text, _vector, k, filter) {
        const { hits } = await index.search(text, {
          mode,
          k,
          ...(filter !== undefined && { where: { bucket: { $lt: filter.below } } }),
        });
        return hits as { id: string; text: string }[];
      },
      close: () => index.close(),
    };
  },
};
