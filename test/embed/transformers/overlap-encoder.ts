import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchDirectory } from '../../scratch-directory.js';
import { tinyTokenizer } from '../bundled/tiny-static-model.js';
import { type OnnxNode, onnxModel } from './onnx-writer.js';

const words = ['red', 'green', 'blue', 'cat', 'dog', 'sat', 'the', 'on', 'mat'];

/** A cross-encoder whose output is how many tokens of the second text are tokens of the first one: attention by equality. */
export function overlapEncoder(): string {
  const folder = join(scratchDirectory('cross-encoder-'), 'overlap');
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  const step = (type: string, inputs: string[], output: string, attributes: OnnxNode['attributes'] = {}): OnnxNode => ({
    type,
    inputs,
    outputs: [output],
    attributes,
  });
  const bytes = onnxModel({
    constants: [
      { name: 'axis1', dims: [1], data: BigInt64Array.of(1n) },
      { name: 'axis2', dims: [1], data: BigInt64Array.of(2n) },
      { name: 'one', dims: [], data: Float32Array.of(1) },
    ],
    nodes: [
      step('Unsqueeze', ['input_ids', 'axis1'], 'columns'),
      step('Unsqueeze', ['input_ids', 'axis2'], 'rows'),
      step('Equal', ['columns', 'rows'], 'equal'),
      step('Cast', ['equal'], 'equals', { to: 1 }),
      step('Cast', ['token_type_ids'], 'second', { to: 1 }),
      step('Cast', ['attention_mask'], 'mask', { to: 1 }),
      step('Sub', ['mask', 'second'], 'first'),
      step('Unsqueeze', ['first', 'axis1'], 'firstColumns'),
      step('Unsqueeze', ['second', 'axis2'], 'secondRows'),
      step('Mul', ['equals', 'firstColumns'], 'seen'),
      step('Mul', ['seen', 'secondRows'], 'pairs'),
      step('ReduceSum', ['pairs', 'axis2'], 'sums', { keepdims: 0 }),
      step('ReduceSum', ['sums', 'axis1'], 'logits', { keepdims: 1 }),
    ],
    inputs: [
      ['input_ids', ['batch', 'length']],
      ['attention_mask', ['batch', 'length']],
      ['token_type_ids', ['batch', 'length']],
    ],
    outputs: [['logits', ['batch', 1]]],
  });
  writeFileSync(join(folder, 'onnx/model.onnx'), bytes);
  const special = (id: string, type: number) => ({ SpecialToken: { id, type_id: type } });
  const sequence = (id: string, type: number) => ({ Sequence: { id, type_id: type } });
  const tokenizer = tinyTokenizer(['[CLS]', '[SEP]', '[END]', ...words], {
    post_processor: {
      type: 'TemplateProcessing',
      single: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)],
      pair: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0), sequence('B', 1), special('[END]', 1)],
      special_tokens: Object.fromEntries(
        ['[CLS]', '[SEP]', '[END]'].map((token, place) => [token, { id: token, ids: [place + 2], tokens: [token] }]),
      ),
    },
  });
  const write = (file: string, content: object): void => writeFileSync(join(folder, file), JSON.stringify(content));
  write('tokenizer.json', tokenizer);
  write('tokenizer_config.json', {
    tokenizer_class: 'BertTokenizer',
    model_max_length: 24,
    pad_token: '[PAD]',
    unk_token: '[UNK]',
  });
  write('config.json', { model_type: 'bert', max_position_embeddings: 64 });
  return folder;
}
