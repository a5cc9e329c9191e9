import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findDuplicates } from '../../src/dedupe/find-duplicates.js';
import { deterministicProvider } from '../../src/embed/testing/deterministic-provider.js';
import { SemanticIndexError } from '../../src/errors.js';
import { type ChunkMetadata, chunkDocuments, type SourceDocument } from '../../src/rag/chunking/chunk-documents.js';
import { chunkSentences } from '../../src/rag/chunking/chunk-sentences.js';
import { readFolder } from '../../src/rag/read-folder.js';
import { sync } from '../../src/rag/sync.js';
import { SemanticIndex } from '../../src/semantic-index.js';

const open = (): Promise<SemanticIndex<ChunkMetadata>> =>
  SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions: 16 }) });
const none = { added: 0, updated: 0, unchanged: 0, deleted: 0 };

async function everything(index: SemanticIndex<ChunkMetadata>): Promise<Map<string, unknown>> {
  const { documents } = await index.listDocuments({ limit: 10_000 });
  return new Map(documents.map(({ id, ...rest }) => [String(id), rest]));
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error) => (SemanticIndexError.is(error) ? error.code : String(error)),
  );
}

const guide = (steps: readonly string[]): SourceDocument => ({
  id: 'guide.md',
  text: `# Guide\n\n${steps.map((step, n) => `## ${step.split(' ')[0]} ${n}\n\n${step}`).join('\n\n')}\n`,
});

