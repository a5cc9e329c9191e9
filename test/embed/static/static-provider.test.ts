import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { staticProvider } from '../../../src/embed/static/static-provider.js';
import { testProvider } from '../../../src/embed/testing/conformance.js';
import { SemanticIndex } from '../../../src/semantic-index.js';

const root = mkdtempSync(join(tmpdir(), 'static-provider-'));
afterAll(() => rmSync(root, { recursive: true }));

const vocabulary = ['[PAD]', '[UNK]', 'the', 'cat', 'sat', '##s', 'mat', '.', 'na', '##ive', '日', '本'];
const [rows, columns] = [vocabulary.length, 6];
/** Numbers that float16 represents exactly, in both halves of its range. */
const numbers = Float64Array.from(
  { length: rows * columns },
  (_, at) => (((at * 37) % 64) - 31) / (at % 5 === 0 ? 2 ** 20 : 8),
);
const options = { role: 'document' } as const;

function tokenizerJson(): string {
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: null,
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
    },
  });
}

/** A float of half precision, by its definition. */
function half(value: number): number {
  if (value === 0) return 0;
  const sign = value < 0 ? 0x8000 : 0;
  const size = Math.abs(value);
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
  return sign | ((exponent + 15) << 10) | Math.round((size / 2 ** exponent - 1) * 1024);
}

function bytesOf(dtype: string, values: ArrayLike<number>): Buffer {
  const list = Array.from(values);
  switch (dtype) {
    case 'F16':
      return Buffer.from(Uint16Array.from(list, half).buffer);
    case 'BF16':
      return Buffer.from(
        Uint16Array.from(list, (value) => new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16).buffer,
      );
    case 'F64':
      return Buffer.from(Float64Array.from(list).buffer);
    case 'I8':
      return Buffer.from(Int8Array.from(list, (value) => Math.round(value * 8)).buffer);
    case 'I64':
      return Buffer.from(BigInt64Array.from(list, BigInt).buffer);
    case 'I16':
      return Buffer.from(Int16Array.from(list).buffer);
    default:
      return Buffer.from(Float32Array.from(list).buffer);
  }
}

type Tensors = Record<string, { dtype: string; shape: number[]; values: ArrayLike<number> }>;

function safetensors(tensors: Tensors): Buffer {
  const header: Record<string, unknown> = {};
  const parts: Buffer[] = [];
  let at = 0;
  for (const [name, { dtype, shape, values }] of Object.entries(tensors)) {
    const part = bytesOf(dtype, values);
    header[name] = { dtype, shape, data_offsets: [at, at + part.length] };
    parts.push(part);
    at += part.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...parts]);
}

