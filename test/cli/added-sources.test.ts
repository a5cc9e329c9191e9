import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AddedSources, type AddFlags, type AddTotal, isIncomplete } from '../../src/cli/sources/added-sources.js';
import { fieldDefaults } from '../../src/cli/sources/document-fields.js';
import { textEndings } from '../../src/cli/sources/find-files.js';
import { Terminal } from '../../src/cli/terminal.js';
import { deterministicProvider } from '../../src/embed/testing/deterministic-provider.js';
import { findDuplicates, SemanticIndex, SemanticIndexError } from '../../src/index.js';
import { storedNotes } from '../../src/semantic-index.js';
import { scratchFolder } from './run-cli.js';

const flags: AddFlags = { ...fieldDefaults, ext: textEndings, onInvalid: 'error', batchSize: 512 };

/** A folder that the process works in until the test ends, and an index in memory. */
async function workplace() {
  const home = await realpath(scratchFolder());
  const before = process.cwd();
  process.chdir(home);
  onTestFinished(() => process.chdir(before));
  const index = await SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions: 8 }) });
  onTestFinished(() => index.close());
  const add = (names: string[], more: Partial<AddFlags> = {}): Promise<AddTotal> =>
    new AddedSources(
      index,
      ':memory:',
      { ...flags, ...more },
      new Terminal({ quiet: true }),
      new AbortController().signal,
    ).add(names);
  const sources = (): Promise<string[]> => index[storedNotes].sources(undefined);
  const write = (path: string, text: string | Uint8Array = `About ${path}.\n`): void => {
    mkdirSync(join(home, path, '..'), { recursive: true });
    writeFileSync(join(home, path), text);
  };
  return { home, index, add, sources, write };
}

