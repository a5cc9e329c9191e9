import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './reference.js';

const folder = temporaryFolder();
const dist = new URL('../../dist/vectors/', import.meta.url);
const megabyte = 2 ** 20;

/** Runs a module in a process of its own that may collect garbage, and returns what it prints as JSON. */
async function measure<T>(body: string): Promise<T> {
  const program = `
    import { AnnoyIndex } from ${JSON.stringify(new URL('annoy/annoy-index.js', dist).href)};
    import { VectorBuffer } from ${JSON.stringify(new URL('vector-buffer.js', dist).href)};
    const f = 128;
    const rows = new Float32Array(f * 16384).map((_, index) => Math.sin(index ** 2));
    const path = ${JSON.stringify(join(folder, 'memory.ann'))};
    /** Resident bytes once all garbage is gone. */
    const resident = async () => {
      for (let round = 0; round < 4; round++) { gc(); await new Promise(setImmediate); }
      return process.memoryUsage().rss;
    };
    const make = async () => {
      const index = new AnnoyIndex(f, 'angular');
      index.addItems(rows);
      await index.build(1);
      return index;
    };
    ${body}`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    '--input-type=module',
    '--eval',
    program,
  ]);
  return JSON.parse(stdout) as T;
}

// Each index below holds 8 MB and more: 480 MB if none were freed, and malloc keeps some tens of what is.
describe('native memory', () => {
  it('is freed by garbage collection', async () => {
    const { index, buffer, mapped } = await measure<Record<'index' | 'buffer' | 'mapped', number>>(`
      await (await make()).save(path);
      const grown = async (one) => {
        await one();
        const before = await resident();
        for (let round = 0; round < 60; round++) await one();
        return (await resident()) - before;
      };
      console.log(JSON.stringify({
        index: await grown(async () => { (await make()).getNnsByItem(0, 1); }),
        buffer: await grown(async () => {
          const buffer = new VectorBuffer(f, 'angular');
          buffer.append(rows);
          await buffer.drop(9000).search(rows.subarray(0, f), 1);
        }),
        mapped: await grown(async () => { (await AnnoyIndex.open(path, { prefault: true })).getNnsByItem(0, 1); }),
      }));`);
    for (const grown of [index, buffer, mapped]) expect(grown).toBeLessThan(200 * megabyte);
  });

  it('is reported to the garbage collector, which runs by itself', async () => {
    const { peak } = await measure<{ peak: number }>(`
      let peak = 0;
      for (let round = 0; round < 100; round++) {
        const index = new AnnoyIndex(f, 'angular');
        index.addItems(rows);
        await new Promise(setImmediate);
        peak = Math.max(peak, process.memoryUsage().rss);
      }
      console.log(JSON.stringify({ peak }));`);
    expect(peak).toBeLessThan(600 * megabyte);
  });

  it('is freed at once by close, unload, unbuild and save', async () => {
    const sizes = await measure<Record<string, number>>(`
      // Large enough that malloc asks the system for it, and gives it back, as one piece.
      const index = new AnnoyIndex(f, 'angular');
      for (let part = 0; part < 5; part++) index.addItems(rows);
      await index.build(1);
      const sizes = { built: index.memoryUsage().heap };
      await index.save(path);
      sizes.saved = index.memoryUsage().heap;
      index.unload();
      sizes.unloaded = index.memoryUsage().mapped;
      await index.unbuild();
      const before = process.memoryUsage().rss;
      index.close();
      sizes.closed = index.memoryUsage().heap;
      sizes.freed = before - process.memoryUsage().rss;
      console.log(JSON.stringify(sizes));`);
    expect(sizes.built).toBeGreaterThan(40 * megabyte);
    expect([sizes.saved, sizes.unloaded, sizes.closed]).toEqual([0, 0, 0]);
    expect(sizes.freed).toBeGreaterThan(35 * megabyte);
  });

  it('stays allocated while unreferenced work uses it', async () => {
    const { items } = await measure<{ items: number[] }>(`
      const start = async () => {
        const index = await make();
        const buffer = new VectorBuffer(f, 'angular');
        buffer.append(rows);
        return [
          index.getNnsByVectors(rows.subarray(0, f * 500), 1),
          buffer.search(rows.subarray(0, f * 500), 1),
          index.serialize(),
          index.save(path),
        ];
      };
      const work = await start();
      for (let round = 0; round < 10; round++) { gc(); await new Promise((resolve) => setTimeout(resolve, 2)); }
      const [found, scanned] = await Promise.all(work);
      console.log(JSON.stringify({ items: [found.items[7], scanned.items[7]] }));`);
    expect(items).toEqual([7, 7]);
  });
});