let made = 0;
function folderOf(files: Record<string, string | Buffer>): string {
  const folder = join(root, `model-${made++}`);
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const table = (dtype = 'F32'): Tensors[string] => ({ dtype, shape: [rows, columns], values: numbers });

function model2vec(tensors: Tensors, config: object = { normalize: true }): string {
  return folderOf({
    'config.json': JSON.stringify({
      model_type: 'model2vec',
      architectures: ['StaticModel'],
      apply_zipf: true,
      ...config,
    }),
    'tokenizer.json': tokenizerJson(),
    'model.safetensors': safetensors(tensors),
  });
}

function sentenceTransformers(normalizes: boolean): string {
  const modules = [
    { idx: 0, name: '0', path: '0_StaticEmbedding', type: 'sentence_transformers.models.StaticEmbedding' },
    ...(normalizes ? [{ idx: 1, name: '1', path: '1_Normalize', type: 'sentence_transformers.models.Normalize' }] : []),
  ];
  return folderOf({
    'modules.json': JSON.stringify(modules),
    'config_sentence_transformers.json': '{}',
    '0_StaticEmbedding/tokenizer.json': tokenizerJson(),
    '0_StaticEmbedding/model.safetensors': safetensors({ 'embedding.weight': table() }),
  });
}

/** Tokens of the texts, written out by hand from the vocabulary. */
const tokensOf: [string, number[]][] = [
  ['The cat sat.', [2, 3, 4, 7]],
  ['cats', [3, 5]],
  ['The zebra sat on the mat', [2, 1, 4, 1, 2, 6]],
  ['NAÏVE cats', [8, 9, 3, 5]],
  ['日本', [10, 11]],
];

function expected(
  ids: readonly number[],
  {
    normalize,
    unknown = true,
    weights,
    mapping,
    scale = 1,
  }: {
    normalize: boolean;
    unknown?: boolean;
    weights?: number[];
    mapping?: number[];
    scale?: number;
  },
): number[] {
  const kept = unknown ? ids : ids.filter((id) => id !== 1);
  const sum = Array.from({ length: columns }, (_, column) =>
    kept.reduce(
      (total, id) => total + (weights?.[id] ?? 1) * numbers[(mapping?.[id] ?? id) * columns + column]! * scale,
      0,
    ),
  );
  const mean = sum.map((value) => value / kept.length);
  const length = Math.hypot(...mean);
  return normalize ? mean.map((value) => value / length) : mean;
}

async function largestDifference(folder: string, about: Parameters<typeof expected>[1]): Promise<number> {
  const { vectors } = await staticProvider(folder).embed(
    tokensOf.map(([text]) => text),
    options,
  );
  return Math.max(
    ...tokensOf.flatMap(([, ids], text) =>
      expected(ids, about).map((value, column) => Math.abs(value - vectors[text]![column]!)),
    ),
  );
}

describe('staticProvider', () => {
  it.each(['F32', 'F64', 'F16'])('reads model2vec tables of %s, without unknown tokens', async (dtype) => {
    expect(
      await largestDifference(model2vec({ embeddings: table(dtype) }), { normalize: true, unknown: false }),
    ).toBeLessThan(1e-5);
    const plain = model2vec({ embeddings: table(dtype) }, { normalize: false });
    expect(await largestDifference(plain, { normalize: false, unknown: false })).toBeLessThan(1e-5);
  });

  it('reads tables of int8, whose scale is lost with the length', async () => {
    const whole = Float64Array.from(numbers, (value) => Math.round(value * 8));
    const folder = model2vec({ embeddings: { dtype: 'F32', shape: [rows, columns], values: whole } });
    const { vectors } = await staticProvider(model2vec({ embeddings: table('I8') })).embed(['The cat sat.'], options);
    expect(vectors).toEqual((await staticProvider(folder).embed(['The cat sat.'], options)).vectors);
  });

  it('applies weights of tokens, and maps tokens to shared rows', async () => {
    const weights = Array.from({ length: rows }, (_, id) => 0.25 + id / 4);
    const mapping = Array.from({ length: rows }, (_, id) => (id * 5) % 7);
    const folder = model2vec({
      embeddings: table(),
      weights: { dtype: 'F64', shape: [rows], values: weights },
      mapping: { dtype: 'I64', shape: [rows], values: mapping },
    });
    expect(await largestDifference(folder, { normalize: true, unknown: false, weights, mapping })).toBeLessThan(1e-5);
  });

  it.each([true, false])(
    'reads StaticEmbedding of sentence-transformers, with unknown tokens (Normalize: %s)',
    async (normalize) => {
      expect(await largestDifference(sentenceTransformers(normalize), { normalize })).toBeLessThan(1e-5);
    },
  );

  const teacher = join(process.cwd(), '../shared/data/teacher/potion-base-4m-int8');
  const golden = join(teacher, 'golden.json');
  it.skipIf(!existsSync(golden))('equals the reference vectors of a published model (needs its files)', async () => {
    const list = JSON.parse(readFileSync(golden, 'utf8')) as { text: string; embedding: number[] }[];
    const { vectors } = await staticProvider(teacher).embed(
      list.map(({ text }) => text),
      options,
    );
    for (const [place, { embedding }] of list.entries()) {
      if (embedding.every((value) => value === 0)) continue;
      for (const [column, value] of embedding.entries()) expect(vectors[place]![column]).toBeCloseTo(value, 5);
    }
  });

  it('truncates like the library, and on request', async () => {
    const folder = model2vec({ embeddings: table() });
    const long = 'cat '.repeat(2000);
    const { usage } = await staticProvider(folder).embed([long], options);
    // 512 times the median length of the tokens, three characters, of which four make a token.
    expect(usage?.tokens).toBe(384);
    expect((await staticProvider(folder, { maxTokens: 3 }).embed(['the cat sat mat'], options)).usage?.tokens).toBe(2);
    const other = sentenceTransformers(true);
    expect((await staticProvider(other).embed([long], options)).usage?.tokens).toBe(2000);
    expect((await staticProvider(other, { maxTokens: 3 }).embed([long], options)).usage?.tokens).toBe(3);
  });

  it('keeps to the contract of providers and locks an index to its files', async () => {
    const folder = model2vec({ embeddings: table() });
    await testProvider(staticProvider(folder));
    const path = join(root, 'index');
    {
      await using index = await SemanticIndex.open(path, { provider: staticProvider(folder) });
      await index.addDocuments(['The cat sat', 'the mat', 'zzz']);
      expect((await index.search('cats', { mode: 'vector' })).hits[0]?.text).toBe('The cat sat');
    }
    const changed = Float64Array.from(numbers, (value, at) => (at === 20 ? value + 1 : value));
    const other = model2vec({ embeddings: { dtype: 'F32', shape: [rows, columns], values: changed } });
    const opened = SemanticIndex.open(path, { provider: staticProvider(other) }).then(async (index) => {
      try {
        return await index.search('cats');
      } finally {
        await index.close();
      }
    });
    await expect(opened).rejects.toMatchObject({ code: 'SPACE_MISMATCH' });
  });

  const valid = { 'tokenizer.json': tokenizerJson(), 'model.safetensors': safetensors({ embeddings: table() }) };
  const config = JSON.stringify({ model_type: 'model2vec', normalize: true });
  it.each<[string, Record<string, string | Buffer>, string]>([
    ['an empty directory', {}, 'MODEL_NOT_FOUND'],
    ['another kind of model', { 'config.json': '{"model_type":"bert"}' }, 'MODEL_NOT_FOUND'],
    ['other modules', { 'modules.json': '[{"type":"sentence_transformers.models.Transformer"}]' }, 'INVALID_FILE'],
    ['a path out of the directory', { 'modules.json': '[{"path":"../x","type":"a.StaticEmbedding"}]' }, 'INVALID_FILE'],
    ['no weights', { 'config.json': config, 'tokenizer.json': tokenizerJson() }, 'MODEL_NOT_FOUND'],
    ['no tokenizer', { 'config.json': config, 'model.safetensors': valid['model.safetensors'] }, 'MODEL_NOT_FOUND'],
    ['a config that is not JSON', { ...valid, 'config.json': '{' }, 'INVALID_FILE'],
    ['weights that are none', { ...valid, 'config.json': config, 'model.safetensors': 'nonsense' }, 'INVALID_FILE'],
    [
      'a table of another name',
      { ...valid, 'config.json': config, 'model.safetensors': safetensors({ other: table() }) },
      'INVALID_FILE',
    ],
    [
      'a normalize of another type',
      { ...valid, 'config.json': '{"model_type":"model2vec","normalize":"yes"}' },
      'INVALID_FILE',
    ],
  ])('refuses %s at once', (_, files, code) => {
    const folder = folderOf(files);
    expect(() => staticProvider(folder)).toThrow(expect.objectContaining({ code }));
  });

  it.each<[string, Tensors, string]>([
    [
      'another number format',
      { embeddings: { dtype: 'I16', shape: [rows, columns], values: numbers } },
      tokenizerJson(),
    ],
    [
      'too few rows',
      { embeddings: { dtype: 'F32', shape: [3, columns], values: numbers.slice(0, 3 * columns) } },
      tokenizerJson(),
    ],
    [
      'too few weights',
      { embeddings: table(), weights: { dtype: 'F32', shape: [2], values: [1, 1] } },
      tokenizerJson(),
    ],
    [
      'a mapping beyond the rows',
      { embeddings: table(), mapping: { dtype: 'I64', shape: [rows], values: Array(rows).fill(99) } },
      tokenizerJson(),
    ],
    ['an unknown tokenizer', { embeddings: table() }, '{"model":{"type":"Riddle","vocab":{}}}'],
    ['a tokenizer that is not JSON', { embeddings: table() }, 'nonsense'],
  ])('refuses %s at the first text', async (_, tensors, tokenizer) => {
    const folder = folderOf({
      'config.json': config,
      'tokenizer.json': tokenizer,
      'model.safetensors': safetensors(tensors),
    });
    await expect(staticProvider(folder).embed(['cat'], options)).rejects.toMatchObject({ code: 'INVALID_FILE' });
  });

  it('refuses arguments that are none', () => {
    expect(() => staticProvider('')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => staticProvider(model2vec({ embeddings: table() }), { maxTokens: 0 })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
