import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Metric } from '../../../src/types.js';
import { AnnoyIndex } from '../../../src/vectors/annoy/annoy-index.js';
import { METRICS } from '../../../src/vectors/metric.js';
import { randomRows, temporaryFolder } from '../reference.js';

const folder = temporaryFolder();
const f = 8;

/** A built index of `count` items in memory. */
async function built(count: number, metric: Metric = 'euclidean', seed = 1, trees = 3): Promise<AnnoyIndex> {
  const index = new AnnoyIndex(f, metric, { seed });
  index.addItems(randomRows(count, f, metric, seed));
  await index.build(trees);
  return index;
}

async function save(name: string, ...args: Parameters<typeof built>): Promise<string> {
  const path = join(folder, name);
  const index = await built(...args);
  await index.save(path);
  index.close();
  return path;
}

const withoutSidecar = (path: string): void => rmSync(`${path}.meta.json`);

describe('a file without sidecar that was cut', () => {
  it.each(METRICS)('is refused or not valid at every node, for %s', async (metric) => {
    const cases = fc.record({
      // More than one list holds: of equal lists, fewer with their copies are a whole file.
      count: fc.integer({ min: 30, max: 400 }),
      trees: fc.integer({ min: 1, max: 12 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ count, trees, share }) => {
        const bytes = await (await built(count, metric, count, trees)).serialize();
        const node = metric === 'hamming' ? 24 : (metric === 'angular' ? 12 : 16) + 4 * f;
        const nodes = bytes.length / node;
        expect(Number.isInteger(nodes)).toBe(true);
        const path = join(folder, `cut-${metric}.ann`);
        writeFileSync(path, bytes.subarray(0, node * Math.max(1, Math.floor(share * (nodes - 1)))));
        const outcome = await AnnoyIndex.open(path, { f, metric }).then(
          async (index) => (await index.validate()).valid,
          (error) => error.code,
        );
        expect(['INVALID_FILE', false]).toContain(outcome);
      }),
      { numRuns: 12 },
    );
  });

  it('is not valid when it holds nothing but zeros', async () => {
    const path = join(folder, 'zeros.ann');
    writeFileSync(path, Buffer.alloc(48 * 1000));
    const index = await AnnoyIndex.open(path, { f, metric: 'euclidean' });
    expect((await index.validate()).valid).toBe(false);
  });
});

describe('a mapped file that is cut short', () => {
  it.each([
    ['getItemVector', (index: AnnoyIndex) => index.getItemVector(7)],
    ['getItemVectors', (index: AnnoyIndex) => index.getItemVectors()],
    ['getDistance', (index: AnnoyIndex) => index.getDistance(7, 8)],
    ['getNnsByItem', (index: AnnoyIndex) => index.getNnsByItem(7, 1)],
    ['getNnsByVector', (index: AnnoyIndex) => index.getNnsByVector(new Float32Array(f), 1)],
  ] as const)('makes %s fail with INVALID_FILE', async (_, call) => {
    const path = await save('shrinks.ann', 2000);
    const index = await AnnoyIndex.open(path);
    truncateSync(path, 0);
    expect(() => call(index)).toThrowError(expect.objectContaining({ code: 'INVALID_FILE' }));
  });
});

