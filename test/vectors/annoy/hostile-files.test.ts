import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundledProvider, SemanticIndex, SemanticIndexError, VectorMatrix } from '../../../src/index.js';
import { AnnoyIndex } from '../../../src/vectors/annoy/annoy-index.js';
import { tinyStaticModel } from '../../embed/bundled/tiny-static-model.js';

// Each decoder reads random bytes, and valid files with some bytes changed, cut, repeated or replaced by extreme numbers. It
// answers with a value or a typed error, in bounded time and memory.

const base = mkdtempSync(join(tmpdir(), 'semantic-index-hostile-'));
const model = tinyStaticModel(['hello', 'world', '##s', '$']).folder;
const exported = join(base, 'export');
const vector = (id: number): Float32Array => Float32Array.of(1, id, 2, 0.5);
/** More with SEMANTIC_INDEX_FUZZ_RUNS. */
const runs = Number(process.env.SEMANTIC_INDEX_FUZZ_RUNS ?? 25);
let n = 0;

beforeAll(async () => {
  await using index = await SemanticIndex.open(':memory:', { provider: null });
  const documents = Array.from({ length: 5 }, (_, id) => ({
    id,
    text: `text ${id}`,
    vector: vector(id),
    metadata: { id },
  }));
  await index.addDocuments(documents);
  await index.exportTo(exported);
  for (const name of ['m.npy', 'm.fvecs', 'm.desc']) {
    const folder = join(base, name);
    mkdirSync(folder);
    await using matrix = await VectorMatrix.create(join(folder, name), {
      rows: 5,
      columns: 4,
      dtype: name === 'm.desc' ? 'f8' : 'f4',
    });
    await matrix.setRows(0, name === 'm.desc' ? new Float64Array(20).fill(0.5) : new Float32Array(20).fill(0.5));
  }
  const forest = new AnnoyIndex(4, 'angular');
  for (let id = 0; id < 20; id++) forest.addItem(id, vector(id));
  await forest.build(2);
  mkdirSync(join(base, 'forest'));
  await forest.save(join(base, 'forest', 'a.ann'));
  forest.close();
});
afterAll(() => {
  rmSync(base, { recursive: true, force: true });
  rmSync(model, { recursive: true, force: true });
});

/** One change of a file: at a relative place. */
const change = fc.record({
  kind: fc.constantFrom('flip', 'cut', 'repeat', 'number', 'word', 'grow'),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  byte: fc.integer({ min: 0, max: 255 }),
  number: fc.constantFrom('-1', '0', '1e308', '9007199254740993', '4294967296', '99999999999999999999', 'NaN', '1.5'),
  word: fc.constantFrom(
    'null',
    '[]',
    '{}',
    '"x"',
    'true',
    '"__proto__"',
    '(',
    '"../../etc/passwd"',
    '\\u0000',
    '\ud800',
  ),
});
const mutation = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => () => Buffer.from(bytes)) },
  {
    weight: 6,
    arbitrary: fc
      .array(change, { minLength: 1, maxLength: 3 })
      .map((changes) => (bytes: Buffer) => changes.reduce(changed, bytes)),
  },
);

function changed(
  bytes: Buffer,
  { kind, share, byte, number, word }: typeof change extends fc.Arbitrary<infer T> ? T : never,
): Buffer {
  const at = Math.floor(share * Math.max(0, bytes.length - 1));
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
  if (kind === 'cut') return Buffer.from(head);
  if (kind === 'repeat') return Buffer.concat([bytes, tail]);
  if (kind === 'grow') return Buffer.concat([head, Buffer.alloc(byte), tail]);
  if (kind === 'flip') {
    const copy = Buffer.from(bytes);
    if (copy.length > 0) copy[at] = byte;
    return copy;
  }
  // The next number or word of a text is replaced; in binary files this is one more splice.
  const text = tail.toString('latin1');
  const found = (kind === 'number' ? /-?\d+(?:\.\d+)?/ : /"[^"]*"|true|false|null|[a-z]+/i).exec(text);
  if (found === null) return Buffer.from(bytes);
  const replaced =
    text.slice(0, found.index) + (kind === 'number' ? number : word) + text.slice(found.index + found[0].length);
  return Buffer.concat([head, Buffer.from(replaced, 'latin1')]);
}