/** Runs as a user who has no rights, where the process is root. */
async function withoutRights<T>(home: string, work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  for (const path of ['', ...(readdirSync(home, { recursive: true }) as string[])])
    chownSync(join(home, path), 65534, 65534);
  process.seteuid?.(65534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

describe('add', () => {
  it('adds a file once, by whatever path and through whatever links it is named', async () => {
    const { home, add, sources, write } = await workplace();
    write('docs/a.md');
    write('outside/b.md');
    symlinkSync('a.md', join(home, 'docs/same.md'));
    symlinkSync('..', join(home, 'docs/up'));
    symlinkSync(join(home, 'outside'), join(home, 'docs/linked'));
    const total = await add(['docs/a.md', './docs/../docs/a.md', join(home, 'docs/a.md'), 'docs', 'docs/*.md']);
    expect(total.files?.sources).toMatchObject({ added: 2 });
    expect(await sources()).toEqual(['docs/a.md', 'outside/b.md']);
    process.chdir(join(home, 'docs'));
    for (const name of ['a.md', 'same.md', '.', 'linked/b.md', '../outside']) {
      expect((await add([name])).files?.sources, name).toMatchObject({ added: 0, updated: 0, deleted: 0 });
    }
    expect(await sources()).toEqual(['docs/a.md', 'outside/b.md']);
  });

  it('brings other names of a file that an index has under the one name', async () => {
    const { home, index, add, sources, write } = await workplace();
    write('docs/a.md');
    await index[storedNotes].remember('base', home);
    const text = 'About docs/a.md.\n';
    const { sync } = await import('../../src/index.js');
    await sync(index, [
      { id: join(home, 'docs/a.md'), text },
      { id: 'docs/../docs/a.md', text },
      { id: 'https://example.org/a.md', text },
    ]);
    expect(await add(['docs'])).toMatchObject({ otherNames: 2, files: { embedded: 0 } });
    expect(await sources()).toEqual(['docs/a.md', 'https://example.org/a.md']);
  });

  it('keeps the names of an index that older versions made in the folder above it', async () => {
    const { home, index, add, sources, write } = await workplace();
    const { sync } = await import('../../src/index.js');
    write('docs/a.md');
    await sync(index, [{ id: 'docs/a.md', text: 'About docs/a.md.\n' }]);
    expect((await add([join(home, 'docs')])).files?.sources).toMatchObject({ unchanged: 1, added: 0 });
    expect(await sources()).toEqual(['docs/a.md']);
  });

  it('adds the rest when one file cannot be read, and names it', async () => {
    const { home, add, sources, write } = await workplace();
    for (const name of ['a', 'b', 'c']) write(`docs/${name}.md`);
    write('t.csv', 'text\none\n');
    write('u.csv', 'text\ntwo\n');
    for (const path of ['docs/b.md', 't.csv']) chmodSync(join(home, path), 0);
    await withoutRights(home, async () => {
      const total = await add(['docs', 't.csv', 'u.csv']);
      expect(total.unreadable).toEqual(['docs/b.md', 't.csv'].map((path) => ({ path, reason: 'permission denied' })));
      expect(total.records).toMatchObject({ added: 1 });
      expect(isIncomplete(total)).toBe(true);
    });
    expect(await sources()).toEqual(['docs/a.md', 'docs/c.md']);
  });

  it('says what a folder without text files has', async () => {
    const { add, write } = await workplace();
    for (const name of ['a.html', 'b.html', 'c.pdf', 'Makefile']) write(`web/${name}`);
    mkdirSync('void');
    const total = await add(['web', 'void']);
    expect(total.barren).toEqual([
      { name: 'web', leftOut: { '.html': 2, '.pdf': 1, 'without an ending': 1 } },
      { name: 'void', leftOut: {} },
    ]);
    expect(total.files).toBeUndefined();
  });

  it('reads text of other encodings, and reports what is none', async () => {
    const { index, add, write } = await workplace();
    write('docs/wide.txt', Buffer.from('\uFEFFZwei Jahre Garantie.\n', 'utf16le'));
    write('docs/latin.txt', Buffer.from('Straße gesperrt\n', 'latin1'));
    write('docs/picture.txt', Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3]));
    const total = await add(['docs']);
    expect(total).toMatchObject({
      skipped: ['docs/picture.txt'],
      undecodable: [{ path: 'docs/latin.txt', reason: expect.stringContaining('not UTF-8: line 1') }],
      files: { sources: { added: 1 } },
    });
    expect(isIncomplete(total)).toBe(true);
    expect(isIncomplete(await add(['docs'], { encoding: 'windows-1252' }))).toBe(false);
    const { documents } = await index.listDocuments();
    expect(documents.map(({ text }) => text)).toEqual(['Zwei Jahre Garantie.', 'Straße gesperrt']);
  });

  it('leaves out what dedupe deleted, in texts and in tables', async () => {
    const { index, add, write } = await workplace();
    for (const name of ['a', 'b']) write(`docs/${name}.md`, 'Send the parcel back.\n');
    write('table.csv', 'id,text\n1,One pear.\n2,One pear.\n');
    await add(['docs', 'table.csv']);
    await (await findDuplicates(index, { near: false })).apply('delete');
    expect(await index.count()).toBe(2);
    const again = await add(['docs', 'table.csv']);
    expect(again).toMatchObject({ files: { duplicates: 1 }, records: { leftOut: 1, added: 0 } });
    expect(await index.count()).toBe(2);
    await add(['docs', 'table.csv'], { restoreDuplicates: true });
    expect(await index.count()).toBe(4);
  });
});

