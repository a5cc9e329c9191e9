import { appendFileSync, copyFileSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { SemanticIndexError } from '../../../src/errors.js';
import type { ValidationReport } from '../../../src/types.js';
import { AnnoyIndex } from '../../../src/vectors/annoy/annoy-index.js';
import { readSidecar, type Sidecar, sidecarPath, writeSidecar } from '../../../src/vectors/annoy/sidecar.js';
import { randomRows, temporaryFolder } from '../reference.js';

const folder = temporaryFolder();
const path = join(folder, 'index.ann');
const f = 8;
const count = 300;

async function saveIndex(target: string, seed = 1): Promise<void> {
  const index = new AnnoyIndex(f, 'euclidean', { seed });
  index.addItems(randomRows(count, f, 'euclidean', seed));
  await index.build(4, { threads: 2 });
  await index.save(target);
  index.close();
}

function changeByte(file: string, position: number): void {
  const bytes = readFileSync(file);
  bytes[position]! ^= 0x40;
  writeFileSync(file, bytes);
}

function failed(report: ValidationReport): string[] {
  return report.checks.filter(({ passed }) => !passed).map(({ check }) => check);
}

const open = () => AnnoyIndex.open(path, { loadMode: 'lazy' });

beforeEach(() => saveIndex(path));

describe('a file without a sidecar', () => {
  it.each<[number, 'euclidean' | 'angular', RegExp]>([
    [f + 1, 'euclidean', /the size is not a multiple/],
    [f, 'angular', /the size is not a multiple/],
  ])(
    'is named, with what was expected, when opened with %i dimensions and metric %s',
    async (dimensions, metric, fault) => {
      rmSync(sidecarPath(path));
      const failure = await AnnoyIndex.open(path, { f: dimensions, metric }).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'INVALID_FILE', message: expect.stringMatching(fault), details: { path } });
      const { message } = failure as Error;
      expect(message).toContain(
        `Expected an Annoy file of ${dimensions} dimensions with metric ${metric}, got ${path}: `,
      );
    },
  );
});

