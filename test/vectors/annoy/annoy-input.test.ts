import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ErrorCode, SemanticIndexError } from '../../../src/errors.js';
import { AnnoyIndex } from '../../../src/vectors/annoy/annoy-index.js';
import { randomRows, temporaryFolder } from '../reference.js';

const folder = temporaryFolder();
const saved = join(folder, 'saved.ann');
const bare = join(folder, 'bare.ann');
const f = 8;
const rows = randomRows(100, f, 'angular');
const vector = rows.slice(0, f);
let built: AnnoyIndex;

/** Runs what must fail; returns the error, which must say what to do about it. */
async function errorOf(run: () => unknown): Promise<SemanticIndexError> {
  try {
    await run();
  } catch (error) {
    expect(SemanticIndexError.is(error)).toBe(true);
    expect((error as SemanticIndexError).hint.length).toBeGreaterThan(5);
    expect((error as SemanticIndexError).message.length).toBeGreaterThan(5);
    return error as SemanticIndexError;
  }
  return expect.unreachable('nothing was thrown');
}

beforeAll(async () => {
  built = new AnnoyIndex(f, 'angular');
  built.addItems(rows);
  await built.build(3);
  writeFileSync(bare, await built.serialize());
  await built.save(saved);
  mkdirSync(join(folder, 'a-folder.ann'));
  writeFileSync(join(folder, 'empty.ann'), '');
  writeFileSync(join(folder, 'garbage.ann'), 'no Annoy file at all'.repeat(37));
});

/** Anything, for arguments that the types would not let through. */
// biome-ignore lint/suspicious/noExplicitAny: wrong types are what is tested
type Wrong = any;
const adding = () => new AnnoyIndex(f, 'angular');

