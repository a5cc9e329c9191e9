// Writes the bundled model as a folder with ONNX weights, for libraries that run no other: node models/write-onnx.mjs FOLDER
// A second folder is that of another static model with four-bit rows.
// Inputs `input_ids` and `attention_mask` [texts, tokens]; outputs `last_hidden_state` [texts, tokens, width], what each token adds
// to the sum of its text, and `sentence_embedding` [texts, width], the finished vectors. The format is a small protocol buffer
// (onnx.proto3).
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const kinds = { Float32Array: 1, Uint8Array: 2, BigInt64Array: 7, Boolean: 9 };
/** The first one in which ScatterElements adds. */
const opset = 16;
const irVersion = 8;

function varint(value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}
const number = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const bytes = (field, ...parts) => {
  const value = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([varint((field << 3) | 2), varint(value.length), value]);
};

const tensor = (name, sizes, values) =>
  bytes(
    5,
    ...sizes.map((size) => number(1, size)),
    number(2, kinds[values.constructor.name]),
    bytes(8, name),
    bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  );
const value = (field, name, kind, sizes) => {
  const shape = sizes.map((size) => bytes(1, typeof size === 'string' ? bytes(2, size) : number(1, size)));
  return bytes(field, bytes(1, name), bytes(2, bytes(1, number(1, kind), bytes(2, ...shape))));
};
const node = (operator, inputs, output, ...attributes) =>
  bytes(
    1,
    ...inputs.split(' ').map((name) => bytes(1, name)),
    bytes(2, output),
    bytes(3, output),
    bytes(4, operator),
    ...attributes,
  );
const integer = (name, setting) => bytes(5, bytes(1, name), number(3, setting), number(20, 2));
const string = (name, setting) => bytes(5, bytes(1, name), bytes(4, setting), number(20, 3));
const integers = (name, settings) =>
  bytes(5, bytes(1, name), ...settings.map((setting) => number(8, setting)), number(20, 7));

/**
 * The weight of each token where repeated ones saturate: 1 / (c + k1 * (1 - b + b * n / average)), which its c occurrences among the n
 * known tokens of the text share. Tokens are counted in a row of numbers for each text, one for each row of the table.
 */
function saturatedWeights({ k1, b, average_tokens: average }, rows, one) {
  return [
    node('Cast', 'scales', 'has_row', integer('to', kinds.Boolean)),
    node('Cast', 'has_row', 'known_rows', integer('to', kinds.Float32Array)),
    node('Gather', 'known_rows input_ids', 'known_tokens'),
    node('Mul', 'known_tokens mask', 'known'),
    node('Shape', 'input_ids', 'texts_and_tokens'),
    node('Slice', 'texts_and_tokens zero_index one_index', 'texts'),
    node('Concat', 'texts rows', 'counts_shape', integer('axis', 0)),
    node('ConstantOfShape', 'counts_shape', 'no_counts'),
    node('ScatterElements', 'no_counts input_ids known', 'counts', integer('axis', 1), string('reduction', 'add')),
    node('GatherElements', 'counts input_ids', 'occurrences', integer('axis', 1)),
    node('ReduceSum', 'known second', 'lengths', integer('keepdims', 1)),
    node('Mul', 'lengths k1_b_average', 'long'),
    node('Add', 'long k1_rest', 'start'),
    node('Add', 'occurrences start', 'occurrences_and_start'),
    // Unknown tokens have neither, perhaps.
    node('Max', 'occurrences_and_start tiny', 'denominators'),
    node('Div', 'row_scales denominators', 'shared_scales'),
    node('Mul', 'shared_scales known', 'weights'),
    one('k1_b_average', (k1 * b) / average),
    one('k1_rest', k1 * (1 - b)),
    tensor('zero_index', [1], BigInt64Array.of(0n)),
    tensor('one_index', [1], BigInt64Array.of(1n)),
    tensor('rows', [1], BigInt64Array.of(BigInt(rows))),
  ];
}

/** The graph over rows of two nibbles a byte, the even column in the low one, each stored as value + 8. */
function onnxModel(table, scales, width, saturation) {
  const toFloat = integer('to', kinds.Float32Array);
  const one = (name, setting) => tensor(name, [], Float32Array.of(setting));
  const graph = [
    node('Gather', 'embeddings input_ids', 'bytes'),
    node('Cast', 'bytes', 'both', toFloat),
    node('Mul', 'both sixteenth', 'shifted'),
    node('Floor', 'shifted', 'high'),
    node('Mul', 'high sixteen', 'high_part'),
    node('Sub', 'both high_part', 'low'),
    node('Unsqueeze', 'low last', 'low_column'),
    node('Unsqueeze', 'high last', 'high_column'),
    node('Concat', 'low_column high_column', 'columns', integer('axis', -1)),
    node('Reshape', 'columns rows_shape', 'nibbles'),
    node('Sub', 'nibbles eight', 'integers'),
    node('Gather', 'scales input_ids', 'row_scales'),
    node('Cast', 'attention_mask', 'mask', toFloat),
    ...(saturation === undefined
      ? [node('Mul', 'row_scales mask', 'weights')]
      : saturatedWeights(saturation, scales.length, one)),
    node('Unsqueeze', 'weights last', 'weight_columns'),
    node('Mul', 'integers weight_columns', 'last_hidden_state'),
    node('ReduceSum', 'last_hidden_state second', 'sum', integer('keepdims', 0)),
    node('ReduceL2', 'sum', 'length', integers('axes', [-1]), integer('keepdims', 1)),
    node('Max', 'length tiny', 'divisor'),
    node('Div', 'sum divisor', 'sentence_embedding'),
    bytes(2, 'static-embedding'),
    tensor('embeddings', [scales.length, width / 2], table),
    tensor('scales', [scales.length], scales),
    one('sixteenth', 1 / 16),
    one('sixteen', 16),
    one('eight', 8),
    one('tiny', 1e-12),
    tensor('last', [1], BigInt64Array.of(-1n)),
    tensor('second', [1], BigInt64Array.of(1n)),
    tensor('rows_shape', [3], BigInt64Array.of(0n, 0n, BigInt(width))),
    value(11, 'input_ids', kinds.BigInt64Array, ['texts', 'tokens']),
    value(11, 'attention_mask', kinds.BigInt64Array, ['texts', 'tokens']),
    value(12, 'last_hidden_state', kinds.Float32Array, ['texts', 'tokens', width]),
    value(12, 'sentence_embedding', kinds.Float32Array, ['texts', width]),
  ];
  const operators = bytes(8, bytes(1, ''), number(2, opset));
  return Buffer.concat([number(1, irVersion), bytes(2, 'semantic-index'), bytes(7, ...graph), operators]);
}

const [target, source] = process.argv.slice(2);
if (target === undefined) {
  process.stderr.write('usage: node write-onnx.mjs FOLDER [MODEL]\n');
  process.exit(2);
}
const folder = source ?? fileURLToPath(new URL('semantic-index-en', import.meta.url));
const file = readFileSync(join(folder, 'model.safetensors'));
const start = 8 + Number(file.readBigUInt64LE(0));
const header = JSON.parse(file.toString('utf8', 8, start));
const part = (name) => {
  const [from, to] = header[name].data_offsets;
  return Uint8Array.from(file.subarray(start + from, start + to));
};
const { hidden_size: width, saturation } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
mkdirSync(join(target, 'onnx'), { recursive: true });
for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json'])
  cpSync(join(folder, name), join(target, name));
writeFileSync(
  join(target, 'onnx', 'model_quantized.onnx'),
  onnxModel(part('embeddings'), new Float32Array(part('scales').buffer), width, saturation),
);
