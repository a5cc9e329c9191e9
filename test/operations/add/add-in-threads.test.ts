import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { unpackTerms } from '../../../src/analysis/packed-terms.js';
import { bundledProvider } from '../../../src/embed/bundled/bundled-provider.js';
import { deterministicProvider } from '../../../src/embed/testing/deterministic-provider.js';
import { SemanticIndex } from '../../../src/semantic-index.js';
import { sqlite } from '../../../src/store/sqlite/sqlite.js';
import type { AddResult, DocumentInput, EmbeddingProvider } from '../../../src/types.js';

const folder = mkdtempSync(join(tmpdir(), 'add-in-threads-'));
afterAll(() => rmSync(folder, { recursive: true }));

const sentence =
  'the pears of the old orchard ripen late, and the quinces with them; the medlars stay on the tree until a frost.';
const documents: DocumentInput[] = Array.from({ length: 700 }, (_, n) => ({
  id: `document ${n}`,
  text: `Paragraph ${n} of C++20 and the café at 10.0.0.${n}: ${sentence} ${n % 50 === 0 ? '猫 🍐' : ''}`,
  metadata: { n },
}));
/** Two with the same text, and one with a vector of its own. */
const mixed: DocumentInput[] = [
  ...documents.slice(0, 600),
  { id: 'same', text: documents[3]!.text as string },
  { id: 'given', text: 'a vector of its own', vector: Float32Array.from({ length: 384 }, (_, n) => n + 1) },
];

interface Content {
  readonly result: AddResult;
  /** Hash and vector, and the terms that the catalog stores, of each id. */
  readonly documents: ReadonlyMap<string, { vector: string; terms: string }>;
}

/** Everything that adding the batches leaves in a new index. */
async function contentOf(
  batches: readonly (readonly DocumentInput[])[],
  batchSize: number,
  provider: EmbeddingProvider = bundledProvider(),
): Promise<Content> {
  const path = mkdtempSync(join(folder, 'index-'));
  const index = await SemanticIndex.open(path, { provider, ann: { background: false } });
  let result: AddResult | undefined;
  for (const batch of batches) result = await index.addDocuments([...batch], { batchSize });
  await index.close();
  const db = new (sqlite())(join(path, 'index.db'), { readonly: true });
  const terms = new Map<number, string>();
  for (const row of db.prepare('SELECT first_key, data FROM tail_terms').all() as {
    first_key: number;
    data: Buffer;
  }[]) {
    const rows = unpackTerms(row.data, row.first_key);
    for (let document = 0; document < rows.keys.length; document++) {
      const entries: string[] = [`length ${rows.lengths[document]}`];
      for (let entry = rows.starts[document]!; entry < rows.starts[document + 1]!; entry++) {
        entries.push(`${rows.dictionary[rows.terms[entry]!]} ${rows.frequencies[entry]}`);
      }
      terms.set(rows.keys[document]!, entries.join('\n'));
    }
  }
  const sql = 'SELECT d.id, d.key, v.data FROM documents d JOIN vectors v ON v.vector = d.vector ORDER BY d.key';
  const found = db.prepare(sql).all() as { id: string; key: number; data: Buffer }[];
  db.close();
  const stored = found.map(
    ({ id, key, data }) => [id, { vector: data.toString('hex'), terms: terms.get(key)! }] as const,
  );
  return { result: result!, documents: new Map(stored) };
}

describe('adding many documents', () => {
  it('stores the same vectors and terms as adding few at a time', async () => {
    const [many, few] = [await contentOf([mixed], 512), await contentOf([mixed], 16)];
    expect(many.documents.size).toBe(mixed.length);
    expect(many).toEqual(few);
    expect([...many.documents.values()].every(({ terms }) => terms.includes('\n'))).toBe(true);
  });

  it('stores the terms of what changed, among unchanged documents', async () => {
    const changed = documents.map((document, n) =>
      n % 3 === 0 ? { ...document, text: `${document.text as string} Changed.` } : document,
    );
    const batches = [documents.slice(0, 500), [...changed, { id: 'same', text: documents[7]!.text as string }]];
    const [many, few] = [await contentOf(batches, 700), await contentOf(batches, 16)];
    expect(many).toEqual(few);
    expect(many.result).toMatchObject({ added: 201, updated: 167, unchanged: 333 });
  });

  it('analyzes the texts of another provider', async () => {
    const provider = deterministicProvider();
    const [many, few] = [await contentOf([documents], 512, provider), await contentOf([documents], 16, provider)];
    expect(many).toEqual(few);
  });

  it('leaves out duplicates, with the terms of the others', async () => {
    const index = await SemanticIndex.open(':memory:');
    const twice = documents.flatMap((document) => [
      document,
      { id: `${document.id as string} again`, text: `${(document.text as string).toUpperCase()} !` },
    ]);
    const { added, duplicates } = await index.addDocuments(twice, { onDuplicate: 'skip', threshold: 0.9999 });
    expect(added).toBeGreaterThan(600);
    expect(added + (duplicates?.length ?? 0)).toBe(twice.length);
    for (const n of [0, 3, 350, 699]) {
      const { hits } = await index.search(`10.0.0.${n}`, { mode: 'text', k: 1 });
      expect(hits[0]?.id).toBe(`document ${n}`);
    }
    await index.close();
  });

  it('can be aborted', async () => {
    const index = await SemanticIndex.open(':memory:');
    const controller = new AbortController();
    const adding = index.addDocuments(documents, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(adding).rejects.toThrow('enough');
    expect((await index.addDocuments(documents)).added).toBe(700);
    await index.close();
  });

  it('rejects when a stream fails whose batches share texts', async () => {
    await using index = await SemanticIndex.open(mkdtempSync(join(folder, 'index-')), { ann: { background: false } });
    function* stream(): Generator<DocumentInput> {
      for (let round = 0; round < 4; round++) {
        for (const document of documents.slice(0, 500)) yield { ...document, id: `${round} ${String(document.id)}` };
      }
      throw new Error('the source failed');
    }
    await expect(index.addDocuments(stream(), { batchSize: 500 })).rejects.toThrow('the source failed');
    expect(await index.count()).toBe(2000);
    const result = await index.addDocuments([...documents, { text: 'a text of its own' }], { batchSize: 300 });
    expect(result).toMatchObject({ added: 701, embedded: 201 });
  });

  it('rejects when a batch is refused while others wait for its vectors', async () => {
    await using index = await SemanticIndex.open(mkdtempSync(join(folder, 'index-')), { ann: { background: false } });
    const controller = new AbortController();
    const adding = index.addDocuments(
      Array.from({ length: 3000 }, (_, n) => ({ id: n, text: documents[n % 500]!.text as string })),
      { batchSize: 500, signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) },
    );
    await expect(adding).rejects.toThrow('enough');
    expect(await index.count()).toBe(500);
  });
});
