import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deterministicProvider } from '../../../src/embed/testing/deterministic-provider.js';
import { SemanticIndex } from '../../../src/semantic-index.js';
import { AnnoyIndex } from '../../../src/vectors/annoy/annoy-index.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const provider = deterministicProvider({ dimensions: 16 });
const documents = Array.from({ length: 1_300 }, (_, n) => ({
  id: n % 2 === 0 ? n : `id ${n}`,
  text: `text ${n} – ${'words '.repeat(n % 5)}`,
  ...(n % 3 === 0 ? { metadata: { n, nested: { even: n % 2 === 0 } } } : {}),
}));
const given = { id: 'given', text: 'own vector', vector: Float32Array.from({ length: 16 }, (_, i) => i + 1) };

describe.each(['folder', ':memory:'])('an index in %s', (where) => {
  it('is exported and imported without the model', async () => {
    await using index = await SemanticIndex.open(where === 'folder' ? join(folder, 'a') : where, { provider });
    await index.addDocuments([...documents, given]);
    const target = join(folder, 'export');
    expect(await index.exportTo(target)).toEqual({ documents: 1_301, lost: [] });
    const counted = deterministicProvider({ dimensions: 16 });
    await using copy = await SemanticIndex.open(join(folder, 'b'), { provider: counted });
    expect(await copy.importFrom(target)).toMatchObject({ added: 1_301, embedded: 0 });
    expect(counted.answered.texts).toBe(0);
    expect(await copy.importFrom(target)).toMatchObject({ added: 0, unchanged: 1_301 });
    expect(await copy.addDocuments(documents)).toMatchObject({ unchanged: 1_300, embedded: 0 });
    const [one, two] = [[], []] as unknown[][];
    for await (const document of index.documents()) one!.push(document);
    for await (const document of copy.documents()) two!.push(document);
    expect(two).toEqual(one);
    const options = { k: 20, exact: true, mode: 'vector' } as const;
    expect((await copy.search('text 77', options)).hits).toEqual((await index.search('text 77', options)).hits);
  });
});

describe('an export', () => {
  it('is refused where it does not belong, and when it is damaged', async () => {
    await using index = await SemanticIndex.open(join(folder, 'a'), { provider });
    const target = join(folder, 'export');
    await expect(index.exportTo(target)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await index.addDocuments(documents);
    await index.exportTo(target);
    await expect(index.exportTo(target)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const other = deterministicProvider({ dimensions: 16, seed: 5 });
    await using wrong = await SemanticIndex.open(join(folder, 'b'), { provider: other });
    await expect(wrong.importFrom(target)).rejects.toMatchObject({ code: 'SPACE_MISMATCH' });
    await using euclidean = await SemanticIndex.open(join(folder, 'c'), { provider, metric: 'euclidean' });
    await expect(euclidean.importFrom(target)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await using fresh = await SemanticIndex.open(join(folder, 'd'), { provider: null });
    await expect(fresh.importFrom(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'IO' });
    truncateSync(join(target, 'documents.jsonl'), 5_000);
    await expect(fresh.importFrom(target)).rejects.toMatchObject({ code: 'INVALID_FILE' });
    writeFileSync(join(target, 'manifest.json'), '{');
    await expect(fresh.importFrom(target)).rejects.toMatchObject({ code: 'INVALID_FILE' });
  });

  it('as an Annoy file has the documents in the order of its ids', async () => {
    await using index = await SemanticIndex.open(join(folder, 'a'), { provider });
    await index.addDocuments(documents);
    await index.deleteDocuments([0, 2, 4]);
    const path = join(folder, 'all.ann');
    expect(await index.exportTo(path, { format: 'annoy' })).toEqual({ documents: 1_297, lost: [] });
    const ids = readFileSync(`${path}.ids.jsonl`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(ids).toHaveLength(1_297);
    const annoy = await AnnoyIndex.open(path);
    const { vectors } = await provider.embed([documents[77]!.text], { role: 'document' });
    const [nearest] = annoy.getNnsByVector(vectors[0]!, 1, { searchK: 10_000 });
    expect(ids[nearest!]).toBe(documents[77]!.id);
    annoy.close();
  });
});
