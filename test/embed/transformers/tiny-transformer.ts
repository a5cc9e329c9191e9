import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchDirectory } from '../../scratch-directory.js';
import { tinyTokenizer } from '../bundled/tiny-static-model.js';
import { type OnnxNode, type OnnxTensor, onnxModel } from './onnx-writer.js';

const words = ['red', 'green', 'blue', 'cat', 'dog', 'sat', 'the', 'query', 'passage', ':', 'a', '##b', 'on', 'mat'];
const special = { cls: 2, sep: 3 };
const maxPositions = 64;
const D = 8;

/**
 * A transformer of one layer (embeddings + positions, self-attention with mask, a feed-forward step) and its oracle.
 */
export interface TinyTransformer {
  folder: string;
  /** What the model gives for the tokens of one text, computed in plain JavaScript without any padding. */
  states(ids: readonly number[]): number[][];
  /** The ids of words of the vocabulary, with [CLS] and [SEP]. */
  ids(text: string): number[];
}

export interface TinyTransformerOptions {
  /** Folder name; families are recognised by it. */
  name?: string;
  maxTokens?: number;
  /**
   * Writes onnx/model_quantized.onnx, whose feed-forward step quantizes activations at run time, in place of
   * model.onnx.
   */
  quantized?: boolean;
  /** An output `sentence_embedding` beside the token states: the first token's state, negated. */
  sentenceOutput?: boolean;
  /** Gives the only output this name. */
  outputName?: string;
}

