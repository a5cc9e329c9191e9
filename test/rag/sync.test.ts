import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deterministicProvider } from '../../src/embed/deterministic-provider.js';
import { SemanticIndexError } from '../../src/errors.js';
import { type ChunkMetadata, chunkDocuments, type SourceDocument } from '../../src/rag/chunk-documents.js';
import { chunkSentences } from '../../src/rag/chunk-sentences.js';
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
  it('embeds what is new, and only that', async () => {
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

  it('gives chunks that only move their new lines without embedding them', async () => {
    await using index = await open();
    await sync(index, [{ id: 'a.md', text: '# One\n\nFirst.\n\n# Two\n\nSecond.\n' }]);
    const moved = await sync(index, [
      { id: 'a.md', text: '# New\n\nZeroth.\n\n# One\n\nFirst.\n\n# Two\n\nSecond.\n' },
    ]);
    expect(moved).toMatchObject({ chunks: { added: 1, updated: 2, unchanged: 0, deleted: 0 }, embedded: 1 });
    const [second] = (await index.listDocuments({ where: { 'chunk.headings': { $contains: 'Two' } } })).documents;
    expect(second?.metadata.chunk).toMatchObject({ startLine: 9, endLine: 11, headings: ['Two'] });
  });

  it('sees a change of nested metadata, and none in the order of members', async () => {
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

  it('cleans up as it is told', async () => {
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

  it('keeps sets of sources apart', async () => {
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
          expect(planned).toEqual({ chunks, sources, embedded, tokens: 0 });
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

  it('tells chunks with the same words in one source apart', async () => {
    await using index = await open();
    const result = await sync(index, [{ id: 'a.md', text: '# A\n\nSame.\n\n# A\n\nSame.\n' }]);
    expect(result).toMatchObject({ chunks: { added: 2 }, embedded: 1 });
    expect(await index.count()).toBe(2);
  });

  it('refuses a source twice, reserved names and what is no source', async () => {
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

  it('deletes nothing more when the sources fail', async () => {
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

describe('chunkDocuments', () => {
  it('puts the headings above a chunk before its text', () => {
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
  it('reads texts in order, without what is hidden, linked or of another kind', async () => {
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
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
