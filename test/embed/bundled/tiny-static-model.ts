import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchDirectory } from '../../scratch-directory.js';
import { revisionOf, type SaturationConfig } from './saturated-model.js';

/** A tokenizer.json with the steps of the bundled model and a vocabulary of one's choice. */
export function tinyTokenizer(vocabulary: readonly string[], change: Record<string, unknown> = {}): object {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Replace', pattern: { Regex: '(?<=[a-z])(?=[A-Z])' }, content: ' ' },
        { type: 'NFKD' },
        { type: 'Replace', pattern: { Regex: '\\p{Mn}' }, content: '' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'WhitespaceSplit' },
        { type: 'Split', pattern: { Regex: '[^\\p{L}\\p{N}]|[㐀-鿿]' }, behavior: 'Isolated', invert: false },
      ],
    },
    post_processor: null,
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 20,
      vocab: Object.fromEntries(['[PAD]', '[UNK]', ...vocabulary].map((token, id) => [token, id])),
    },
    ...change,
  };
}

export interface TinyModel {
  folder: string;
  /** The table in plain numbers, scales applied. */
  rows: number[][];
}

/** Writes a static-embedding folder of random rows; those of [PAD], [UNK] and `zero` are zero. */
export function tinyStaticModel(
  vocabulary: readonly string[],
  options: {
    dimensions?: number;
    quantization?: 'int8' | 'int4';
    maxTokens?: number;
    zero?: readonly string[];
    wordRows?: number;
    saturation?: SaturationConfig;
  } = {},
): TinyModel {
  const { dimensions = 8, quantization = 'int8', maxTokens = 4096, zero = [], wordRows, saturation } = options;
  const count = vocabulary.length + 2;
  const limit = quantization === 'int8' ? 127 : 7;
  let state = 12345;
  const random = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state / 2 ** 32;
  };
  const isZero = (row: number): boolean => row < 2 || zero.includes(vocabulary[row - 2]!);
  const integers = Array.from({ length: count }, (_, row) =>
    Array.from({ length: dimensions }, () => (isZero(row) ? 0 : Math.round((random() * 2 - 1) * limit))),
  );
  const scales = Float32Array.from({ length: count }, (_, row) => (isZero(row) ? 0 : (random() + 0.1) / limit));
  const bytes =
    quantization === 'int8'
      ? Buffer.from(Int8Array.from(integers.flat()).buffer)
      : Buffer.from(
          integers.flatMap((row) =>
            row.flatMap((value, column) => (column % 2 === 0 ? [(value + 8) | ((row[column + 1]! + 8) << 4)] : [])),
          ),
        );
  const weights = safetensorsBytes({
    embeddings: {
      dtype: quantization === 'int8' ? 'I8' : 'U8',
      shape: [count, quantization === 'int8' ? dimensions : dimensions / 2],
      bytes,
    },
    scales: { dtype: 'F32', shape: [count], bytes: Buffer.from(scales.buffer) },
  });
  const folder = scratchDirectory('tiny-model-');
  writeFileSync(join(folder, 'model.safetensors'), weights);
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tinyTokenizer(vocabulary)));
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({
      model_type: 'static-embedding',
      hidden_size: dimensions,
      vocab_size: count,
      quantization,
      normalize: true,
      max_tokens: maxTokens,
      ...(wordRows === undefined ? {} : { word_rows: wordRows }),
      ...(saturation === undefined ? {} : { saturation }),
      revision: revisionOf(weights, saturation),
    }),
  );
  return { folder, rows: integers.map((row, index) => row.map((value) => value * scales[index]!)) };
}

/** A safetensors file. */
export function safetensorsBytes(
  tensors: Record<string, { dtype: string; shape: number[]; bytes: Buffer }>,
): Buffer<ArrayBuffer> {
  let offset = 0;
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...Object.values(tensors).map(({ bytes }) => bytes)]);
}
