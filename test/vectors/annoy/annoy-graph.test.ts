import { copyFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { AnnoyIndex } from '../../../src/vectors/annoy/annoy-index.js';
import { randomRows, temporaryFolder } from '../reference.js';

const folder = temporaryFolder();
const path = join(folder, 'index.ann');
const graph = `${path}.accel`;
const f = 16;
const count = 4000;
const rows = randomRows(count, f, 'angular');
const queries = randomRows(50, f, 'angular', 2);

async function saveIndex(target: string, seed = 1): Promise<void> {
  const index = new AnnoyIndex(f, 'angular', { seed });
  index.addItems(rows);
  await index.build(5, { threads: 2 });
  await index.save(target);
  await index.buildGraph();
  index.close();
}

const query = (number: number) => queries.subarray(number * f, (number + 1) * f);

async function recallOf(index: AnnoyIndex): Promise<number> {
  const truth = await index.getNnsByVectors(queries, 10, { exact: true });
  let hits = 0;
  for (let number = 0; number < 50; number++) {
    const found = new Set(index.getNnsByVector(query(number), 10));
    for (const item of truth.items.subarray(number * 10, number * 10 + 10)) hits += found.has(item) ? 1 : 0;
  }
  return hits / 500;
}

beforeEach(() => saveIndex(path));

describe('a graph index', () => {
  it('is found beside the file and finds more than the trees do', async () => {
    const index = await AnnoyIndex.open(path);
    const classical = await AnnoyIndex.open(path, { engine: 'annoy' });
    expect(index.info().graph).toMatchObject({ inUse: true, reason: undefined });
    expect(index.info().graph.bytes).toBe(readFileSync(graph).length);
    expect(index.memoryUsage().mapped).toBe(readFileSync(path).length + readFileSync(graph).length);
    expect(classical.info().graph).toEqual({ inUse: false, bytes: 0, reason: 'the engine is annoy' });
    expect(await recallOf(index)).toBeGreaterThan(0.95);
    expect(await recallOf(index)).toBeGreaterThan(await recallOf(classical));
    index.close();
    classical.close();
  });

  it('gives the same answers one by one, in a batch, after a lazy open, and from memory', async () => {
    const eager = await AnnoyIndex.open(path);
    const lazy = await AnnoyIndex.open(path, { loadMode: 'lazy' });
    expect(lazy.info().graph.inUse).toBe(false);
    const memory = await AnnoyIndex.open(path, { engine: 'graph' });
    const copy = new AnnoyIndex(f, 'angular');
    await copy.deserialize(await memory.serialize());
    await copy.buildGraph({ threads: 1 });
    expect(copy.info().graph.inUse).toBe(true);
    const batch = await eager.getNnsByVectors(queries, 10);
    for (let number = 0; number < 50; number++) {
      const expected = Array.from(eager.getNnsByVector(query(number), 10));
      expect(Array.from(batch.items.subarray(number * 10, number * 10 + 10))).toEqual(expected);
      expect(Array.from(lazy.getNnsByVector(query(number), 10))).toEqual(expected);
      expect(Array.from(copy.getNnsByVector(query(number), 10))).toEqual(expected);
    }
    const target = join(folder, 'copy.ann');
    await copy.save(target);
    expect(copy.info().graph.inUse).toBe(true);
    expect(readFileSync(`${target}.accel`).equals(readFileSync(graph))).toBe(true);
    for (const index of [eager, lazy, memory, copy]) index.close();
  });

  it('finds only what is allowed, and enough of it', async () => {
    const index = await AnnoyIndex.open(path);
    for (const every of [2, 7, 900, 3999]) {
      const allowed = new Uint32Array(Math.ceil(count / 32));
      for (let item = 0; item < count; item += every) allowed[item >>> 5]! |= 1 << (item & 31);
      const found = index.getNnsByVector(query(3), 10, { allowed });
      expect(found.length).toBe(Math.min(10, Math.ceil(count / every)));
      expect(Array.from(found).every((item) => item % every === 0)).toBe(true);
    }
    index.close();
  });

  it('is ignored when it belongs to another file, is truncated, or is not a graph index', async () => {
    const expected = await AnnoyIndex.open(path, { engine: 'annoy' });
    const bytes = readFileSync(graph);
    const other = join(folder, 'other.ann');
    await saveIndex(other, 9);
    for (const damage of [
      () => copyFileSync(`${other}.accel`, graph),
      () => truncateSync(graph, bytes.length - 64),
      () => truncateSync(graph, 0),
      () => writeFileSync(graph, 'something else entirely'),
    ]) {
      rmSync(graph);
      writeFileSync(graph, bytes);
      damage();
      const index = await AnnoyIndex.open(path);
      const { inUse, reason } = index.info().graph;
      expect(inUse).toBe(false);
      expect(reason).toMatch(/graph index/);
      expect(Array.from(index.getNnsByVector(query(0), 10))).toEqual(Array.from(expected.getNnsByVector(query(0), 10)));
      const report = await index.validate();
      const severity = /another file/.test(reason ?? '') ? 'error' : 'warning';
      expect(report.valid).toBe(severity === 'warning');
      expect(report.checks.find(({ check }) => check === 'graph')).toMatchObject({ passed: false, severity });
      await index.buildGraph();
      expect(index.info().graph.inUse).toBe(true);
      expect(readFileSync(graph).equals(bytes)).toBe(true);
      index.close();
    }
    expected.close();
  });

  it('is searched around when its inside is damaged, which validate sees', async () => {
    const bytes = readFileSync(graph);
    bytes.fill(0x7f, 1024);
    rmSync(graph);
    writeFileSync(graph, bytes);
    const index = await AnnoyIndex.open(path);
    const classical = await AnnoyIndex.open(path, { engine: 'annoy' });
    expect(index.info().graph.inUse).toBe(true);
    expect(Array.from(index.getNnsByVector(query(0), 10))).toEqual(Array.from(classical.getNnsByVector(query(0), 10)));
    expect(index.info().graph).toEqual({ inUse: false, bytes: 0, reason: 'it is damaged' });
    const report = await index.validate();
    expect(report.checks.find(({ check }) => check === 'graph')?.message).toMatch(/damaged section/);
    index.close();
    classical.close();
  });

  it('makes exact searches faster, not other, and none relies on it when it is damaged', async () => {
    const classical = await AnnoyIndex.open(path, { engine: 'annoy' });
    const allowed = new Uint32Array(Math.ceil(count / 32)).map((_, word) => Math.imul(word + 1, 0x9e3779b1));
    const exact = (index: AnnoyIndex, threads: number, bits?: Uint32Array) =>
      index.getNnsByVectors(queries, 10, { exact: true, threads, ...(bits === undefined ? {} : { allowed: bits }) });
    const expected = await exact(classical, 1);
    const expectedAllowed = await exact(classical, 1, allowed);
    const index = await AnnoyIndex.open(path);
    for (const threads of [1, 2, 5]) {
      expect(await exact(index, threads)).toEqual(expected);
      expect(await exact(index, threads, allowed)).toEqual(expectedAllowed);
    }
    expect(index.info().graph.inUse).toBe(true);
    index.close();
    // Bytes that stay within bounds, but rule out what is near.
    const bytes = readFileSync(graph);
    for (let at = 1024; at < 1024 + count * 16; at += 3) bytes[at] = (bytes[at] as number) ^ 0x55;
    rmSync(graph);
    writeFileSync(graph, bytes);
    const damaged = await AnnoyIndex.open(path);
    expect(damaged.info().graph.inUse).toBe(true);
    expect(await exact(damaged, 2)).toEqual(expected);
    expect(damaged.info().graph).toEqual({ inUse: false, bytes: 0, reason: 'it is damaged' });
    damaged.close();
    classical.close();
  });

  it('reports progress and can be aborted', async () => {
    rmSync(graph);
    const index = await AnnoyIndex.open(path);
    const seen: number[] = [];
    await index.buildGraph({ onProgress: ({ done, total }) => seen.push(done / (total ?? 1)) });
    expect(seen.at(-1)).toBe(1);
    rmSync(graph);
    await expect(index.buildGraph({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    expect(existsSync(graph)).toBe(false);
    index.close();
  });

  it('exists for built indexes of three metrics', async () => {
    const empty = new AnnoyIndex(f, 'angular');
    await expect(empty.buildGraph()).rejects.toMatchObject({ code: 'NOT_BUILT' });
    const manhattan = new AnnoyIndex(f, 'manhattan');
    manhattan.addItems(rows);
    await manhattan.build(2);
    await expect(manhattan.buildGraph()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const classical = await AnnoyIndex.open(path, { engine: 'annoy' });
    await expect(classical.buildGraph()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(() => new AnnoyIndex(f, 'angular', { engine: 'fast' as 'annoy' })).toThrow(/engine/);
    classical.close();
  });
});