describe('a file that another program replaced', () => {
  it('is loaded by a lazy and by an unloaded index, with its own id and counts', async () => {
    const path = await save('daily.ann', 50, 'euclidean', 1);
    const lazy = await AnnoyIndex.open(path, { loadMode: 'lazy' });
    const unloaded = await AnnoyIndex.open(path);
    unloaded.unload();
    await save('daily.ann', 60, 'euclidean', 2);
    expect(lazy.getNItems()).toBe(60);
    const fresh = await AnnoyIndex.open(path);
    for (const index of [lazy, unloaded]) {
      expect(index.getNnsByItem(55, 1)[0]).toBe(55);
      expect(index.info()).toMatchObject({ id: fresh.info().id, seed: 2, items: 60 });
      expect((await AnnoyIndex.fromSnapshot(await index.toSnapshot({ mode: 'disk' }))).getNItems()).toBe(60);
    }
  });

  it.each([
    ['another size', 60],
    ['the same size', 50],
  ])('by a rename of a file of %s: needs f and metric, and says why', async (_, count) => {
    const path = await save('renamed.ann', 50, 'euclidean', 1);
    renameSync(await save('renamed-new.ann', count, 'euclidean', 2), path);
    await expect(AnnoyIndex.open(path)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      hint: expect.stringContaining('.meta.json'),
    });
    const index = new AnnoyIndex(f, 'euclidean');
    await index.load(path);
    expect(index.getNItems()).toBe(count);
    expect(index.info()).toMatchObject({
      id: undefined,
      seed: undefined,
      warning: expect.stringContaining('renamed.ann.meta.json'),
    });
    expect((await index.validate()).valid).toBe(false);
    // The sidecar that belongs to it makes all well.
    renameSync(join(folder, 'renamed-new.ann.meta.json'), `${path}.meta.json`);
    expect((await AnnoyIndex.open(path)).info()).toMatchObject({ seed: 2, warning: undefined });
  });

  it('is found by a disk snapshot of a file without sidecar', async () => {
    const path = await save('travels.ann', 50);
    withoutSidecar(path);
    const index = await AnnoyIndex.open(path, { f, metric: 'euclidean' });
    const snapshot = structuredClone(await index.toSnapshot({ mode: 'disk' }));
    expect((await AnnoyIndex.fromSnapshot(snapshot)).getNItems()).toBe(50);
    const other = await save('travels-new.ann', 50, 'euclidean', 2);
    renameSync(other, path);
    await expect(AnnoyIndex.fromSnapshot(snapshot)).rejects.toMatchObject({ code: 'INVALID_FILE' });
  });
});

describe('a symbolic link', () => {
  it('leads to sidecar and graph of the file, also when it is switched', async () => {
    const blue = await save('blue.ann', 300, 'angular', 1);
    const graph = await AnnoyIndex.open(blue);
    await graph.buildGraph();
    graph.close();
    await save('green.ann', 310, 'angular', 2);
    const link = join(folder, 'active.ann');
    symlinkSync('blue.ann', link);
    const index = await AnnoyIndex.open(link);
    expect(index.info()).toMatchObject({ items: 300, seed: 1, path: link, graph: { inUse: true } });
    await expect(AnnoyIndex.open(link, { f: f + 1, metric: 'dot' })).rejects.toMatchObject({
      code: 'DIMENSION_MISMATCH',
    });
    const lazy = await AnnoyIndex.open(link, { loadMode: 'lazy' });
    rmSync(link);
    symlinkSync('green.ann', link);
    expect(lazy.getNnsByItem(305, 1)[0]).toBe(305);
    expect(index.getNItems()).toBe(300);
    expect((await lazy.validate()).valid).toBe(true);
  });

  it('stays a link when an index is saved to it, and the file gets the sidecar', async () => {
    const link = join(folder, 'to-target.ann');
    symlinkSync('target.ann', link);
    const index = await built(20);
    for (let round = 0; round < 2; round++) {
      await index.save(link);
      expect(readlinkSync(link)).toBe('target.ann');
      expect(existsSync(join(folder, 'target.ann.meta.json'))).toBe(true);
      expect(existsSync(`${link}.meta.json`)).toBe(false);
    }
    expect((await AnnoyIndex.open(join(folder, 'target.ann'))).getNItems()).toBe(20);
  });
});

describe.skipIf(process.platform === 'win32')('a FIFO', () => {
  const makeFifo = (path: string): void => {
    rmSync(path, { force: true });
    execFileSync('mkfifo', [path]);
  };

  it.each([
    ['.accel', 'opened'],
    ['.meta.json', 'INVALID_FILE'],
    ['', 'IO'],
  ])('instead of NAME.ann%s does not block open', async (ending, expected) => {
    const path = await save('fifo.ann', 20);
    makeFifo(`${path}${ending}`);
    // In a process of its own: what blocks the event loop would block this test as well.
    const source = `const { AnnoyIndex } = await import(${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)});
      console.log(await AnnoyIndex.open(${JSON.stringify(path)}, { f: ${f}, metric: 'euclidean' }).then(() => 'opened', (error) => error.code));
      process.exit(0);`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
      timeout: 20_000,
      killSignal: 'SIGKILL',
    });
    expect(child.stdout.toString().trim()).toBe(expected);
    rmSync(`${path}${ending}`);
  });

  it('is never replaced by save or onDiskBuild, nor is a directory', async () => {
    const fifo = join(folder, 'pipe');
    const directory = join(folder, 'directory.ann');
    makeFifo(fifo);
    mkdirSync(directory);
    for (const path of [fifo, directory]) {
      await expect((await built(5)).save(path)).rejects.toMatchObject({ code: 'IO' });
      expect(() => new AnnoyIndex(f, 'euclidean').onDiskBuild(path)).toThrowError(
        expect.objectContaining({ code: 'IO' }),
      );
    }
    expect(lstatSync(fifo).isFIFO()).toBe(true);
    expect(lstatSync(directory).isDirectory()).toBe(true);
  });
});

