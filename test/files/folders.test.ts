import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { deterministicProvider } from '../../src/embed/testing/deterministic-provider.js';
import { walkFolder } from '../../src/files/folders/walk-folder.js';
import { type ChunkMetadata, SemanticIndex, type SyncResult, syncFolder } from '../../src/index.js';
import { docx, pdf } from './sample-files.js';

const home = mkdtempSync(join(tmpdir(), 'semantic-index-'));
afterAll(() => rmSync(home, { recursive: true }));

let folders = 0;
function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = join(home, `f${folders++}`);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

async function found(folder: string, from = folder): Promise<string[]> {
  const { files } = await walkFolder(from, { takes: () => true });
  return files.map(({ real }) => relative(folder, real)).sort();
}

describe('walkFolder', () => {
  it('leaves out exactly what git ignores', async () => {
    const names = fc.constantFrom('a', 'b', 'c.txt', 'd.md', 'build');
    const path = fc.array(names, { minLength: 1, maxLength: 3 }).map((steps) => steps.join('/'));
    const pattern = fc
      .tuple(
        fc.constantFrom('', '!', '/'),
        fc.oneof(path, fc.constantFrom('*.md', '*.txt', '**/c.txt', 'a/**', 'build', '**/b/', '[ab]', '# c.txt', 'c*')),
        fc.constantFrom('', '/'),
      )
      .map((parts) => parts.join(''));
    const rules = fc.array(pattern, { maxLength: 5 }).map((lines) => `${lines.join('\n')}\n`);
    const property = fc.asyncProperty(
      fc.uniqueArray(path, { maxLength: 8 }),
      rules,
      rules,
      async (paths, top, inner) => {
        // A path cannot be both a file and a folder.
        const files = paths.filter((one) => !paths.some((other) => other.startsWith(`${one}/`)));
        const folder = folderOf({
          '.gitignore': top,
          ...Object.fromEntries(files.map((file) => [file, 'x'])),
          ...(files.some((file) => file.startsWith('a/')) && { 'a/.gitignore': inner }),
        });
        execFileSync('git', ['init', '-q', folder]);
        const listed = execFileSync('git', ['ls-files', '-o', '--exclude-standard'], { cwd: folder, encoding: 'utf8' });
        const expected = listed.split('\n').filter((file) => file !== '' && !file.endsWith('.gitignore'));
        expect(await found(folder)).toEqual(expected.sort());
      },
    );
    await fc.assert(property, { numRuns: 25 });
  });

  it('lets .semanticignore override .gitignore and the defaults, and reads rules above in a repository', async () => {
    const folder = folderOf({
      '.git/HEAD': 'ref: refs/heads/main\n',
      '.gitignore': 'drafts/\n*.log\n',
      '.semanticignore': '!drafts/\n!vendor.min.js\nsecret.md\n',
      'drafts/a.md': 'a',
      'docs/b.md': 'b',
      'docs/secret.md': 's',
      'docs/x.log': 'x',
      'docs/x.min.js': 'x',
      'vendor.min.js': 'x',
      'node_modules/p/a.md': 'x',
    });
    expect(await found(folder)).toEqual(['docs/b.md', 'drafts/a.md', 'vendor.min.js']);
    expect(await found(folder, join(folder, 'docs'))).toEqual(['docs/b.md']);
    const { files } = await walkFolder(folder, { takes: () => true, ignoreFiles: false });
    expect(files.map(({ path }) => relative(folder, path))).toEqual([
      'docs/b.md',
      'docs/secret.md',
      'docs/x.log',
      'drafts/a.md',
    ]);
  });
});

describe('syncFolder', () => {
  it('adds, updates and removes files of every format, and keeps what it cannot read', async () => {
    const folder = folderOf({
      'a.md': '# Returns\n\nWithin 30 days.\n',
      'b.docx': docx([['Warranty', 'Two years on lamps.']]),
      'sub/c.pdf': pdf([
        ['Delivery', 'Parcels take three days.'],
        ['Costs', 'It is free of charge.'],
      ]),
      'sub/d.py': 'def price():\n    return 1\n',
      'broken.docx': 'not a document',
      'picture.png': 'x',
    });
    symlinkSync(join(folder, 'a.md'), join(folder, 'same.md'));
    symlinkSync(folder, join(folder, 'sub/loop'));
    await using index = await SemanticIndex.open<ChunkMetadata>(':memory:', {
      provider: deterministicProvider({ dimensions: 8 }),
    });
    await index.addDocuments([{ id: 'own', text: 'a document that is not a chunk' }] as never);
    const run = (options = {}): Promise<SyncResult> => syncFolder(index, `${folder}/`, options);
    const first = await run();
    expect(first.sources).toMatchObject({ added: 4, deleted: 0 });
    expect(first.skipped).toMatchObject([
      { id: `${folder}/broken.docx`, code: 'INVALID_FILE', reason: expect.stringContaining('not a DOCX') },
    ]);
    const { hits } = await index.search('free of charge', { mode: 'text', k: 1 });
    expect(hits[0]?.metadata).toMatchObject({
      source: `${folder}/sub/c.pdf`,
      chunk: { page: 2, pageKind: 'page', headings: ['Annual report', 'Costs'] },
      file: { format: 'pdf', title: 'Annual report' },
    });
    expect(await index.count({ where: { 'file.format': 'code' } as never })).toBe(1);
    expect((await run()).sources).toEqual({ added: 0, updated: 0, unchanged: 4, deleted: 0 });
    // A file that is damaged later keeps its chunks; one that is gone loses them.
    writeFileSync(join(folder, 'b.docx'), 'damaged');
    writeFileSync(join(folder, 'sub/d.py'), 'def price():\n    return 2\n');
    rmSync(join(folder, 'sub/c.pdf'));
    const second = await run({ dryRun: true });
    expect(second.sources).toEqual({ added: 0, updated: 1, unchanged: 1, deleted: 1 });
    expect((await run()).sources).toEqual(second.sources);
    expect((await index.search('lamps', { mode: 'text' })).hits).toHaveLength(1);
    expect((await index.search('parcels', { mode: 'text' })).hits).toHaveLength(0);
    expect(await index.count()).toBe(4);
  });

  it('keeps sources of other directories, and of a directory that cannot be listed', async () => {
    const [one, two] = [
      folderOf({ 'a.md': 'first words' }),
      folderOf({ 'b.md': 'second words', 'deep/c.md': 'third words' }),
    ];
    await using index = await SemanticIndex.open<ChunkMetadata>(':memory:', {
      provider: deterministicProvider({ dimensions: 8 }),
    });
    await syncFolder(index, one);
    await syncFolder(index, two);
    expect(await index.count()).toBe(3);
    await expect(syncFolder(index, join(home, 'nowhere'))).rejects.toMatchObject({ code: 'IO' });
    await expect(syncFolder(index, one, { cleanup: 'all' as never })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(syncFolder(index, one, { size: 1 } as never)).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' });
    if (process.getuid?.() !== 0) {
      chmodSync(join(two, 'deep'), 0o000);
      const { skipped } = await syncFolder(index, two);
      chmodSync(join(two, 'deep'), 0o755);
      expect(skipped).toMatchObject([{ code: 'IO' }]);
    }
    expect(await index.count()).toBe(3);
  });
});
