import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TokenModel } from '../../analysis/text-preparer.js';
import { SemanticIndexError } from '../../errors.js';
import { unitVector } from '../check-vectors.js';
import { fallbackVector } from '../fallback-vector.js';
import { type Quantization, RowTable } from './row-table.js';
import { readSafetensors, type TensorView } from './safetensors.js';
import { readSaturation, type Saturation, saturationNumbers } from './saturation.js';
import { WordTokenizer } from './word-tokenizer.js';

/** The config.json of a static-embedding directory. */
export interface StaticModelConfig {
  readonly dimensions: number;
  readonly rows: number;
  /** The first rows are whole words, the most frequent first, after digits, letters and numbers. The rest are pieces. Default: `rows`. */
  readonly wordRows: number;
  readonly quantization: Quantization;
  /** Longer texts are truncated to this number of tokens. */
  readonly maxTokens: number;
  /** How much repeated tokens of a text count; undefined: each time as much as the first time. */
  readonly saturation: Saturation | undefined;
  /**
   * The first hexadecimal digits of the SHA-256 of model.safetensors; with `saturation` of the SHA-256 of these 32 bytes and of k1, b and
   * average_tokens as little-endian float64.
   */
  readonly revision: string;
}

const restore = 'Restore the directory of the model: all files must be of the same revision.';

/**
 * Reads and validates config.json. It is small and names the model, so it is read synchronously.
 *
 * @throws MODEL_NOT_FOUND when it is missing, INVALID_FILE when it does not describe a static-embedding model.
 */
export function readStaticModelConfig(folder: string): StaticModelConfig {
  const path = join(folder, 'config.json');
  const config = parseJson(path, () => readFileSync(path, 'utf8'));
  const refuse = (what: string): SemanticIndexError =>
    new SemanticIndexError('INVALID_FILE', `${path}: ${what}`, { hint: restore });
  const count = (name: string, fallback?: number): number => {
    const value = config[name] ?? fallback;
    if (!Number.isSafeInteger(value) || (value as number) < 1) throw refuse(`${name} must be a positive integer`);
    return value as number;
  };
  if (config.model_type !== 'static-embedding') {
    throw new SemanticIndexError('INVALID_FILE', `${path}: model_type is not "static-embedding"`, {
      hint: 'Load other models with transformersProvider.',
    });
  }
  const { quantization, revision } = config;
  if (quantization !== 'int8' && quantization !== 'int4') throw refuse('quantization must be "int8" or "int4"');
  if (typeof revision !== 'string' || !/^[0-9a-f]{8,64}$/.test(revision)) throw refuse('revision must be a SHA-256');
  const dimensions = count('hidden_size');
  if (quantization === 'int4' && dimensions % 2 === 1) throw refuse('int4 rows need an even hidden_size');
  const rows = count('vocab_size');
  const wordRows = count('word_rows', rows);
  const saturation = config.saturation === undefined ? undefined : readSaturation(config.saturation);
  if (typeof saturation === 'string') throw refuse(saturation);
  return { dimensions, rows, wordRows, quantization, maxTokens: count('max_tokens', 4096), saturation, revision };
}

/** The vector of a text, of length 1, and the number of its tokens. */
export interface EmbeddedText {
  readonly vector: Float32Array;
  readonly tokens: number;
}

/**
 * A tokenizer and a table with one row per token. The vector of a text is the normalized sum of the rows of its tokens, where the
 * config has `saturation` that of its distinct tokens with their weights; a text without any known token gets a vector made from its
 * characters.
 */
export class StaticModel {
  readonly tokenizer: WordTokenizer;
  readonly table: RowTable;
  readonly #config: StaticModelConfig;

  private constructor(tokenizer: WordTokenizer, table: RowTable, config: StaticModelConfig) {
    this.tokenizer = tokenizer;
    this.table = table;
    this.#config = config;
  }

  get dimensions(): number {
    return this.#config.dimensions;
  }

  get wordRows(): number {
    return this.#config.wordRows;
  }

  /** Embeds a text in steps of at most about a millisecond, between which other texts may be embedded. */
  embedding(text: string): Generator<void, EmbeddedText, void> {
    const { saturation } = this.#config;
    return saturation === undefined ? this.#linearSum(text) : this.#saturatedSum(text, saturation);
  }