export function tinyTransformer(options: TinyTransformerOptions = {}): TinyTransformer {
  const { name = 'tiny', maxTokens = 12, quantized = false, sentenceOutput = false, outputName } = options;
  const vocabulary = ['[CLS]', '[SEP]', ...words];
  const random = seededNumbers(7);
  const matrix = (rows: number, columns: number, size: number): Float32Array =>
    Float32Array.from({ length: rows * columns }, () => (random() * 2 - 1) * size);
  const embeddings = matrix(vocabulary.length + 2, D, 1);
  const positions = matrix(maxPositions, D, 0.5);
  const [query, key, value, inner, outer] = [0, 1, 2, 3, 4].map(() => matrix(D, D, 0.8)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const innerBytes = Int8Array.from(inner, (weight) => Math.round((weight / 0.8) * 127));

  const root = scratchDirectory('tiny-transformer-');
  const folder = join(root, name);
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  const constants: OnnxTensor[] = [
    { name: 'embeddings', dims: [embeddings.length / D, D], data: embeddings },
    { name: 'positions', dims: [maxPositions, D], data: positions },
    { name: 'query', dims: [D, D], data: query },
    { name: 'key', dims: [D, D], data: key },
    { name: 'value', dims: [D, D], data: value },
    { name: 'inner', dims: [D, D], data: inner },
    { name: 'innerBytes', dims: [D, D], data: innerBytes },
    { name: 'innerScale', dims: [], data: Float32Array.of(0.8 / 127) },
    { name: 'outer', dims: [D, D], data: outer },
    { name: 'one', dims: [], data: BigInt64Array.of(1n) },
    { name: 'axis1', dims: [], data: BigInt64Array.of(1n) },
    { name: 'axes1', dims: [1], data: BigInt64Array.of(1n) },
    { name: 'scale', dims: [], data: Float32Array.of(1 / Math.sqrt(D)) },
    { name: 'onef', dims: [], data: Float32Array.of(1) },
    { name: 'far', dims: [], data: Float32Array.of(-1e9) },
    { name: 'first', dims: [], data: BigInt64Array.of(0n) },
  ];
  const step = (type: string, inputs: string[], output: string, attributes: OnnxNode['attributes'] = {}): OnnxNode => ({
    type,
    inputs,
    outputs: [output],
    attributes,
  });
  const states = outputName ?? 'last_hidden_state';
  const nodes: OnnxNode[] = [
    step('Gather', ['embeddings', 'input_ids'], 'words'),
    step('Shape', ['input_ids'], 'shape'),
    step('ConstantOfShape', ['shape'], 'ones', { value: { name: 'v', dims: [1], data: BigInt64Array.of(1n) } }),
    step('CumSum', ['ones', 'axis1'], 'counted'),
    step('Sub', ['counted', 'one'], 'places'),
    step('Gather', ['positions', 'places'], 'placed'),
    step('Add', ['words', 'placed'], 'x'),
    step('MatMul', ['x', 'query'], 'q'),
    step('MatMul', ['x', 'key'], 'k'),
    step('MatMul', ['x', 'value'], 'v'),
    step('Transpose', ['k'], 'kT', { perm: [0, 2, 1] }),
    step('MatMul', ['q', 'kT'], 'dots'),
    step('Mul', ['dots', 'scale'], 'scores'),
    step('Cast', ['attention_mask'], 'maskf', { to: 1 }),
    step('Sub', ['onef', 'maskf'], 'hidden'),
    step('Mul', ['hidden', 'far'], 'penalty'),
    step('Unsqueeze', ['penalty', 'axes1'], 'bias'),
    step('Add', ['scores', 'bias'], 'masked'),
    step('Softmax', ['masked'], 'attention', { axis: -1 }),
    step('MatMul', ['attention', 'v'], 'context'),
    step('Add', ['x', 'context'], 'y'),
    ...(quantized
      ? [
          { type: 'DynamicQuantizeLinear', inputs: ['y'], outputs: ['yBytes', 'yScale', 'yZero'] },
          step('MatMulInteger', ['yBytes', 'innerBytes', 'yZero'], 'product'),
          step('Cast', ['product'], 'productf', { to: 1 }),
          step('Mul', ['yScale', 'innerScale'], 'bothScales'),
          step('Mul', ['productf', 'bothScales'], 'up'),
        ]
      : [step('MatMul', ['y', 'inner'], 'up')]),
    step('Relu', ['up'], 'active'),
    step('MatMul', ['active', 'outer'], 'down'),
    step('Add', ['y', 'down'], states),
    ...(sentenceOutput
      ? [
          step('Gather', [states, 'first'], 'firstState', { axis: 1 }),
          step('Neg', ['firstState'], 'sentence_embedding'),
        ]
      : []),
  ];
  const bytes = onnxModel({
    nodes,
    constants,
    inputs: [
      ['input_ids', ['batch', 'length']],
      ['attention_mask', ['batch', 'length']],
    ],
    outputs: [
      [states, ['batch', 'length', D]],
      ...(sentenceOutput ? [['sentence_embedding', ['batch', D]] as [string, (string | number)[]]] : []),
    ],
  });
  writeFileSync(join(folder, 'onnx', quantized ? 'model_quantized.onnx' : 'model.onnx'), bytes);
  const template = [
    { SpecialToken: { id: '[CLS]', type_id: 0 } },
    { Sequence: { id: 'A', type_id: 0 } },
    { SpecialToken: { id: '[SEP]', type_id: 0 } },
  ];
  const tokenizer = tinyTokenizer(vocabulary, {
    post_processor: {
      type: 'TemplateProcessing',
      single: template,
      pair: template,
      special_tokens: {
        '[CLS]': { id: '[CLS]', ids: [special.cls], tokens: ['[CLS]'] },
        '[SEP]': { id: '[SEP]', ids: [special.sep], tokens: ['[SEP]'] },
      },
    },
  });
  const write = (file: string, content: object): void => writeFileSync(join(folder, file), JSON.stringify(content));
  write('tokenizer.json', tokenizer);
  write('tokenizer_config.json', {
    tokenizer_class: 'PreTrainedTokenizerFast',
    model_max_length: maxTokens,
    pad_token: '[PAD]',
    unk_token: '[UNK]',
  });
  write('config.json', { model_type: 'bert', hidden_size: D, max_position_embeddings: maxPositions });

  const times = (vector: readonly number[], weights: Float32Array): number[] =>
    Array.from({ length: D }, (_, column) =>
      vector.reduce((sum, entry, row) => sum + entry * weights[row * D + column]!, 0),
    );
  return {
    folder,
    ids: (text) => [
      special.cls,
      ...text
        .toLowerCase()
        .split(/\s+|(?=:)/)
        .map((word) => words.indexOf(word) + 4),
      special.sep,
    ],
    states: (ids) => {
      const x = ids.map((id, place) =>
        Array.from({ length: D }, (_, column) => embeddings[id * D + column]! + positions[place * D + column]!),
      );
      const [q, k, v] = [query, key, value].map((weights) => x.map((row) => times(row, weights))) as [
        number[][],
        number[][],
        number[][],
      ];
      return x.map((row, place) => {
        const scores = k.map((other) =>
          Math.exp(other.reduce((sum, entry, column) => sum + entry * q[place]![column]!, 0) / Math.sqrt(D)),
        );
        const total = scores.reduce((sum, score) => sum + score, 0);
        const y = row.map(
          (entry, column) =>
            entry + scores.reduce((sum, score, index) => sum + (score / total) * v[index]![column]!, 0),
        );
        const active = times(y, inner).map((entry) => Math.max(0, entry));
        return times(active, outer).map((entry, column) => entry + y[column]!);
      });
    },
  };
}

function seededNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