describe('sync', () => {
  it('embeds only new chunks', async () => {
    await using index = await open();
    const steps = ['Open the box.', 'Remove the foil.', 'Close the lid.'];
    const first = await sync(index, [guide(steps)]);
    expect(first).toMatchObject({ sources: { ...none, added: 1 }, chunks: { ...none, added: 3 }, embedded: 3 });
    expect(await sync(index, [guide(steps)])).toMatchObject({
      sources: { ...none, unchanged: 1 },
      chunks: { ...none, unchanged: 3 },
      embedded: 0,
      tokens: 0,
    });
    const changed = await sync(index, [guide(['Open the box.', 'Wait a minute.', 'Close the lid.'])]);
    // The last chunk has not changed its text, but its neighbour is another one.
    expect(changed).toMatchObject({ sources: { ...none, updated: 1 }, embedded: 1 });
    expect(changed.chunks).toEqual({ added: 1, updated: 2, unchanged: 0, deleted: 1 });
    expect(await index.count()).toBe(3);
  });

  it('updates the lines of moved chunks without embedding them', async () => {
    await using index = await open();
    await sync(index, [{ id: 'a.md', text: '# One\n\nFirst.\n\n# Two\n\nSecond.\n' }]);
    const moved = await sync(index, [
      { id: 'a.md', text: '# New\n\nZeroth.\n\n# One\n\nFirst.\n\n# Two\n\nSecond.\n' },
    ]);
    expect(moved).toMatchObject({ chunks: { added: 1, updated: 2, unchanged: 0, deleted: 0 }, embedded: 1 });
    const [second] = (await index.listDocuments({ where: { 'chunk.headings': { $contains: 'Two' } } })).documents;
    expect(second?.metadata.chunk).toMatchObject({ startLine: 9, endLine: 11, headings: ['Two'] });
  });

  it('detects changes of nested metadata, but ignores member order', async () => {
    await using index = await open();
    const source = (metadata: SourceDocument['metadata']): SourceDocument[] => [
      { id: 'a.txt', text: 'Some text.', metadata },
    ];
    await sync(index, source({ author: { name: 'Ada', tags: [1, { deep: true }] }, year: 1843 }));
    expect(await sync(index, source({ year: 1843, author: { tags: [1, { deep: true }], name: 'Ada' } }))).toMatchObject(
      {
        chunks: { unchanged: 1 },
      },
    );
    expect(
      await sync(index, source({ year: 1843, author: { tags: [1, { deep: false }], name: 'Ada' } })),
    ).toMatchObject({
      chunks: { updated: 1 },
      embedded: 0,
    });
    expect(await index.count({ where: { 'author.tags.1.deep': false } })).toBe(1);
  });

  it('deletes chunks according to cleanup', async () => {
    await using index = await open();
    const [a, b] = [
      { id: 'a.txt', text: 'Alpha.' },
      { id: 'b.txt', text: 'Beta.' },
    ] as const;
    const changed = { ...a, text: 'Another alpha.' };
    await index.addDocuments([{ id: 'note', text: 'No chunk.', metadata: { source: 'elsewhere' } as never }]);
    await sync(index, [a, b]);
    expect((await sync(index, [changed], { cleanup: 'none' })).chunks).toMatchObject({ added: 1, deleted: 0 });
    expect(await index.count()).toBe(4);
    expect((await sync(index, [changed])).chunks).toMatchObject({ unchanged: 1, deleted: 1 });
    expect(await index.count()).toBe(3);
    const full = await sync(index, [changed], { cleanup: 'full' });
    expect(full).toMatchObject({ sources: { unchanged: 1, deleted: 1 }, chunks: { unchanged: 1, deleted: 1 } });
    expect([...(await everything(index)).keys()].map((id) => id.split('#')[0]).sort()).toEqual(['a.txt', 'note']);
  });

  it('separates collections', async () => {
    await using index = await open();
    await sync(index, [{ id: 'a.txt', text: 'One.' }], { collection: 'first' });
    await sync(index, [{ id: 'b.txt', text: 'Two.' }], { collection: 'second', cleanup: 'full' });
    await sync(index, [], { cleanup: 'full' });
    expect(await index.count()).toBe(2);
    await sync(index, [], { collection: 'first', cleanup: 'full' });
    expect(await index.count({ where: { collection: 'second' } })).toBe(1);
    expect(await index.count()).toBe(1);
  });

  it('counts a dry run like a real one, and changes nothing', { timeout: 240_000 }, async () => {
    const word = fc.constantFrom('red', 'green', 'blue', 'stone', 'river');
    const text = fc
      .array(fc.array(word, { minLength: 1, maxLength: 4 }), { maxLength: 6 })
      .map((paragraphs) => paragraphs.map((words) => words.join(' ')).join('\n\n'));
    const folder = fc.dictionary(fc.constantFrom('a.md', 'b.txt', 'c.md'), text);
    const cleanup = fc.constantFrom('none', 'incremental', 'full');
    const sourcesOf = (files: { [id: string]: string }): SourceDocument[] =>
      Object.entries(files).map(([id, content]) => ({ id, text: content }));
    const chunker = ({ text }: SourceDocument) => chunkSentences(text, { sentences: 1 });
    await fc.assert(
      fc.asyncProperty(
        folder,
        folder,
        cleanup,
        fc.integer({ min: 1, max: 4 }),
        async (before, after, how, batchSize) => {
          await using index = await open();
          await sync(index, sourcesOf(before), { chunker });
          const held = await everything(index);
          const { dryRun, ...planned } = await sync(index, sourcesOf(after), { cleanup: how, chunker, dryRun: true });
          expect(dryRun).toBe(true);
          expect(await everything(index)).toEqual(held);
          const { chunks, sources, embedded } = await sync(index, sourcesOf(after), {
            cleanup: how,
            chunker,
            batchSize,
          });
          expect(planned).toEqual({ chunks, sources, embedded, tokens: 0, read: 0, skipped: [], duplicates: 0 });
          // What is there now is what a new index would hold, and with less cleaning also what was there before.
          const wanted = new Map(
            sourcesOf(after).flatMap((source) =>
              chunkDocuments(source, () => chunker(source)).map(({ id, ...rest }) => [id, rest] as const),
            ),
          );
          for (const [id, rest] of held) {
            const source = id.slice(0, id.indexOf('#'));
            const stays = how === 'none' || (how === 'incremental' && !(source in after));
            if (stays && !wanted.has(id)) wanted.set(id, rest as never);
          }
          expect(await everything(index)).toEqual(wanted);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('restores chunks that were changed since the last run', { timeout: 240_000 }, async () => {
    const word = fc.constantFrom('red', 'green', 'blue', 'stone');
    const text = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('\n\n'));
    const files = fc.dictionary(fc.constantFrom('a.md', 'b.txt', 'a.md#x', 'c'), text, { minKeys: 1 });
    const meddling = fc.array(
      fc.record({ how: fc.constantFrom('delete', 'metadata', 'stray', 'none'), which: fc.nat(5) }),
      { maxLength: 3 },
    );
    const sourcesOf = (content: { [id: string]: string }): SourceDocument[] =>
      Object.entries(content).map(([id, one]) => ({ id, text: one }));
    await fc.assert(
      fc.asyncProperty(files, files, meddling, fc.boolean(), async (before, after, changes, twice) => {
        await using index = await open();
        await sync(index, sourcesOf(before));
        if (twice) await sync(index, sourcesOf(before));
        for (const { how, which } of changes) {
          const { documents } = await index.listDocuments({ limit: 100 });
          const chosen = documents[which % documents.length];
          if (chosen === undefined) continue;
          if (how === 'delete') await index.deleteDocuments(chosen.id);
          if (how === 'metadata') {
            await index.updateMetadata([{ id: chosen.id, metadata: { ...chosen.metadata, owner: 'somebody' } }]);
          }
          if (how === 'stray') await index.addDocuments([{ ...chosen, id: `stray-${which}`, text: `${chosen.text}!` }]);
        }
        await sync(index, sourcesOf(after), { cleanup: 'full' });
        await using fresh = await open();
        await sync(fresh, sourcesOf(after));
        expect(await everything(index)).toEqual(await everything(fresh));
        const again = await sync(index, sourcesOf(after), { cleanup: 'full' });
        expect(again).toMatchObject({ chunks: { added: 0, updated: 0, deleted: 0 }, embedded: 0 });
      }),
      { numRuns: 60 },
    );
  });

  it('does not chunk unchanged sources again', async () => {
    await using index = await open();
    const sources = Array.from({ length: 40 }, (_, n) => guide([`Step ${n} is here.`, 'Close the lid.'])).map(
      (source, n) => ({ ...source, id: `${n}.md` }),
    );
    const first = await sync(index, sources);
    let cuts = 0;
    const counting = sources.map((source) => ({
      ...source,
      // Hashing reads the text once; cutting reads it many times more.
      get text(): string {
        cuts++;
        return source.text;
      },
    }));
    const again = await sync(index, counting);
    expect(again.chunks).toEqual({ ...none, unchanged: first.chunks.added });
    const readsOfUnchanged = cuts;
    cuts = 0;
    await using other = await open();
    await sync(other, counting);
    expect(readsOfUnchanged).toBeLessThan(cuts);
  });

  it('keeps deletions and links of de-duplication', async () => {
    await using index = await open();
    const files = (extra = ''): SourceDocument[] => [
      { id: 'a.txt', text: `Send it back.${extra}` },
      { id: 'b.txt', text: 'Send it back.' },
      { id: 'c.txt', text: 'Open on weekdays.' },
    ];
    await sync(index, files());
    await (await findDuplicates(index, { near: false })).apply('delete');
    expect(await index.count()).toBe(2);
    expect(await sync(index, files())).toMatchObject({
      duplicates: 1,
      sources: { ...none, unchanged: 3 },
      chunks: { ...none, unchanged: 2 },
    });
    expect(await index.count()).toBe(2);
    // The text that stayed for both changes: the other one is needed again.
    expect(await sync(index, files(' Soon.'))).toMatchObject({ duplicates: 0, chunks: { added: 2, deleted: 1 } });
    expect((await index.listDocuments()).documents.map((document) => document.text).sort()).toEqual([
      'Open on weekdays.',
      'Send it back.',
      'Send it back. Soon.',
    ]);

    await sync(index, files());
    await (await findDuplicates(index, { near: false })).apply('delete');
    expect(await index.count({ where: { source: 'a.txt' } })).toBe(0);
    const others = files().filter(({ id }) => id !== 'b.txt');
    expect(await sync(index, others, { cleanup: 'full' })).toMatchObject({ duplicates: 0, sources: { deleted: 1 } });
    expect(await index.count({ where: { source: 'a.txt' } })).toBe(1);

    await sync(index, files(), { restoreDuplicates: true });
    await (await findDuplicates(index, { near: false })).apply('link');
    expect(await index.count({ where: { duplicateOf: { $exists: true } } })).toBe(1);
    await sync(index, files());
    expect(await index.count({ where: { duplicateOf: { $exists: true } } })).toBe(1);
  });

  it('adds deleted duplicates again with restore', async () => {
    await using index = await open();
    const sources = ['a.txt', 'b.txt'].map((id) => ({ id, text: 'The same.' }));
    await sync(index, sources);
    await (await findDuplicates(index, { near: false })).apply('delete');
    expect(await sync(index, sources, { restoreDuplicates: true })).toMatchObject({ chunks: { added: 1 } });
    expect(await sync(index, sources)).toMatchObject({ duplicates: 0, chunks: { unchanged: 2 } });
  });

  it('distinguishes chunks with the same text in one source', async () => {
    await using index = await open();
    const result = await sync(index, [{ id: 'a.md', text: '# A\n\nSame.\n\n# A\n\nSame.\n' }]);
    expect(result).toMatchObject({ chunks: { added: 2 }, embedded: 1 });
    expect(await index.count()).toBe(2);
  });

  it.each([undefined, null, 'a text', { text: 'without an id' }])('refuses %j as a source of chunks', (given) => {
    const refusal = { code: 'INVALID_ARGUMENT', message: expect.stringMatching(/^Expected a source, got /) };
    expect(() => chunkDocuments(given as never)).toThrow(expect.objectContaining(refusal));
  });

  it('refuses duplicate sources, reserved names and values that are not sources', async () => {
    await using index = await open();
    const source = { id: 'a.txt', text: 'Text.' };
    expect(await codeOf(sync(index, [source, source]))).toBe('DUPLICATE_ID');
    expect(await codeOf(sync(index, [{ ...source, metadata: { chunk: 1 } }]))).toBe('INVALID_METADATA');
    expect(await codeOf(sync(index, [{ ...source, text: 7 as never }]))).toBe('INVALID_TEXT');
    expect(await codeOf(sync(index, [{ id: '', text: '' }]))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(sync(index, {} as never))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(sync(index, [source], { cleanup: 'all' as 'full' }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(sync(index, [source], { dryrun: true } as object))).toBe('UNKNOWN_OPTION');
  });

  it('deletes nothing when the sources fail', async () => {
    await using index = await open();
    await sync(index, [
      { id: 'a.txt', text: 'Alpha.' },
      { id: 'b.txt', text: 'Beta.' },
    ]);
    async function* failing(): AsyncGenerator<SourceDocument> {
      yield { id: 'a.txt', text: 'Alpha.' };
      throw new Error('the disk is gone');
    }
    await expect(sync(index, failing(), { cleanup: 'full' })).rejects.toThrow('the disk is gone');
    expect(await index.count()).toBe(2);
  });
});

describe('readFolder with sync', () => {
  it('reports files that are not text and keeps their chunks', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'semantic-index-'));
    try {
      await writeFile(join(folder, 'bom.md'), '\uFEFF# Returns\n\nSend it back.\n');
      await writeFile(join(folder, 'wide.txt'), Buffer.from('\uFEFFTwo years.\n', 'utf16le'));
      await writeFile(join(folder, 'latin.txt'), 'Closed.\n');
      await using index = await open();
      await sync(index, readFolder(folder));
      await writeFile(join(folder, 'latin.txt'), Buffer.from('Straße gesperrt.\n', 'latin1'));
      await writeFile(join(folder, 'picture.txt'), Buffer.from([137, 80, 78, 71, 0, 1]));
      const { skipped, chunks } = await sync(index, readFolder(folder), { cleanup: 'full' });
      expect(skipped).toMatchObject([
        { id: 'latin.txt', reason: 'it is not UTF-8: line 1 has the byte 0xdf at offset 4', kind: 'undecodable' },
        { id: 'picture.txt', reason: 'it is not text but a PNG image', kind: 'binary' },
      ]);
      expect(chunks).toEqual({ ...none, unchanged: 2 });
      expect((await index.listDocuments()).documents.map((document) => document.text).sort()).toEqual([
        '# Returns\n\nSend it back.',
        'Closed.',
        'Two years.',
      ]);
      expect(await sync(index, readFolder(folder, { encoding: 'latin1' }))).toMatchObject({
        skipped: [{ id: 'picture.txt' }],
        chunks: { added: 1, deleted: 1 },
      });
      expect(await codeOf(sync(index, readFolder(folder, { onInvalid: 'error' })))).toBe('INVALID_FILE');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('chunkDocuments', () => {
  it('prepends the headings above a chunk to its text', () => {
    const [, second] = chunkDocuments({ id: 'a.md', text: '# One\n\nFirst.\n\n## Two\n\nSecond.\n' });
    expect(second?.text).toBe('One\n## Two\n\nSecond.');
    const { start, end } = second?.metadata?.chunk ?? { start: 0, end: 0 };
    expect(second?.text.slice(-(end - start))).toBe('## Two\n\nSecond.');
  });

  it('links chunks with their neighbours', () => {
    const documents = chunkDocuments({ id: 'a.md', text: '# One\n\nFirst.\n\n# Two\n\nSecond.\n\n# Three\n\nThird.' });
    const [first, second, third] = documents.map(({ id }) => id);
    expect(documents.map(({ metadata }) => [metadata?.chunk.previous, metadata?.chunk.next])).toEqual([
      [undefined, second],
      [first, third],
      [second, undefined],
    ]);
  });
});

describe('readFolder', () => {
  it('reads text files in order, without hidden files, links and other extensions', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'semantic-index-'));
    try {
      await mkdir(join(folder, 'b'));
      await mkdir(join(folder, 'node_modules'));
      const files = { 'z.md': 'Z', 'b/a.TXT': 'A', 'b/picture.png': 'P', '.hidden.md': 'H', 'node_modules/x.md': 'X' };
      for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
      await symlink(folder, join(folder, 'loop'));
      const found: SourceDocument[] = [];
      for await (const source of readFolder(folder)) found.push(source);
      expect(found).toEqual([
        { id: 'b/a.TXT', text: 'A' },
        { id: 'z.md', text: 'Z' },
      ]);
      expect(await codeOf(readFolder(join(folder, 'nowhere')).next())).toBe('IO');
      expect(await codeOf(readFolder('').next())).toBe('INVALID_ARGUMENT');
      expect(await codeOf(readFolder(folder, { encoding: 'none' }).next())).toBe('INVALID_ARGUMENT');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
