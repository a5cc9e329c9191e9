import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SemanticIndex } from '../../../src/index.js';
import { sqlite } from '../../../src/store/sqlite/sqlite.js';
import { deterministicProvider } from '../../../src/testing.js';

const provider = deterministicProvider({ dimensions: 16 });
const folder = mkdtempSync(join(tmpdir(), 'semantic-index-json-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

/** An index with the document `a`, changed by another program. */
async function changed(sql: string, value: string): Promise<string> {
  const directory = join(folder, `${count++}`);
  const index = await SemanticIndex.open(directory, { provider, ann: { background: false } });
  await index.addDocuments([{ id: 'a', text: 'some words', metadata: { n: 1 } }]);
  await index.close();
  const db = new (sqlite())(join(directory, 'index.db'));
  expect(db.prepare(sql).run(value).changes).toBe(1);
  db.close();
  return directory;
}

describe.each([['{"n": 1'], ['�I�|>'], ['17'], ['[1]'], ['null']])('metadata %j in index.db', (json) => {
  it('is refused as CORRUPT by everything that returns the document', async () => {
    const directory = await changed('UPDATE documents SET metadata = ?', json);
    await using index = await SemanticIndex.open(directory, { provider, ann: { background: false } });
    const damaged = { code: 'CORRUPT', message: expect.stringContaining('metadata of document "a"') };
    await expect(index.getDocument('a')).rejects.toMatchObject(damaged);
    await expect(index.search('some words', { mode: 'vector' })).rejects.toMatchObject(damaged);
    await expect(index.listDocuments()).rejects.toMatchObject(damaged);
    await expect(index.documents().next()).rejects.toMatchObject(damaged);
  });
});
