import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  SemanticIndex,
  type SyncResult,
  syncFolder,
  type WatchEvent,
  type WatchOptions,
  watch,
} from '../../src/index.js';
import { deterministicProvider } from '../../src/testing.js';

/** 1000 in the long run: SEMANTIC_INDEX_WATCHED_CHANGES=1000 npm test -- test/rag/watch.test.ts */
const changes = Number(process.env.SEMANTIC_INDEX_WATCHED_CHANGES ?? 60);
const changesPerRound = 20;
const provider = deterministicProvider();
const open = (path = ':memory:') => SemanticIndex.open(path, { provider });

/** Numbers from 0 to 1, the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function contentOf(index: SemanticIndex): Promise<Map<unknown, string>> {
  const all = new Map<unknown, string>();
  for await (const { id, text, metadata } of index.documents()) all.set(id, JSON.stringify([text, metadata]));
  return all;
}

/** What an index has that was made of a directory from the beginning. */
async function freshContent(folder: string): Promise<Map<unknown, string>> {
  const index = await open();
  await syncFolder(index, folder);
  const content = await contentOf(index);
  await index.close();
  return content;
}

const filesIn = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).filter(
    (name) => !name.startsWith('.git/') && name !== '.git' && statSync(join(folder, name)).isFile(),
  );

function write(folder: string, name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}

function git(folder: string, ...args: string[]): void {
  const own = ['-c', 'user.name=test', '-c', 'user.email=test@example.org', '-c', 'init.defaultBranch=main'];
  execFileSync('git', [...own, ...args], { cwd: folder, stdio: 'ignore' });
}