interface Decoder {
  readonly folder: () => string;
  readonly file: string;
  readonly read: (folder: string) => Promise<unknown>;
}

async function embedded(folder: string): Promise<void> {
  const provider = bundledProvider({ folder });
  try {
    const { vectors } = await provider.embed(['hello worlds, $5 and more'], { role: 'document' });
    for (const value of vectors[0] as Float32Array) expect(value).not.toBeNaN();
  } finally {
    await provider.close?.();
  }
}

async function matrixRows(path: string): Promise<void> {
  await using matrix = await VectorMatrix.open(path);
  await matrix.getRows(0, Math.min(matrix.rows, 3));
}

async function imported(folder: string): Promise<void> {
  const index = await SemanticIndex.open(':memory:', { provider: null });
  try {
    await index.importFrom(folder);
  } finally {
    expect((await index.validate({ level: 'full' })).valid).toBe(true);
    await index.close();
  }
}

async function searched(folder: string): Promise<void> {
  const index = await AnnoyIndex.open(join(folder, 'a.ann'));
  try {
    const found = index.getNnsByVector(vector(3), 5);
    expect(found.length).toBeLessThanOrEqual(5);
    await index.validate();
  } finally {
    index.close();
  }
}

const decoders: Record<string, Decoder> = {
  safetensors: { folder: () => model, file: 'model.safetensors', read: embedded },
  'tokenizer.json': { folder: () => model, file: 'tokenizer.json', read: embedded },
  'config.json of a model': { folder: () => model, file: 'config.json', read: embedded },
  'a NumPy matrix': {
    folder: () => join(base, 'm.npy'),
    file: 'm.npy',
    read: (folder) => matrixRows(join(folder, 'm.npy')),
  },
  'a vecs file': {
    folder: () => join(base, 'm.fvecs'),
    file: 'm.fvecs',
    read: (folder) => matrixRows(join(folder, 'm.fvecs')),
  },
  'a descriptor of a big matrix': {
    folder: () => join(base, 'm.desc'),
    file: 'm.desc',
    read: (folder) => matrixRows(join(folder, 'm.desc')),
  },
  'the sidecar of an Annoy file': { folder: () => join(base, 'forest'), file: 'a.ann.meta.json', read: searched },
  'an Annoy file': { folder: () => join(base, 'forest'), file: 'a.ann', read: searched },
  'the manifest of an export': { folder: () => exported, file: 'manifest.json', read: imported },
  'the documents of an export': { folder: () => exported, file: 'documents.jsonl', read: imported },
  'the vectors of an export': { folder: () => exported, file: 'vectors.npy', read: imported },
};

describe.each(Object.entries(decoders))('%s', (_, { folder, file, read }) => {
  it('is read as it is', async () => {
    await read(folder());
  });

  it('that is damaged or made up gives a value or a typed error, in time', async () => {
    const bytes = readFileSync(join(folder(), file));
    const directory = join(base, `mutated-${n++}`);
    cpSync(folder(), directory, { recursive: true });
    await fc.assert(
      fc.asyncProperty(mutation, async (mutate) => {
        writeFileSync(join(directory, file), mutate(bytes));
        const began = performance.now();
        const memory = process.memoryUsage().rss;
        const error = await read(directory).catch((reason: unknown) => reason);
        if (error !== undefined) {
          expect(error).toSatisfy((reason) => SemanticIndexError.is(reason), String((error as Error).stack));
          expect((error as SemanticIndexError).code).not.toBe('INTERNAL');
        }
        expect(performance.now() - began).toBeLessThan(10_000);
        expect(process.memoryUsage().rss - memory).toBeLessThan(300e6);
      }),
      { numRuns: runs },
    );
    expect({}).not.toHaveProperty('polluted');
  });
});
