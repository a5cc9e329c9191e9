import { describe, it } from 'vitest';
import { testBackend } from './backend.js';
import { openIndexOfPostgresShards, openShardsInPostgres } from './postgres-stores.js';
import { testSearches } from './searches.js';
import { testTextFields } from './text-fields.js';

const address = process.env.SEMANTIC_INDEX_POSTGRES;

if (address === undefined) {
  describe('two shards of a server', () => {
    it.skip('needs SEMANTIC_INDEX_POSTGRES: the address of a database with pgvector', () => {});
  });
} else {
  testBackend('two shards of a server', () => openShardsInPostgres(address, 2));
  testSearches('two shards of a server', () => openIndexOfPostgresShards(address, 2), true);
  testTextFields('two shards of a server', (options) => openIndexOfPostgresShards(address, 2, options), true);
}