  *#linearSum(text: string): Generator<void, EmbeddedText, void> {
    const table = this.table;
    const { maxTokens } = this.#config;
    table.clear();
    let left = maxTokens;
    for (let position = 0; ; ) {
      const ids: number[] = [];
      position = this.tokenizer.step(text, position, ids);
      if (ids.length > left) ids.length = left;
      left -= ids.length;
      table.add(ids, this.tokenizer.unknown);
      if (position === text.length || left === 0) break;
      const sums = table.sums();
      yield;
      table.resume(sums);
    }
    return this.#embedded(text, maxTokens - left);
  }

  *#saturatedSum(text: string, saturation: Saturation): Generator<void, EmbeddedText, void> {
    const { tokenizer, table } = this;
    const { maxTokens } = this.#config;
    const ids: number[] = [];
    for (let position = 0; ; ) {
      position = tokenizer.step(text, position, ids);
      if (position === text.length || ids.length >= maxTokens) break;
      yield;
    }
    if (ids.length > maxTokens) ids.length = maxTokens;
    // No other text is embedded between here and the end.
    table.clear();
    table.addSaturated(ids, tokenizer.unknown, saturation);
    return this.#embedded(text, ids.length);
  }

  /** The vector of a text whose rows have been summed. */
  #embedded(text: string, tokens: number): EmbeddedText {
    return { vector: this.table.unit() ?? fallbackVector(text, this.#config.dimensions), tokens };
  }

  /** Embeds a text without a pause. `checkWanted` is called between its steps, and may throw. */
  embed(text: string, checkWanted?: () => void): EmbeddedText {
    const steps = this.embedding(text);
    for (;;) {
      checkWanted?.();
      const { done, value } = steps.next();
      if (done === true) return value;
    }
  }

  /** The model as texts are prepared with it in threads. Vectors are scaled as those of a provider are (see `checkVectors`). */
  tokenModel(): TokenModel {
    const { tokenizer, table } = this;
    const { dimensions, maxTokens, saturation } = this.#config;
    return {
      dimensions,
      rows: tokenizer.splitsPunctuation ? table.nativeRows() : undefined,
      unknown: tokenizer.unknown,
      maxTokens,
      saturation: saturation && saturationNumbers(saturation),
      wordsOf: (piece) => tokenizer.wordsOf(piece),
      embed: (text, checkWanted) => {
        const { vector, tokens } = this.embed(text, checkWanted);
        return { vector: checkedUnit(vector), tokens };
      },
    };
  }

  /**
   * Reads tokenizer.json and model.safetensors.
   *
   * @throws MODEL_NOT_FOUND when one is missing, INVALID_FILE when they do not match the config or each other.
   */
  static async load(folder: string, config: StaticModelConfig): Promise<StaticModel> {
    const tokenizerPath = join(folder, 'tokenizer.json');
    const weightsPath = join(folder, 'model.safetensors');
    const [tokenizerText, weights] = await Promise.all([
      readFile(tokenizerPath, 'utf8').catch((error: unknown) => Promise.reject(missingFile(tokenizerPath, error))),
      readFile(weightsPath).catch((error: unknown) => Promise.reject(missingFile(weightsPath, error))),
    ]);
    const revision = await revisionOf(weights, config.saturation);
    if (!revision.startsWith(config.revision)) {
      throw new SemanticIndexError(
        'INVALID_FILE',
        `${weightsPath} and config.json are not revision ${config.revision}, but ${revision.slice(0, config.revision.length)}`,
        { hint: restore },
      );
    }
    const tensors = readSafetensors(weights, weightsPath);
    const { rows, dimensions, quantization } = config;
    const four = quantization === 'int4';
    const embeddings = tensorOf(tensors, weightsPath, 'embeddings', four ? 'U8' : 'I8', [
      rows,
      four ? dimensions / 2 : dimensions,
    ]);
    const scaleBytes = tensorOf(tensors, weightsPath, 'scales', 'F32', [rows]);
    const scales = new Float32Array(rows);
    const view = new DataView(scaleBytes.buffer, scaleBytes.byteOffset, scaleBytes.byteLength);
    for (let row = 0; row < rows; row++) scales[row] = view.getFloat32(row * 4, true);
    if (!scales.every(Number.isFinite)) {
      throw new SemanticIndexError('INVALID_FILE', `${weightsPath}: a scale is not finite`, { hint: restore });
    }
    const tokenizer = new WordTokenizer(tokenizerText, tokenizerPath);
    if (tokenizer.size > rows) {
      throw new SemanticIndexError(
        'INVALID_FILE',
        `${tokenizerPath} has token ids up to ${tokenizer.size - 1}, but the table has ${rows} rows`,
        { hint: restore },
      );
    }
    return new StaticModel(tokenizer, new RowTable(embeddings, scales, dimensions, quantization), config);
  }
}

/** All digits of the revision, see `StaticModelConfig`. */
async function revisionOf(weights: Uint8Array<ArrayBuffer>, saturation: Saturation | undefined): Promise<string> {
  const digest = new Uint8Array(await webcrypto.subtle.digest('SHA-256', weights));
  if (saturation === undefined) return Buffer.from(digest).toString('hex');
  const hashed = new DataView(new ArrayBuffer(digest.length + 24));
  new Uint8Array(hashed.buffer).set(digest);
  for (const [place, number] of saturationNumbers(saturation).entries())
    hashed.setFloat64(digest.length + 8 * place, number, true);
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', hashed)).toString('hex');
}

/** Scaled as `checkVectors` scales what a provider returns: a text has the same vector, to the bit, wherever it is embedded. */
function checkedUnit(vector: Float32Array): Float32Array {
  const unit = unitVector(vector);
  if (typeof unit === 'string') throw new SemanticIndexError('INTERNAL', `The vector of a text is ${unit}`);
  return unit;
}

function tensorOf(
  tensors: Map<string, TensorView>,
  path: string,
  name: string,
  dtype: string,
  shape: readonly number[],
): Uint8Array {
  const tensor = tensors.get(name);
  if (tensor === undefined || tensor.dtype !== dtype || tensor.shape.join() !== shape.join()) {
    const found = tensor === undefined ? 'none' : `${tensor.dtype} [${tensor.shape.join(', ')}]`;
    throw new SemanticIndexError(
      'INVALID_FILE',
      `${path}: tensor "${name}" must be ${dtype} [${shape.join(', ')}], found ${found}`,
      { hint: restore },
    );
  }
  return tensor.bytes;
}

function parseJson(path: string, read: () => string): Record<string, unknown> {
  let text: string;
  try {
    text = read();
  } catch (error) {
    throw missingFile(path, error);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw new SemanticIndexError('INVALID_FILE', `${path} is not JSON`, { hint: restore, cause: error });
  }
  throw new SemanticIndexError('INVALID_FILE', `${path} is not a JSON object`, { hint: restore });
}

function missingFile(path: string, cause: unknown): SemanticIndexError {
  return new SemanticIndexError('MODEL_NOT_FOUND', `Cannot read ${path}: ${(cause as Error).message}`, {
    hint: 'The directory of the model must contain config.json, tokenizer.json and model.safetensors.',
    cause,
  });
}
