import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SemanticIndex, SemanticIndexError } from '../../../src/index.js';
import { deterministicProvider } from '../../../src/testing.js';

const dimensions = 16;
const provider = deterministicProvider({ dimensions });
const folder = mkdtempSync(join(tmpdir(), 'semantic-index-import-'));
const good = join(folder, 'good');
// Past one batch of reading, so that a fault in the second one is found before the first is written.
const size = 600;
let copies = 0;

beforeAll(async () => {
  await using index = await SemanticIndex.open(':memory:', { provider });
  const documents = Array.from({ length: size - 1 }, (_, id) => ({ id, text: `text of number ${id}` }));
  const vector = Array.from({ length: dimensions }, (_, column) => column + 1);
  await index.addDocuments([...documents, { id: 'given', text: 'own vector', vector }]);
  await index.exportTo(good);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A copy of the export with one of its files changed. */
function changed(file: string, change: (bytes: Buffer) => Buffer | string): string {
  const copy = join(folder, `copy-${copies++}`);
  cpSync(good, copy, { recursive: true });
  writeFileSync(join(copy, file), change(readFileSync(join(copy, file))));
  return copy;
}

/** Imports into an index that holds one document, and expects that nothing but that document is there. */
async function refusal(source: string): Promise<SemanticIndexError> {
  await using index = await SemanticIndex.open(':memory:', { provider });
  await index.addDocuments([{ id: 'mine', text: 'my own document' }]);
  const error = await index.importFrom(source).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(SemanticIndexError.is(error)).toBe(true);
  expect(await index.count()).toBe(1);
  expect((await index.search('my own', { mode: 'vector' })).hits).toHaveLength(1);
  expect(await index.validate({ level: 'full' })).toMatchObject({ valid: true });
  return error as SemanticIndexError;
}

const line = (row: number, change: (document: Record<string, unknown>) => unknown) =>
  changed('documents.jsonl', (bytes) => {
    const lines = bytes.toString().trim().split('\n');
    const value = change(JSON.parse(lines[row] as string));
    lines[row] = typeof value === 'string' ? value : JSON.stringify(value);
    return `${lines.join('\n')}\n`;
  });
const component = (row: number, value: number) =>
  changed('vectors.npy', (bytes) => {
    bytes.writeFloatLE(value, bytes.length - 4 * dimensions * (size - row) + 8);
    return bytes;
  });
const manifest = (change: Record<string, unknown>) =>
  changed('manifest.json', (bytes) => JSON.stringify({ ...JSON.parse(bytes.toString()), ...change }));

describe('an import', () => {
  it('refuses a component that is not finite before it writes anything', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: size - 1 }),
        fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
        async (row, value) => {
          const error = await refusal(component(row, value));
          expect(error.code).toBe('INVALID_FILE');
          expect(error.message).toContain(row === size - 1 ? `documents.jsonl:${size}` : `vectors.npy, row ${row}`);
          expect(error.cause).toMatchObject({ code: 'INVALID_VECTOR' });
        },
      ),
      { numRuns: 12 },
    );
  });

  it.each<[string, (document: Record<string, unknown>) => unknown]>([
    ['a text that is a number', (document) => ({ ...document, text: 5 })],
    ['a missing text', ({ id }) => ({ id })],
    ['an id that is an object', (document) => ({ ...document, id: { a: 1 } })],
    ['a missing id', ({ text }) => ({ text })],
    ['metadata that is a string', (document) => ({ ...document, metadata: 'x' })],
    ['metadata nested too deep', () => `{"id":570,"text":"x","metadata":${'{"a":'.repeat(500)}1${'}'.repeat(500)}}`],
    ['a line that is null', () => 'null'],
    ['a line that is an array', () => '[]'],
    ['an id that occurred before', (document) => ({ ...document, id: 3 })],
  ])('refuses %s and names its line', async (_, change) => {
    const error = await refusal(line(570, change));
    expect(error).toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringMatching(/documents\.jsonl.*571|571.*documents\.jsonl/),
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ['dimensions of 0', { dimensions: 0 }],
    ['dimensions that are a string', { dimensions: '16' }],
    ['more documents than there are', { documents: 1e15 }],
    ['a fingerprint that is an object', { fingerprint: { a: 1 } }],
    ['a metric that is an object', { metric: {} }],
    ['canaries that are cut off', { canaries: '{"x' }],
    ['canaries that are a number', { canaries: 7 }],
    [
      'canaries of other dimensions',
      { canaries: '{"version":1,"canaries":[{"role":"query","text":"a","vector":""}]}' },
    ],
  ])('refuses a manifest with %s', async (_, change) => {
    expect((await refusal(manifest(change))).code).toBe('INVALID_FILE');
  });

  it.each(['manifest.json', 'documents.jsonl', 'vectors.npy'])(
    'refuses %s that is missing, a directory or a link',
    async (file) => {
      const copy = changed(file, (bytes) => bytes);
      const path = join(copy, file);
      rmSync(path);
      const missing = file === 'manifest.json' ? 'IO' : 'INVALID_FILE';
      expect(await refusal(copy)).toMatchObject({ code: missing, message: expect.stringContaining(file) });
      mkdirSync(path);
      expect(await refusal(copy)).toMatchObject({ code: 'INVALID_FILE', message: expect.stringContaining(file) });
      rmSync(path, { recursive: true });
      symlinkSync(join(good, file), path);
      expect(await refusal(copy)).toMatchObject({ code: 'INVALID_FILE', message: expect.stringContaining(file) });
    },
  );

  it('fails with a typed error where a file is missing', async () => {
    for (const file of ['documents.jsonl', 'vectors.npy', 'manifest.json']) {
      const copy = changed(file, (bytes) => bytes);
      rmSync(join(copy, file));
      expect((await refusal(copy)).code).toBe(file === 'manifest.json' ? 'IO' : 'INVALID_FILE');
    }
  });

  it('leaves an empty index without a space when it refuses', async () => {
    await using index = await SemanticIndex.open(':memory:', { provider: null });
    await expect(index.importFrom(component(3, Number.NaN))).rejects.toMatchObject({ code: 'INVALID_FILE' });
    expect((await index.stats()).dimensions).toBeUndefined();
    await expect(index.importFrom(manifest({ dimensions: 1e9 }))).rejects.toMatchObject({ code: 'INVALID_FILE' });
  });

  it('stores a vector of a model with length 1, whatever length it has in the export', async () => {
    await using index = await SemanticIndex.open(':memory:', { provider });
    await index.importFrom(component(3, 1e30));
    const [vector] = await index.getVectors([3]);
    expect(Math.hypot(...(vector as Float32Array))).toBeCloseTo(1);
  });
});

describe('the name of an index in memory', () => {
  it('is refused where a directory is written or read: an index with that name could not be opened', async () => {
    await using index = await SemanticIndex.open(':memory:', { provider });
    await index.addDocuments(['one']);
    for (const call of [
      () => index.backup(':memory:'),
      () => index.exportTo(':memory:'),
      () => index.importFrom(':memory:'),
    ]) {
      await expect(call()).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/^(?:backup|exportTo|importFrom): expected a path, got ":memory:"$/),
      });
    }
    expect(existsSync(':memory:')).toBe(false);
  });
});