it('leaves out records that are invalid or that the provider refuses, by file and line', async () => {
  const home = await realpath(scratchFolder());
  const path = join(home, 'a.csv');
  writeFileSync(path, 'id,text\n1,one\n2,\n3,bad\n4,four\n');
  const inner = deterministicProvider({ dimensions: 4 });
  const embed: typeof inner.embed = async (texts, options) => {
    if (texts.includes('bad')) throw new SemanticIndexError('INPUT_TOO_LONG', 'too long');
    return inner.embed(texts, options);
  };
  await using index = await SemanticIndex.open(':memory:', { provider: { ...inner, embed } });
  const terminal = new Terminal({ quiet: true });
  const signal = new AbortController().signal;
  const skipping = { ...flags, onInvalid: 'skip' } as const;
  const { records, invalid } = await new AddedSources(index, ':memory:', skipping, terminal, signal).add([path]);
  expect(records).toMatchObject({ added: 2 });
  expect(invalid.map(({ place, code }) => [place, code]).sort()).toEqual([
    [`${path}, line 3`, 'INVALID_TEXT'],
    [`${path}, line 4`, 'INPUT_TOO_LONG'],
  ]);
});

describe('add with prune', () => {
  it('removes what is gone, and only that', async () => {
    const { home, add, sources, write } = await workplace();
    for (const path of ['one/a.md', 'one/b.md', 'one/deep/c.md', 'two/d.md', 'two/e.md']) write(path);
    await add(['one', 'two']);
    unlinkSync('one/b.md');
    rmSync('one/deep', { recursive: true });
    unlinkSync('two/e.md');
    const total = await add([join(home, 'one')], { prune: true });
    expect(total).toMatchObject({ files: { sources: { deleted: 3 } }, kept: [] });
    expect(await sources()).toEqual(['one/a.md', 'two/d.md']);
    process.chdir('two');
    await add(['.'], { prune: true });
    expect(await sources()).toEqual(['one/a.md', 'two/d.md']);
  });

  it('keeps what is in a folder that cannot be listed', async () => {
    const { home, add, sources, write } = await workplace();
    for (const path of ['docs/a.md', 'docs/team/b.md', 'docs/team/deep/c.md', 'docs/d.md']) write(path);
    await add(['docs']);
    unlinkSync('docs/d.md');
    chmodSync('docs/team', 0);
    await withoutRights(home, async () => {
      for (const name of ['docs', join(home, 'docs'), 'docs/**/*.md']) {
        const total = await add([name], { prune: true });
        expect(total.unreadable, name).toEqual([
          { path: expect.stringContaining('docs/team'), reason: 'permission denied' },
        ]);
        expect(isIncomplete(total)).toBe(true);
      }
      expect((await add(['docs/team'], { prune: true })).unreadable).toHaveLength(1);
    });
    chmodSync('docs/team', 0o755);
    expect(await sources()).toEqual(['docs/a.md', 'docs/team/b.md', 'docs/team/deep/c.md']);
  });

  it('keeps what a link led to that leads nowhere now', async () => {
    const { home, add, sources, write } = await workplace();
    for (const path of ['docs/a.md', 'share/b.md', 'share/deep/c.md', 'other/d.md']) write(path);
    symlinkSync(join(home, 'share'), 'docs/share');
    symlinkSync(join(home, 'other/d.md'), 'docs/d.md');
    await add(['docs']);
    renameSync('share', 'away');
    renameSync('other', 'elsewhere');
    const total = await add(['docs'], { prune: true });
    expect(total.unreadable.map(({ path }) => path)).toEqual(['docs/d.md', 'docs/share']);
    expect(await sources()).toEqual(['docs/a.md', 'other/d.md', 'share/b.md', 'share/deep/c.md']);
  });

  it('keeps what was in a folder that is empty now, as an unmounted one is', async () => {
    const { add, sources, write } = await workplace();
    for (const path of ['docs/a.md', 'more/b.md']) write(path);
    await add(['docs', 'more']);
    renameSync('docs', 'away');
    mkdirSync('docs');
    const total = await add(['docs', 'more'], { prune: true });
    expect(total.kept).toEqual([{ source: 'docs/a.md', reason: expect.stringContaining('empty') }]);
    expect(isIncomplete(total)).toBe(true);
    expect(await sources()).toEqual(['docs/a.md', 'more/b.md']);
  });

  it('keeps what was on a file system that is not mounted now', async () => {
    const { home, index, add, sources, write } = await workplace();
    for (const path of ['docs/a.md', 'docs/disk/b.md', 'docs/disk/kept.txt']) write(path);
    await add(['docs']);
    await index[storedNotes].remember('mounts', JSON.stringify([join(home, 'docs/disk')]));
    unlinkSync('docs/disk/b.md');
    const total = await add(['docs'], { prune: true });
    expect(total.kept).toEqual([
      { source: 'docs/disk/b.md', reason: expect.stringContaining('no file system is mounted') },
    ]);
    expect(await sources()).toContain('docs/disk/b.md');
  });

  it('removes nothing when a name leads nowhere', async () => {
    const { add, sources, write } = await workplace();
    for (const path of ['docs/a.md', 'docs/b.md']) write(path);
    await add(['docs']);
    unlinkSync('docs/b.md');
    for (const names of [['docs', 'dosc'], ['docs', 'nothing/*.md'], ['docs/b.md']]) {
      const error = await add(names, { prune: true }).catch((thrown) => thrown);
      expect(SemanticIndexError.is(error, 'IO'), names.join()).toBe(true);
    }
    expect((await add(['docs/a.md', 'docs/a.m?'], { prune: false })).files?.sources.deleted).toBe(0);
    expect(await sources()).toEqual(['docs/a.md', 'docs/b.md']);
    const typo = await add(['dosc']).catch((thrown) => thrown);
    expect(typo.hint).toContain('Did you mean "docs"?');
  });

  it('keeps the chunks of a file that is not text any more', async () => {
    const { add, sources, write } = await workplace();
    write('docs/a.md');
    await add(['docs']);
    write('docs/a.md', Uint8Array.from([0, 1, 2]));
    expect(await add(['docs'], { prune: true })).toMatchObject({
      skipped: ['docs/a.md'],
      files: { sources: { deleted: 0 } },
    });
    expect(await sources()).toEqual(['docs/a.md']);
  });

  it('leaves exactly the files that exist, whatever came, went and was linked', { timeout: 240_000 }, async () => {
    const { home, index, add, sources, write } = await workplace();
    await index[storedNotes].remember('base', home);
    const names = ['a.md', 'b.txt', 'sub/c.md', 'sub/deep/d.rst', 'other/e.md'];
    const step = fc.record({
      what: fc.constantFrom('write', 'remove', 'link', 'add', 'prune'),
      which: fc.constantFrom(...names),
      other: fc.constantFrom(...names),
      from: fc.constantFrom('docs', 'docs/sub', '.'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await index.deleteDocuments(await index[storedNotes].chunkIds(undefined));
        rmSync(join(home, 'docs'), { recursive: true, force: true });
        write('docs/always.md');
        write('docs/sub/always.md');
        const [files, added] = [new Set(['always.md', 'sub/always.md']), new Set<string>()];
        for (const { what, which, other, from } of steps) {
          const path = join(home, 'docs', which);
          if (what === 'write') {
            rmSync(path, { force: true });
            write(`docs/${which}`, `${which} ${other}`);
            files.add(which);
          }
          if (what === 'remove') {
            rmSync(path, { force: true });
            files.delete(which);
          }
          if (what === 'link' && !files.has(which) && files.has(other)) {
            mkdirSync(join(path, '..'), { recursive: true });
            rmSync(path, { force: true });
            symlinkSync(join(home, 'docs', other), path);
          }
          if (what === 'add' || what === 'prune') {
            process.chdir(join(home, from === '.' ? '' : from));
            const total = await add([join(home, 'docs')], { prune: what === 'prune' });
            process.chdir(home);
            for (const file of files) added.add(file);
            const dangling = total.unreadable.length > 0;
            if (what === 'prune' && !dangling) for (const file of added) if (!files.has(file)) added.delete(file);
            if (!dangling) expect(await sources()).toEqual([...added].map((file) => `docs/${file}`).sort());
            for (const file of files) expect(await sources()).toContain(`docs/${file}`);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
