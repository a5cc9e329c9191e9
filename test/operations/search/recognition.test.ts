import { cpSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { bundledProvider } from '../../../src/embed/bundled/bundled-provider.js';
import { SemanticIndex } from '../../../src/semantic-index.js';
import { tinyStaticModel, tinyTokenizer } from '../../embed/bundled/tiny-static-model.js';
import { scratchDirectory } from '../../scratch-directory.js';

const words = ['the', 'fox', 'quick', 'jumps', 'part', 'covers', 'function', 'return'];
const open: SemanticIndex[] = [];

afterEach(async () => {
  for (const index of open.splice(0)) await index.close();
});

async function opened(path: string, folder: string): Promise<SemanticIndex> {
  const index = await SemanticIndex.open(path, { provider: bundledProvider({ folder }) });
  open.push(index);
  return index;
}

/** A directory with the name and the table of a model, and with other tokens for its words: another model behind its id. */
function changedBehindItsId(folder: string): string {
  const other = join(scratchDirectory('semantic-index-recognition-'), basename(folder));
  cpSync(folder, other, { recursive: true });
  writeFileSync(join(other, 'tokenizer.json'), JSON.stringify(tinyTokenizer([...words].reverse())));
  return other;
}

describe('the first search of a process', () => {
  it.each([
    ['a query by vector', { mode: 'vector' }],
    ['a query by both', { mode: 'hybrid' }],
  ] as const)('returns no hits of a model that changed behind its id, for %s', async (_, options) => {
    const { folder } = tinyStaticModel(words);
    const path = join(scratchDirectory('semantic-index-recognition-'), 'index');
    const first = await opened(path, folder);
    await first.addDocuments(['the quick fox', 'part covers part', 'function return']);
    expect((await first.search('the quick fox', options)).hits[0]?.text).toBe('the quick fox');
    await first.close();

    const changed = await opened(path, changedBehindItsId(folder));
    const searches = ['the quick fox', 'part covers', 'return'].map((query) => changed.search(query, options));
    for (const outcome of await Promise.allSettled(searches)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'SPACE_MISMATCH' } });
    }
    await expect(changed.search('fox', options)).rejects.toThrow(expect.objectContaining({ code: 'SPACE_MISMATCH' }));
    await expect(changed.tune({ queries: ['fox'] })).rejects.toThrow(
      expect.objectContaining({ code: 'SPACE_MISMATCH' }),
    );
    expect((await changed.search('fox', { mode: 'text' })).hits.map(({ text }) => text)).toEqual(['the quick fox']);
  });

  it('finds the same as later ones, with a model that is read for it', async () => {
    const { folder } = tinyStaticModel(words);
    const path = join(scratchDirectory('semantic-index-recognition-'), 'index');
    const first = await opened(path, folder);
    await first.addDocuments(['the quick fox', 'part covers part', 'function return']);
    await first.close();

    const again = await opened(path, folder);
    const hits = await again.search('the quick fox', { mode: 'vector' });
    expect(hits).toEqual(await again.search('the quick fox', { mode: 'vector' }));
    expect(hits.hits[0]?.text).toBe('the quick fox');
  });
});
