import { copyFileSync, existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnnoyIndex } from '../../../src/vectors/annoy/annoy-index.js';
import { randomRows, temporaryFolder } from '../reference.js';

const folder = temporaryFolder();
const count = 120;

/** Saves a forest over `rows`, optionally with another vector for one item, and returns that vector. */
async function save(
  path: string,
  f: number,
  trees: number,
  changed?: number,
  buildGraph = false,
): Promise<Float32Array> {
  const index = new AnnoyIndex(f, 'euclidean');
  index.addItems(randomRows(count, f, 'euclidean'));
  const vector = randomRows(1, f, 'euclidean', 9);
  if (changed !== undefined) index.addItem(changed, vector);
  await index.build(trees, { seed: 1 });
  await index.save(path);
  if (buildGraph) await index.buildGraph();
  index.close();
  return vector;
}

async function exactNearest(index: AnnoyIndex, vector: Float32Array): Promise<number | undefined> {
  return (await index.getNnsByVectors(vector, 1, { exact: true })).items[0];
}

const report = async (index: AnnoyIndex) =>
  (await index.validate()).checks.find(({ check }) => check === 'graph' || check === 'sidecar');

describe('a graph index of an earlier forest', () => {
  it('is not used whichever item has changed and whatever vouches for the file', async () => {
    const path = join(folder, 'index.ann');
    const old = join(folder, 'old.ann');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(24, 160),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: count - 1 }),
        fc.constantFrom('nothing', 'no sidecar', 'touched'),
        async (f, trees, changed, surroundings) => {
          await save(old, f, trees, undefined, true);
          const vector = await save(path, f, trees, changed);
          // As left by a program that replaces the forest alone.
          copyFileSync(`${old}.accel`, `${path}.accel`);
          if (surroundings === 'no sidecar') rmSync(`${path}.meta.json`);
          if (surroundings === 'touched') utimesSync(path, 1, 1);
          const index = await AnnoyIndex.open(path, { f, metric: 'euclidean' });
          expect(await exactNearest(index, vector)).toBe(changed);
          expect(index.getNnsByVector(vector, 1)[0]).toBe(changed);
          expect(index.info().graph).toEqual({
            inUse: false,
            bytes: 0,
            reason: 'the graph index was derived from another file',
          });
          const { valid, checks } = await index.validate();
          expect(valid).toBe(false);
          expect(checks.find(({ check }) => check === 'graph')).toMatchObject({
            passed: false,
            severity: 'error',
          });
          index.close();
        },
      ),
      { numRuns: 15 },
    );
  });

  it('is removed by save, which keeps one of the same forest', async () => {
    const path = join(folder, 'saved.ann');
    await save(path, 160, 2, undefined, true);
    const graph = readFileSync(`${path}.accel`);
    await save(path, 160, 2);
    expect(readFileSync(`${path}.accel`).equals(graph)).toBe(true);
    await save(path, 160, 2, 60);
    expect(existsSync(`${path}.accel`)).toBe(false);
    writeFileSync(`${path}.accel`, graph);
    const onDisk = new AnnoyIndex(160, 'euclidean');
    onDisk.onDiskBuild(path);
    onDisk.addItems(randomRows(count, 160, 'euclidean', 5));
    await onDisk.build(2);
    expect(existsSync(`${path}.accel`)).toBe(false);
    onDisk.close();
  });

  it('is trusted at once when the sidecar knows the checksum of the file', async () => {
    const path = join(folder, 'known.ann');
    await save(path, 24, 2, undefined, true);
    expect(JSON.parse(readFileSync(`${path}.meta.json`, 'utf8')).content).toMatch(/^[0-9a-f]{16}$/);
    const index = await AnnoyIndex.open(path);
    expect(index.info().graph.inUse).toBe(true);
    expect(await report(index)).toMatchObject({ passed: true });
    index.close();
  });
});

describe('a save that was killed before the file got its name', () => {
  it('leaves a description of the old file, although only an item in the middle differs', async () => {
    const path = join(folder, 'killed.ann');
    const paths = [join(folder, 'a.ann'), join(folder, 'b.ann')] as const;
    await save(paths[0], 160, 2);
    await save(paths[1], 160, 2, 60);
    const [first, second] = paths.map((one) => JSON.parse(readFileSync(`${one}.meta.json`, 'utf8')));
    for (const file of paths) {
      for (const withContent of [true, false]) {
        const { formatVersion: _, ...previous } = first;
        const sidecar = { ...second, previous };
        // Sidecars of earlier versions have no checksum of the whole file.
        if (!withContent) for (const one of [sidecar, previous]) delete one.content;
        copyFileSync(file, path);
        writeFileSync(`${path}.meta.json`, JSON.stringify(sidecar));
        const index = await AnnoyIndex.open(path);
        expect(index.info().id).toBe(file === paths[0] ? first.id : second.id);
        index.close();
      }
    }
  });
});