describe('names', () => {
  it('may be as long as that of the sidecar lets them be', async () => {
    const longest = `${'a'.repeat(255 - '.meta.json'.length - 4)}.ann`;
    const index = await built(5);
    await index.save(join(folder, longest));
    await index.save(join(folder, longest));
    expect((await AnnoyIndex.open(join(folder, longest))).getNItems()).toBe(5);
    await expect(index.save(join(folder, `a${longest}`))).rejects.toMatchObject({
      code: 'IO',
      details: { length: 246 },
    });
    expect(existsSync(join(folder, `a${longest}`))).toBe(false);
  });
});

describe('an on-disk build whose file cannot get its name', () => {
  it('keeps the forest, which can be saved elsewhere', async () => {
    const path = join(folder, 'taken.ann');
    const index = new AnnoyIndex(f, 'euclidean');
    index.onDiskBuild(path);
    index.addItems(randomRows(100, f, 'euclidean'));
    mkdirSync(path);
    await expect(index.build(3)).rejects.toMatchObject({ code: 'IO', hint: expect.stringContaining('save(path)') });
    expect(index.info()).toMatchObject({ state: 'built', items: 100, trees: 3, path: undefined });
    expect(index.getNnsByItem(42, 1)[0]).toBe(42);
    const elsewhere = join(folder, 'elsewhere.ann');
    await index.save(elsewhere);
    expect(index.path).toBe(elsewhere);
    expect((await (await AnnoyIndex.open(elsewhere)).validate()).valid).toBe(true);
    expect(statSync(path).isDirectory()).toBe(true);
  });

  it('refuses at once a name that the files beside cannot have', () => {
    const refusal = expect.objectContaining({ code: 'IO' });
    mkdirSync(join(folder, 'beside.ann.meta.json'));
    for (const name of ['beside.ann', `${'n'.repeat(230)}.ann`, 'missing/x.ann']) {
      expect(() => new AnnoyIndex(f, 'euclidean').onDiskBuild(join(folder, name))).toThrowError(refusal);
    }
  });
});

describe('what is known of a file', () => {
  it('is not taken from the build before', async () => {
    const path = await save('foreign.ann', 30, 'euclidean', 7);
    const bytes = new Uint8Array(readFileSync(path));
    withoutSidecar(path);
    const takes = [
      (index: AnnoyIndex) => index.load(path),
      (index: AnnoyIndex) => index.deserialize(bytes),
      async (index: AnnoyIndex) => index.unload(),
      (index: AnnoyIndex) => index.unbuild(),
    ];
    for (const take of takes) {
      const index = await built(20, 'euclidean', 42);
      await take(index);
      expect(index.info()).toMatchObject({ seed: undefined, threads: undefined });
    }
  });

  it('is undefined, not 0, for a lazily opened file without sidecar', async () => {
    const path = await save('unknown.ann', 30);
    const size = statSync(path).size;
    withoutSidecar(path);
    const index = await AnnoyIndex.open(path, { f, metric: 'euclidean', loadMode: 'lazy' });
    expect(index.info()).toMatchObject({ items: undefined, trees: undefined, fileSize: size, loadMode: 'lazy' });
    expect(index.state).toBe('unloaded');
    expect(index.getNItems()).toBe(30);
    expect(index.info()).toMatchObject({ items: 30, trees: 3, fileSize: size });
  });

  it('goes with the index that is closed while it loads', async () => {
    const path = await save('closing.ann', 5000);
    copyFileSync(path, join(folder, 'closing-copy.ann'));
    const index = new AnnoyIndex(f, 'euclidean');
    const loading = index.load(path);
    index.close();
    await expect(loading).rejects.toMatchObject({ code: 'CLOSED' });
    expect(index.memoryUsage()).toEqual({ heap: 0, mapped: 0 });
  });
});