describe('refused, each with a code and a hint', () => {
  const cases: [string, ErrorCode, () => unknown][] = [
    ['a fractional f', 'INVALID_ARGUMENT', () => new AnnoyIndex(1.5, 'angular')],
    ['a negative f', 'INVALID_ARGUMENT', () => new AnnoyIndex(-1, 'angular')],
    ['an f that is too large', 'INVALID_ARGUMENT', () => new AnnoyIndex(2 ** 21, 'angular')],
    ['an f that is not a number', 'INVALID_ARGUMENT', () => new AnnoyIndex('8' as Wrong, 'angular')],
    ['an unknown metric', 'INVALID_ARGUMENT', () => new AnnoyIndex(f, 'cosine' as Wrong)],
    ['an unknown option', 'UNKNOWN_OPTION', () => new AnnoyIndex(f, 'angular', { sed: 1 } as Wrong)],
    ['a negative seed', 'INVALID_ARGUMENT', () => new AnnoyIndex(f, 'angular', { seed: -1 })],
    ['a logger that is none', 'INVALID_ARGUMENT', () => new AnnoyIndex(f, 'angular', { logger: 'x' as Wrong })],
    ['a negative gap', 'INVALID_ARGUMENT', () => new AnnoyIndex(f, 'angular', { maxGap: -1 })],
    ['verbose without a logger', 'INVALID_ARGUMENT', () => adding().verbose(true)],

    ['a negative item', 'INVALID_ARGUMENT', () => adding().addItem(-1, vector)],
    ['a fractional item', 'INVALID_ARGUMENT', () => adding().addItem(0.5, vector)],
    ['an item beyond the gap', 'INVALID_ARGUMENT', () => adding().addItem(1_000_001, vector)],
    ['an item beyond int32', 'INVALID_ARGUMENT', () => adding().addItem(2 ** 31, vector)],
    ['an item that is not a number', 'INVALID_ARGUMENT', () => adding().addItem('0' as Wrong, vector)],
    [
      'rows beyond int32',
      'INVALID_ARGUMENT',
      () => new AnnoyIndex(f, 'angular', { maxGap: 2 ** 31 - 2 }).addItems(rows, 2 ** 31 - 10),
    ],
    ['a vector that is too short', 'DIMENSION_MISMATCH', () => adding().addItem(0, vector.slice(1))],
    ['a vector that is too long', 'DIMENSION_MISMATCH', () => adding().addItem(0, [...vector, 1])],
    ['an empty vector', 'DIMENSION_MISMATCH', () => new AnnoyIndex(0, 'angular').addItem(0, [])],
    ['NaN', 'INVALID_VECTOR', () => adding().addItem(0, vector.with(3, Number.NaN))],
    ['infinity', 'INVALID_VECTOR', () => adding().addItem(0, vector.with(7, Number.POSITIVE_INFINITY))],
    ['a number beyond float32', 'INVALID_VECTOR', () => adding().addItem(0, [1e300, 0, 0, 0, 0, 0, 0, 0])],
    ['null in a vector', 'INVALID_VECTOR', () => adding().addItem(0, [null, 0, 0, 0, 0, 0, 0, 0] as Wrong)],
    ['text in a vector', 'INVALID_VECTOR', () => adding().addItem(0, ['1', 0, 0, 0, 0, 0, 0, 0] as Wrong)],
    ['a vector that is none', 'INVALID_ARGUMENT', () => adding().addItem(0, 'vector' as Wrong)],
    ['a vector of big integers', 'INVALID_ARGUMENT', () => adding().addItem(0, new BigInt64Array(f) as Wrong)],
    ['half a row', 'DIMENSION_MISMATCH', () => adding().addItems(rows.slice(1))],
    ['NaN in a row', 'INVALID_VECTOR', () => adding().addItems(rows.with(77, Number.NaN))],
    ['one bad row of many', 'DIMENSION_MISMATCH', () => adding().addItems([vector, vector.slice(2)])],
    ['rows for an index without f', 'INVALID_ARGUMENT', () => new AnnoyIndex(0, 'angular').addItems(rows)],

    ['0 trees', 'INVALID_ARGUMENT', () => adding().build(0)],
    ['-2 trees', 'INVALID_ARGUMENT', () => adding().build(-2)],
    ['a build of nothing', 'INVALID_ARGUMENT', () => adding().build(1)],
    ['0 threads', 'INVALID_ARGUMENT', () => adding().build(1, { threads: 0 })],

    ['n = 0', 'INVALID_ARGUMENT', () => built.getNnsByVector(vector, 0)],
    ['n = -1', 'INVALID_ARGUMENT', () => built.getNnsByItem(0, -1)],
    ['n = 1.5', 'INVALID_ARGUMENT', () => built.getNnsByVectors(rows, 1.5)],
    ['searchK = 0', 'INVALID_ARGUMENT', () => built.getNnsByVector(vector, 1, { searchK: 0 })],
    ['searchK = -1', 'INVALID_ARGUMENT', () => built.getNnsByItem(0, 1, { searchK: -1 })],
    ['searchK = NaN', 'INVALID_ARGUMENT', () => built.getNnsByVectors(rows, 1, { searchK: Number.NaN })],
    ['a misspelt option', 'UNKNOWN_OPTION', () => built.getNnsByVector(vector, 1, { search_k: 1 } as Wrong)],
    ['allowed as an array', 'INVALID_ARGUMENT', () => built.getNnsByVector(vector, 1, { allowed: [1] as Wrong })],
    ['a query that is too short', 'DIMENSION_MISMATCH', () => built.getNnsByVector([1], 1)],
    ['a query with NaN', 'INVALID_VECTOR', () => built.getNnsByVector(vector.with(0, Number.NaN), 1)],
    ['queries with NaN', 'INVALID_VECTOR', () => built.getNnsByVectors(rows.with(9, Number.NaN), 1)],
    ['more results than memory', 'OUT_OF_MEMORY', () => built.getNnsByVectors(rows, 2 ** 31 - 2)],
    ['an item that is not there', 'INVALID_ARGUMENT', () => built.getNnsByItem(100, 1)],
    ['the vector of an item that is not there', 'INVALID_ARGUMENT', () => built.getItemVector(-1)],
    ['the distance to an item that is not there', 'INVALID_ARGUMENT', () => built.getDistance(0, 100)],

    ['a missing file', 'IO', () => AnnoyIndex.open(join(folder, 'missing.ann'))],
    ['a folder', 'IO', () => AnnoyIndex.open(join(folder, 'a-folder.ann'), { f, metric: 'angular' })],
    ['a path that is none', 'INVALID_ARGUMENT', () => AnnoyIndex.open(7 as Wrong)],
    ['an empty file', 'INVALID_FILE', () => AnnoyIndex.open(join(folder, 'empty.ann'), { f, metric: 'angular' })],
    ['garbage', 'INVALID_FILE', () => AnnoyIndex.open(join(folder, 'garbage.ann'), { f, metric: 'angular' })],
    ['a file without sidecar, f and metric', 'INVALID_ARGUMENT', () => AnnoyIndex.open(bare)],
    ['a file without sidecar and f', 'INVALID_ARGUMENT', () => AnnoyIndex.open(bare, { metric: 'angular' })],
    ['a file without sidecar, f being 0', 'INVALID_ARGUMENT', () => AnnoyIndex.open(bare, { f: 0, metric: 'angular' })],
    ['loading without f', 'INVALID_ARGUMENT', () => new AnnoyIndex(0, 'angular').load(bare)],
    ['another f than the sidecar says', 'DIMENSION_MISMATCH', () => AnnoyIndex.open(saved, { f: 9 })],
    ['another metric than the sidecar says', 'INVALID_ARGUMENT', () => AnnoyIndex.open(saved, { metric: 'dot' })],
    ['another f than the file has', 'INVALID_FILE', () => AnnoyIndex.open(bare, { f: 9, metric: 'angular' })],
    ['an unknown load mode', 'INVALID_ARGUMENT', () => AnnoyIndex.open(saved, { loadMode: 'x' as Wrong })],
    ['loading another metric', 'INVALID_ARGUMENT', () => new AnnoyIndex(f, 'dot').load(saved)],
    ['bytes that are none', 'INVALID_ARGUMENT', () => adding().deserialize('x' as Wrong)],
    ['bytes of nothing', 'INVALID_FILE', () => adding().deserialize(new Uint8Array(0))],
    ['bytes of garbage', 'INVALID_FILE', () => adding().deserialize(new Uint8Array(77))],
    ['an unknown compression', 'INVALID_ARGUMENT', () => built.serialize({ compress: 'zip' as Wrong })],
    ['a snapshot that is none', 'INVALID_ARGUMENT', () => AnnoyIndex.fromSnapshot({} as Wrong)],
    ['an unknown mode of snapshots', 'INVALID_ARGUMENT', () => built.toSnapshot({ mode: 'x' as Wrong })],

    ['a save into a missing folder', 'IO', () => built.save(join(folder, 'no', 'where.ann'))],
    ['a save over a folder', 'IO', () => built.save(join(folder, 'a-folder.ann'))],
    ['a save below a file', 'IO', () => built.save(join(saved, 'x.ann'))],
    ['an on-disk build in a missing folder', 'IO', () => adding().onDiskBuild(join(folder, 'no', 'where.ann'))],
  ];
  it.each(cases)('%s: %s', async (_, code, run) => {
    expect((await errorOf(run)).code).toBe(code);
  });
});