describe('watch', () => {
  let folder: string;
  let index: SemanticIndex;
  const events: WatchEvent[] = [];
  const options: WatchOptions = { debounce: 60, onEvent: (event) => events.push(event) };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'semantic-index-'));
    index = await open(join(folder, 'index'));
  });
  afterAll(async () => {
    await index.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('ends in the index of a fresh synchronization, whatever changes', { timeout: 600_000 }, async () => {
    const tree = join(folder, 'tree');
    mkdirSync(tree);
    git(tree, 'init', '-q');
    for (let at = 0; at < 30; at++) write(tree, `docs/${at % 4}/${at}.md`, `# Title ${at}\n\nText number ${at}.\n`);
    write(tree, '.gitignore', 'ignored/\n');
    write(tree, 'ignored/no.md', 'never read');
    git(tree, 'add', '-A');
    git(tree, 'commit', '-qm', 'one');
    for (let at = 0; at < 30; at += 2) write(tree, `docs/${at % 4}/${at}.md`, `# Other ${at}\n\nAnother text ${at}.\n`);
    for (let at = 0; at < 10; at++) write(tree, `more/${at}.py`, `def f${at}():\n    return ${at}\n`);
    git(tree, 'rm', '-qr', 'docs/3');
    git(tree, 'add', '-A');
    git(tree, 'commit', '-qm', 'two');
    const random = randomNumbers(7);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    let counter = 0;
    const names = () => filesIn(tree).filter((name) => /\.(?:md|py)$/.test(name) && !name.startsWith('ignored'));
    const change = (): void => {
      const all = names();
      const kind = random();
      counter++;
      if (all.length < 5 || kind < 0.3)
        write(tree, `docs/${counter % 5}/new ${counter}.md`, `# New\n\nText ${counter}.\n`);
      else if (kind < 0.55)
        write(tree, pick(all), `# Edited\n\nEdit ${counter}. ${'More words. '.repeat(counter % 50)}\n`);
      else if (kind < 0.7) renameSync(join(tree, pick(all)), join(tree, `renamed ${counter}.md`));
      else if (kind < 0.82) rmSync(join(tree, pick(all)));
      else if (kind < 0.86) {
        const from = join(tree, dirname(pick(all)));
        if (from !== tree && existsSync(from)) renameSync(from, join(tree, `moved ${counter}`));
      } else if (kind < 0.88) {
        const gone = dirname(pick(all));
        if (gone !== '.') rmSync(join(tree, gone), { recursive: true });
      } else if (kind < 0.92) write(tree, `.semanticignore`, `docs/${counter % 5}/\n`);
      else if (kind < 0.96) git(tree, 'checkout', '-qf', random() < 0.5 ? 'main' : 'main~1');
      else {
        // As editors save: a new file takes the place of the old one.
        const name = pick(all);
        write(tree, `${name}.tmp`, `# Saved\n\nSaved ${counter}.\n`);
        renameSync(join(tree, `${name}.tmp`), join(tree, name));
      }
    };
    await using watched = watch(index, tree, options);
    expect((await watched.ready).skipped).toEqual([]);
    for (let done = 0; done < changes; done += changesPerRound) {
      for (let at = 0; at < changesPerRound; at++) {
        change();
        if (random() < 0.2) await sleep(random() * 150);
      }
      const expected = await freshContent(tree);
      const same = async () => {
        const content = await contentOf(index);
        return content.size === expected.size && [...expected].every(([id, text]) => content.get(id) === text);
      };
      await expect.poll(same, { timeout: 20_000, interval: 100 }).toBe(true);
    }
    expect(events.filter(({ type }) => type === 'error')).toEqual([]);
    const types = events.map(({ type }) => type);
    expect(types[0] === 'ready' || types[0] === 'change').toBe(true);
    await watched.close();
    expect(events.at(-1)).toEqual({ type: 'close' });
    await watched.close();
    expect(events.filter(({ type }) => type === 'close')).toHaveLength(1);
  });

  it('reads nothing again after a restart but what has changed', async () => {
    const tree = join(folder, 'kept');
    for (let at = 0; at < 40; at++) write(tree, `${at}.md`, `# Kept ${at}\n\nText ${at}.\n`);
    // So old that another change has another time.
    await sleep(200);
    const once = async (): Promise<SyncResult> => {
      await using watched = watch(index, tree, { debounce: 20 });
      return await watched.ready;
    };
    expect(await once()).toMatchObject({ read: 40, sources: { added: 40 } });
    expect(await once()).toMatchObject({ read: 0, embedded: 0, sources: { unchanged: 40 } });
    write(tree, '3.md', '# Kept 3\n\nAnother text.\n');
    // The same bytes, written again: read, and not embedded.
    write(tree, '4.md', '# Kept 4\n\nText 4.\n');
    rmSync(join(tree, '5.md'));
    renameSync(join(tree, '6.md'), join(tree, 'six.md'));
    await sleep(200);
    expect(await once()).toMatchObject({
      read: 3,
      embedded: 1,
      sources: { added: 1, updated: 1, unchanged: 37, deleted: 2 },
    });
    expect(await once()).toMatchObject({ read: 0, sources: { unchanged: 39 } });
    // A file that keeps its size and its time of modification has another time of change.
    execFileSync('sh', ['-c', 'touch -r 7.md ref && printf "# Kept 7\\n\\nTexT 7.\\n" > 7.md && touch -r ref 7.md'], {
      cwd: tree,
    });
    await sleep(200);
    expect(await once()).toMatchObject({ read: 1, sources: { updated: 1 } });
  });

  it('does not trust the times of a file that has just been written', async () => {
    const tree = join(folder, 'new');
    write(tree, 'a.md', '# First text');
    await syncFolder(index, tree);
    write(tree, 'a.md', '# Other text');
    expect(await syncFolder(index, tree)).toMatchObject({ read: 1, sources: { updated: 1 } });
  });

  it('reports errors and goes on', async () => {
    const tree = join(folder, 'broken');
    write(tree, 'a.md', '# A\n\nApples.\n');
    const seen: WatchEvent[] = [];
    await using watched = watch(index, tree, { debounce: 30, onEvent: (event) => seen.push(event) });
    await watched.ready;
    write(tree, 'b.pdf', 'not a PDF');
    const skipped = () =>
      seen.some((event) => event.type === 'sync' && event.result.skipped[0]?.code === 'INVALID_FILE');
    await expect.poll(skipped, { timeout: 10_000 }).toBe(true);
    write(tree, 'c.md', '# C\n\nCherries.\n');
    const found = async () => (await index.search('cherries', { k: 1, mode: 'text' })).hits.length;
    await expect.poll(found, { timeout: 10_000 }).toBe(1);
    const change = seen.find((event) => event.type === 'change');
    expect(change).toMatchObject({ changed: [join(tree, 'b.pdf')], gone: [] });
  });

  it('rejects what it cannot watch', async () => {
    const missing = watch(index, join(folder, 'nothing here'), { onEvent: (event) => events.push(event) });
    await expect(missing.ready).rejects.toMatchObject({ code: 'IO' });
    expect(events.at(-1)).toMatchObject({ type: 'error', error: { code: 'IO' } });
    await missing.close();
    expect(() => watch(index, '')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => watch(index, folder, { debounce: -1 })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => watch(index, folder, { debounc: 1 } as never)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION' }),
    );
    const aborted = watch(index, folder, { signal: AbortSignal.abort(new Error('no')) });
    await expect(aborted.ready).rejects.toThrow();
    await aborted.close();
  });
});
