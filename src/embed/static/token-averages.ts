import { readFile } from 'node:fs/promises';
import { SemanticIndexError } from '../../errors.js';
import { readSafetensors } from '../bundled/safetensors.js';
import { WordTokenizer } from '../bundled/word-tokenizer.js';
import { type NumberTable, numberList, numberTable } from './number-table.js';
import type { StaticFolder } from './static-folder.js';

/** The mean of the rows of the tokens of a text, as the library that made the model computes it. */
export class TokenAverages {
  readonly #folder: StaticFolder;
  readonly #tokenizer: WordTokenizer;
  readonly #table: NumberTable;
  /** Row of each token, and factor of its row; undefined where each token has its own row, and 1. */
  readonly #mapping: Float64Array | undefined;
  readonly #weights: Float64Array | undefined;
  readonly #maxTokens: number;
  readonly #maxCharacters: number;
  readonly #sums: Float64Array;

  private constructor(
    folder: StaticFolder,
    tokenizer: WordTokenizer,
    table: NumberTable,
    mapping: Float64Array | undefined,
    weights: Float64Array | undefined,
    maxTokens: number,
  ) {
    this.#folder = folder;
    this.#tokenizer = tokenizer;
    this.#table = table;
    this.#mapping = mapping;
    this.#weights = weights;
    this.#maxTokens = maxTokens;
    this.#maxCharacters =
      folder.layout === 'model2vec' ? maxTokens * tokenizer.medianTokenLength : Number.POSITIVE_INFINITY;
    this.#sums = new Float64Array(table.columns);
  }

  /** @throws MODEL_NOT_FOUND, INVALID_FILE when files are missing or do not fit together. */
  static async load(folder: StaticFolder, maxTokens: number | undefined): Promise<TokenAverages> {
    const { tokenizerPath, weightsPath, tableName, layout } = folder;
    const [text, bytes] = await Promise.all([read(tokenizerPath), read(weightsPath)]);
    const tensors = readSafetensors(bytes, weightsPath);
    const tensor = tensors.get(tableName);
    if (tensor === undefined) throw misfit(weightsPath, `has no tensor "${tableName}"`);
    const table = numberTable(tensor, tableName, weightsPath);
    const content = text.toString('utf8');
    const tokenizer = new WordTokenizer(content, tokenizerPath);
    const mapping = numberList(tensors.get('mapping'), 'mapping', weightsPath);
    const weights = numberList(tensors.get('weights'), 'weights', weightsPath);
    const { size } = tokenizer;
    const rows = mapping?.length ?? table.rows;
    if (size > rows) throw misfit(tokenizerPath, `has token ids up to ${size - 1}, but the model has ${rows} rows`);
    if (weights !== undefined && weights.length < size) {
      throw misfit(weightsPath, `has ${weights.length} weights for ${size} tokens`);
    }
    if (mapping?.every((row) => Number.isInteger(row) && row >= 0 && row < table.rows) === false) {
      throw misfit(weightsPath, `maps tokens to rows beyond ${table.rows}`);
    }
    const limit = maxTokens ?? (layout === 'model2vec' ? defaultTokens : truncationOf(content));
    return new TokenAverages(folder, tokenizer, table, mapping, weights, limit);
  }

  /** The vector of a text in steps of about a millisecond, and the number of its tokens; all zeros for a text without known tokens. */
  *embedding(text: string): Generator<void, { vector: Float32Array; tokens: number }, void> {
    const { layout, normalize } = this.#folder;
    const dropsUnknown = layout === 'model2vec';
    const cut = text.length > this.#maxCharacters ? codePoints(text, this.#maxCharacters) : text;
    const ids: number[] = [];
    for (let position = 0; position < cut.length && ids.length < this.#maxTokens; ) {
      const some: number[] = [];
      position = this.#tokenizer.step(cut, position, some);
      for (const id of some) if (!dropsUnknown || id !== this.#tokenizer.unknown) ids.push(id);
      yield;
    }
    if (ids.length > this.#maxTokens) ids.length = this.#maxTokens;
    // No other text is added up between here and the end.
    const sums = this.#sums.fill(0);
    for (const id of ids) this.#table.addRow(this.#mapping?.[id] ?? id, this.#weights?.[id] ?? 1, sums);
    let squares = 0;
    for (const value of sums) squares += value * value;
    const scale = normalize ? (squares === 0 ? 0 : 1 / Math.sqrt(squares)) : 1 / Math.max(1, ids.length);
    return { vector: Float32Array.from(sums, (value) => value * scale), tokens: ids.length };
  }
}

/** Default of model2vec. */
const defaultTokens = 512;

/** The truncation that a tokenizer.json asks for. */
function truncationOf(text: string): number {
  const { truncation } = JSON.parse(text) as { truncation?: { max_length?: unknown } | null };
  const length = truncation?.max_length;
  return typeof length === 'number' && length > 0 ? length : Number.POSITIVE_INFINITY;
}

/** The first characters of a text, as Python counts them. */
function codePoints(text: string, count: number): string {
  let at = 0;
  for (let taken = 0; taken < count && at < text.length; taken++)
    at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1;
  return text.slice(0, at);
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new SemanticIndexError('MODEL_NOT_FOUND', `Cannot read ${path}: ${(cause as Error).message}`, {
      hint: 'The directory must contain tokenizer.json and model.safetensors.',
      cause,
    });
  }
}

function misfit(path: string, what: string): SemanticIndexError {
  return new SemanticIndexError('INVALID_FILE', `${path} ${what}`, {
    hint: 'Fetch the model again: all files must be of the same revision.',
  });
}
