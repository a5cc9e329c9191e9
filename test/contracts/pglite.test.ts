import { afterAll, beforeAll } from 'vitest';
import type { PostgresPool } from '../../src/options.js';
import { testBackend } from './backend.js';
import { openInPostgres, openPglite } from './postgres-stores.js';

// Starting it takes seconds: one database, a schema for each test.
let pool: PostgresPool & { readonly end: () => Promise<void> };
beforeAll(async () => {
  pool = await openPglite();
}, 120_000);
afterAll(() => pool.end());

testBackend('PGlite', () => openInPostgres(pool, false));