describe('the sidecar', () => {
  it('says what the file does not', async () => {
    const sidecar = (await readSidecar(path)) as Sidecar;
    const bytes = readFileSync(path);
    expect(sidecar).toMatchObject({
      formatVersion: 1,
      metric: 'euclidean',
      dimensions: f,
      items: count,
      trees: 4,
      seed: 1,
      threads: 2,
      fileSize: bytes.length,
      engine: expect.stringMatching(/^semantic-index \d/),
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(sidecar.sha256.items).toMatch(/^[0-9a-f]{64}$/);
    const { createHash } = await import('node:crypto');
    const boundary = count * 4 * (f + 4);
    const sha256 = (part: Uint8Array) => createHash('sha256').update(part).digest('hex');
    expect(sidecar.sha256.items).toBe(sha256(bytes.subarray(0, boundary)));
    expect(sidecar.sha256.forest).toBe(sha256(bytes.subarray(boundary)));
  });

  it('describes the old file or the new one, whichever is there, while a save is between the two', async () => {
    const old = (await readSidecar(path)) as Sidecar;
    const other = join(folder, 'other.ann');
    await saveIndex(other, 2);
    const next = (await readSidecar(other)) as Sidecar;
    expect(next.id).not.toBe(old.id);
    await writeSidecar(path, next, old);
    expect((await readSidecar(path))?.id).toBe(old.id);
    expect((await AnnoyIndex.open(path)).info().id).toBe(old.id);
    copyFileSync(other, path);
    expect((await readSidecar(path))?.id).toBe(next.id);
    expect((await (await AnnoyIndex.open(path)).validate({ strict: true })).valid).toBe(true);
    // A file that had no sidecar before: until it is replaced, nothing is known of it.
    await writeSidecar(path, old, null);
    expect(await readSidecar(path)).toBeUndefined();
  });

  it('belongs to the file when several indexes are saved under one name at once', async () => {
    await Promise.all([4, 5, 6, 7, 8].map((seed) => saveIndex(path, seed)));
    const index = await AnnoyIndex.open(path);
    expect([4, 5, 6, 7, 8]).toContain(index.info().seed);
    expect((await index.validate({ strict: true })).valid).toBe(true);
    expect((await readSidecar(path)) as Sidecar).not.toHaveProperty('previous');
  });

  it('has a new id for every save and forgets the file that was replaced', async () => {
    const before = (await readSidecar(path)) as Sidecar;
    await saveIndex(path, 3);
    const after = JSON.parse(readFileSync(sidecarPath(path), 'utf8')) as Sidecar;
    expect(after.id).not.toBe(before.id);
    expect(after.previous).toBeUndefined();
  });

  const damages: [string, string, (text: string) => string][] = [
    ['no JSON', 'INVALID_FILE', (text) => text.slice(0, 50)],
    ['no object', 'INVALID_FILE', () => 'null'],
    ['no version', 'INVALID_FILE', (text) => text.replace('"formatVersion": 1', '"formatVersion": "1"')],
    ['a newer version', 'NEWER_FORMAT', (text) => text.replace('"formatVersion": 1', '"formatVersion": 2')],
    ['an unknown metric', 'INVALID_FILE', (text) => text.replace('euclidean', 'euclid')],
    ['a negative count', 'INVALID_FILE', (text) => text.replace(`"items": ${count}`, '"items": -1')],
    ['a missing checksum', 'INVALID_FILE', (text) => text.replace('"forest"', '"trees"')],
    ['another size', 'INVALID_FILE', (text) => text.replace(/"fileSize": \d+/, '"fileSize": 48')],
    ['other items', 'INVALID_FILE', (text) => text.replace(`"items": ${count}`, '"items": 299')],
    ['other trees', 'INVALID_FILE', (text) => text.replace('"trees": 4', '"trees": 5')],
    ['a damaged "previous"', 'INVALID_FILE', (text) => text.replace('"id"', '"previous": {}, "id"')],
  ];
  it.each(damages)('with %s is refused', async (_, code, change) => {
    writeFileSync(sidecarPath(path), change(readFileSync(sidecarPath(path), 'utf8')));
    await expect(AnnoyIndex.open(path)).rejects.toMatchObject({ code });
  });
});

describe('open', () => {
  it('in mode lazy loads at the first search, in mode eager at once', async () => {
    const lazy = await AnnoyIndex.open(path, { loadMode: 'lazy' });
    expect([lazy.isLoaded, lazy.getNItems(), lazy.getNTrees(), lazy.isLoaded]).toEqual([false, count, 4, false]);
    lazy.getNnsByItem(0, 1);
    expect(lazy.isLoaded).toBe(true);
    lazy.unload();
    expect([lazy.isLoaded, lazy.memoryUsage().mapped]).toEqual([false, 0]);
    await lazy.getNnsByVectors(randomRows(1, f, 'euclidean'), 1);
    expect(lazy.isLoaded).toBe(true);
    expect((await AnnoyIndex.open(path)).isLoaded).toBe(true);
    expect((await AnnoyIndex.open(path, { prefault: true })).isLoaded).toBe(true);
    const both = await AnnoyIndex.open(path, { loadMode: 'lazy', prefault: true });
    expect(both.getNnsByItem(5, 1)).toEqual(Int32Array.of(5));
  });

  it('of a lazy index notices at the first search that the file is gone, and recovers when it is back', async () => {
    const index = await open();
    copyFileSync(path, `${path}.away`);
    rmSync(path);
    expect(() => index.getNnsByItem(0, 1)).toThrow(expect.objectContaining({ code: 'IO' }));
    expect(index.state).toBe('unloaded');
    copyFileSync(`${path}.away`, path);
    expect(index.getNnsByItem(0, 1)).toEqual(Int32Array.of(0));
  });

  it('without a sidecar takes f and metric from the caller', async () => {
    rmSync(sidecarPath(path));
    const index = await AnnoyIndex.open(path, { f, metric: 'euclidean', loadMode: 'lazy' });
    expect(index.getNItems()).toBe(count);
    expect(index.isLoaded).toBe(true);
    expect(index.info()).toMatchObject({ id: undefined, seed: undefined, items: count });
  });
});

describe('validate', () => {
  it('passes what was saved, and leaves the handle as it was', async () => {
    const index = await open();
    const report = await index.validate({ strict: true });
    expect(report.valid).toBe(true);
    expect(report.checks.map(({ check }) => check)).toEqual(
      expect.arrayContaining([
        'index_file',
        'metric',
        'dimensions',
        'items',
        'file_size',
        'checksum',
        'file_mtime',
        'structure',
        'load',
      ]),
    );
    expect(failed(report)).toEqual([]);
    expect(index.isLoaded).toBe(false);
    await index.validate({ load: true });
    expect(index.isLoaded).toBe(true);
  });

  it('finds a damaged item, a damaged tree, and a file that is gone, short, long or touched', async () => {
    const index = await open();
    const end = readFileSync(path).length;
    changeByte(path, 20);
    expect(failed(await index.validate())).toEqual(['checksum']);
    await expect(index.validate({ strict: true })).rejects.toMatchObject({
      code: 'INVALID_FILE',
      details: { report: { valid: false } },
    });
    changeByte(path, 20);
    changeByte(path, count * 48 + 8);
    expect(failed(await index.validate())).toEqual(expect.arrayContaining(['checksum', 'structure']));
    changeByte(path, count * 48 + 8);

    utimesSync(path, new Date(1e9), new Date(1e9));
    const touched = await index.validate({ strict: true });
    expect([touched.valid, failed(touched)]).toEqual([true, ['file_mtime']]);
    expect(touched.checks.find(({ check }) => check === 'file_mtime')).toMatchObject({ severity: 'warning' });

    appendFileSync(path, 'x');
    expect(failed(await index.validate())).toEqual(expect.arrayContaining(['file_size', 'load']));
    truncateSync(path, end - 48);
    expect(failed(await index.validate())).toContain('file_size');
    rmSync(path);
    expect(failed(await index.validate())).toEqual(['index_file']);
    expect(index.isLoaded).toBe(false);
  });

  it('says of a file without sidecar what it could not check', async () => {
    rmSync(sidecarPath(path));
    const index = await AnnoyIndex.open(path, { f, metric: 'euclidean' });
    const report = await index.validate();
    expect([report.valid, failed(report)]).toEqual([true, ['sidecar']]);
    writeFileSync(sidecarPath(path), '{');
    expect(failed(await index.validate())).toEqual(['sidecar']);
    expect((await index.validate()).valid).toBe(false);
  });

  it('also validates an index that is only in memory', async () => {
    const index = new AnnoyIndex(f, 'euclidean');
    index.addItems(randomRows(50, f, 'euclidean'));
    await index.build(2);
    const report = await index.validate({ strict: true, load: true });
    expect(report.valid).toBe(true);
    expect(report.checks.find(({ check }) => check === 'structure')?.message).toBe(
      '2 trees hold each of 50 items once',
    );
  });
});

describe('a file that changes under an open index', () => {
  it('when it is replaced: continues with the old file', async () => {
    const index = await AnnoyIndex.open(path);
    const before = index.getNnsByItem(7, 5, { includeDistances: true });
    await saveIndex(path, 2);
    expect(index.getNnsByItem(7, 5, { includeDistances: true })).toEqual(before);
    const fresh = await AnnoyIndex.open(path);
    expect(fresh.info().seed).toBe(2);
  });

  it('when it is cut short: an error, not the end of the process', async () => {
    const large = join(folder, 'large.ann');
    const index = new AnnoyIndex(64, 'euclidean');
    index.addItems(randomRows(5_000, 64, 'euclidean'));
    await index.build(2);
    await index.save(large);
    const opened = await AnnoyIndex.open(large);
    truncateSync(large, 8192);
    const query = randomRows(1, 64, 'euclidean');
    const found = (run: () => unknown) => {
      try {
        run();
        return 'an answer';
      } catch (error) {
        return (error as SemanticIndexError).code;
      }
    };
    expect(found(() => opened.getNnsByVector(query, 10))).toBe('INVALID_FILE');
    await expect(opened.getNnsByVectors(query, 10, { exact: true })).rejects.toMatchObject({ code: 'INVALID_FILE' });
    await expect(opened.serialize()).rejects.toMatchObject({ code: 'INVALID_FILE' });
    await expect(opened.save(join(folder, 'never.ann'))).rejects.toMatchObject({ code: 'INVALID_FILE' });
    await expect(opened.unbuild()).rejects.toMatchObject({ code: 'INVALID_FILE' });
    opened.close();
    expect(SemanticIndexError.is(new SemanticIndexError('IO', 'x'))).toBe(true);
  });
});
