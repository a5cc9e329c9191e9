import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { AnnoyIndex } from '../../../src/vectors/annoy/annoy-index.js';
import { randomRows, temporaryFolder } from '../reference.js';

const folder = temporaryFolder();
const f = 16;
const rows = randomRows(400, f, 'dot');
const module = fileURLToPath(new URL('../../../dist/vectors/annoy/annoy-index.js', import.meta.url));

/** Runs `body`, in which `AnnoyIndex` and `data` are known, in a worker thread, and returns what it returns. */
function inWorker<T>(body: string, data: unknown): Promise<T> {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(${JSON.stringify(`file://${module}`)}).then(async ({ AnnoyIndex }) => {
      const data = workerData;
      parentPort.postMessage(await (async () => { ${body} })());
    }).catch((error) => parentPort.postMessage({ error: String(error.stack ?? error) }));`;
  return new Promise((resolve, reject) => {
    const worker = new Worker(code, { eval: true, workerData: data });
    worker.once('message', (message) => (message?.error ? reject(new Error(message.error)) : resolve(message as T)));
    worker.once('error', reject);
  });
}

async function built(): Promise<AnnoyIndex> {
  const index = new AnnoyIndex(f, 'dot');
  index.addItems(rows);
  await index.build(5);
  return index;
}

const search = `
  const index = await AnnoyIndex.fromSnapshot(data.snapshot);
  const { items } = await index.getNnsByVectors(data.queries, 5);
  return { items, mode: data.snapshot.mode, memory: index.memoryUsage(), path: index.path };`;

describe('snapshots', () => {
  it('carry an index to a worker thread: its bytes, or its path', async () => {
    const index = await built();
    const queries = randomRows(20, f, 'dot', 2);
    const expected = (await index.getNnsByVectors(queries, 5)).items;
    type Answer = { items: Int32Array; mode: string; memory: { heap: number; mapped: number }; path?: string };

    const auto = await index.toSnapshot();
    expect(auto.mode).toBe('byte');
    const bytes = await inWorker<Answer>(search, { snapshot: auto, queries });
    expect(bytes.items).toEqual(expected);
    expect(bytes.memory.heap).toBeGreaterThan(0);
    const small = await index.toSnapshot({ mode: 'byte', compress: 'zlib' });
    expect((await inWorker<Answer>(search, { snapshot: small, queries })).items).toEqual(expected);

    await expect(index.toSnapshot({ mode: 'disk' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const path = join(folder, 'snapshot.ann');
    await index.save(path);
    const disk = await index.toSnapshot();
    expect(disk).toMatchObject({ mode: 'disk', path });
    const mapped = await inWorker<Answer>(search, { snapshot: disk, queries });
    expect(mapped.items).toEqual(expected);
    expect(mapped).toMatchObject({ path, memory: { heap: 0 } });
    expect((await index.toSnapshot({ mode: 'byte' })).mode).toBe('byte');
  });

  it('of a file that was replaced are refused', async () => {
    const index = await built();
    const path = join(folder, 'replaced.ann');
    await index.save(path);
    const snapshot = await index.toSnapshot();
    const copy = await AnnoyIndex.fromSnapshot(structuredClone(snapshot));
    expect(copy.getNItems()).toBe(400);
    await index.save(path);
    await expect(AnnoyIndex.fromSnapshot(snapshot)).rejects.toMatchObject({ code: 'INVALID_FILE' });
    await expect(AnnoyIndex.fromSnapshot({ ...snapshot, version: 2 as 1 })).rejects.toMatchObject({
      code: 'NEWER_FORMAT',
    });
  });
});

describe('worker threads', () => {
  it('each load the addon, build, search and save side by side', async () => {
    const body = `
      const index = new AnnoyIndex(16, 'dot', { seed: 1 });
      index.addItems(data.rows);
      await index.build(5, { threads: 2 });
      await index.save(data.path);
      const code = await index.build(1).catch((error) => error.code);
      return { items: (await index.getNnsByVectors(data.rows, 3)).items, code };`;
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, worker) =>
        inWorker<{ items: Int32Array; code: string }>(body, { rows, path: join(folder, `worker-${worker}.ann`) }),
      ),
    );
    for (const { items, code } of answers) {
      expect(items).toEqual(answers[0]?.items);
      expect(code).toBe('ALREADY_BUILT');
    }
  });

  it('can be ended while they build or search', async () => {
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(${JSON.stringify(`file://${module}`)}).then(async ({ AnnoyIndex }) => {
        const index = new AnnoyIndex(16, 'dot');
        index.addItems(workerData);
        for (let round = 0; ; round++) {
          const building = index.build(20, { threads: 2, onProgress: () => {} });
          if (round === 0) parentPort.postMessage('started');
          await building;
          await Promise.all([index.getNnsByVectors(workerData, 3), index.serialize()]);
          await index.unbuild();
        }
      });`;
    for (let round = 0; round < 10; round++) {
      const worker = new Worker(code, { eval: true, workerData: rows });
      await new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      await new Promise((resolve) => setTimeout(resolve, round * 3));
      await worker.terminate();
    }
    expect((await built()).getNTrees()).toBe(5);
  });
});
