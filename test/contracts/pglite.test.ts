import { afterAll, beforeAll } from 'vitest';
import type { PostgresPool } from '../../src/options.js';
import { testBackend } from './backend.js';
import { testRefusals } from './postgres-refusals.js';
import { openIndexInPostgres, openInPostgres, openPglite } from './postgres-stores.js';
import { testSearches } from './searches.js';
import { testTextFields } from './text-fields.js';

// Starting it takes seconds: one database, a schema for each test.
let pool: PostgresPool & { readonly end: () => Promise<void> };
beforeAll(async () => {
  pool = await openPglite();
}, 120_000);
afterAll(() => pool.end());

testBackend('PGlite', () => openInPostgres(pool, false));
testSearches('PGlite', () => openIndexInPostgres(pool));
testTextFields('PGlite', (options) => openIndexInPostgres(pool, options));
testRefusals('PGlite', () => pool);
