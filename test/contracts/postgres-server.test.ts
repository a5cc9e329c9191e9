import { afterAll, describe, it } from 'vitest';
import { testBackend } from './backend.js';
import { testRefusals } from './postgres-refusals.js';
import { openIndexInPostgres, openInPostgres, serverPool } from './postgres-stores.js';
import { testSearches } from './searches.js';
import { testTextFields } from './text-fields.js';

const pool = serverPool();

if (pool === undefined) {
  describe('PostgreSQL server', () => {
    it.skip('needs SEMANTIC_INDEX_POSTGRES: the address of a database with pgvector', () => {});
  });
} else {
  afterAll(() => pool.end());
  testBackend('PostgreSQL server', () => openInPostgres(pool, true));
  testSearches('PostgreSQL server', () => openIndexInPostgres(pool));
  testTextFields('PostgreSQL server', (options) => openIndexInPostgres(pool, options));
  testRefusals('PostgreSQL server', () => pool);
}