describe('what is refused', () => {
  it('names SemanticIndex as the way to sparse ids', async () => {
    expect((await errorOf(() => adding().addItem(2 ** 40, vector))).hint).toContain('SemanticIndex');
    expect((await errorOf(() => adding().addItem(5_000_000, vector))).hint).toContain('maxGap');
  });

  it('leaves the index as it was', async () => {
    const index = adding();
    index.addItem(0, vector);
    await errorOf(() => index.addItems(rows.with(77, Number.NaN)));
    await errorOf(() => index.addItem(1, [1]));
    expect(index.getNItems()).toBe(1);
    expect(index.getItemVector(0)).toEqual(vector);
    const opened = await AnnoyIndex.open(saved);
    await errorOf(() => opened.load(join(folder, 'garbage.ann')));
    await errorOf(() => opened.deserialize(new Uint8Array(77)));
    expect(opened.getNnsByItem(0, 1)).toEqual(Int32Array.of(0));
    expect(opened.path).toBe(saved);
  });

  it('names the system error of a directory that does not exist or is not writable', async () => {
    // Root may write anywhere on a disk, so the folder is one of the kernel's.
    if (process.platform !== 'linux') return;
    const error = await errorOf(() => built.save('/proc/self/x.ann'));
    expect(error.code).toBe('IO');
    expect(['ENOENT', 'EACCES', 'EPERM']).toContain(error.details.systemError);
  });
});
