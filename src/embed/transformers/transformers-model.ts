import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SemanticIndexError } from '../../errors.js';
import { unitVector } from '../check-vectors.js';
import type { Pooling } from '../model-families.js';
import { poolTokens } from './pool-tokens.js';
import type { TransformersSettings } from './transformers-messages.js';

/** The used members of a tensor of the library. */
interface Tensor {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
  dispose?(): void;
}
/** The used members that `@xenova/transformers` and `@huggingface/transformers` have in common. */
interface TransformersLibrary {
  readonly env: Record<string, unknown>;
  readonly Tensor: new (type: string, data: BigInt64Array, dims: readonly number[]) => Tensor;
  readonly AutoTokenizer: { from_pretrained(model: string, options: object): Promise<LibraryTokenizer> };
  readonly AutoModel: { from_pretrained(model: string, options: object): Promise<LibraryModel> };
  readonly AutoModelForSequenceClassification: TransformersLibrary['AutoModel'];
}
interface LibraryTokenizer {
  (
    text: string,
    options: object,
  ): { input_ids: ArrayLike<number | bigint>; token_type_ids?: ArrayLike<number | bigint> | undefined };
  readonly model_max_length?: number;
  readonly pad_token_id?: number | null;
}
interface LibraryModel {
  (inputs: Record<string, Tensor>): Promise<Record<string, Tensor>>;
  readonly config?: { readonly model_type?: string; readonly max_position_embeddings?: number };
  dispose(): Promise<unknown>;
}

/** The tokens of a text or a pair of texts, and which text of the pair each is of; undefined for a text alone. */
export interface TokenList {
  readonly ids: number[];
  readonly types: number[] | undefined;
}

const wordy = { return_tensor: false, padding: false, truncation: false };
/** Max. tokens of one run, padding included: larger runs are not faster on a CPU and need more memory. */
const maxTokensPerRun = 8192;

/** A model of transformers.js with its tokenizer: texts in, vectors out. Lives in a worker thread. */
export class TransformersModel {
  readonly #library: TransformersLibrary;
  readonly #tokenizer: LibraryTokenizer;
  readonly #model: LibraryModel;
  readonly #settings: TransformersSettings;
  readonly #maxTokens: number;
  /** Number of special tokens after those of the text, such as [SEP]. */
  readonly #suffix: number;

  private constructor(
    library: TransformersLibrary,
    tokenizer: LibraryTokenizer,
    model: LibraryModel,
    settings: TransformersSettings,
  ) {
    this.#library = library;
    this.#tokenizer = tokenizer;
    this.#model = model;
    this.#settings = settings;
    const limits = [tokenizer.model_max_length, settings.maxTokens ?? model.config?.max_position_embeddings];
    this.#maxTokens = Math.min(
      ...limits.filter((limit) => limit !== undefined && limit > 0 && limit < 1e9).map(Number),
      1e9,
    );
    const bare = this.#idsOf('a', { add_special_tokens: false });
    const whole = this.#idsOf('a');
    const after = bare.length === 0 ? -1 : whole.lastIndexOf(bare.at(-1) as number);
    this.#suffix = after < 0 ? 0 : whole.length - 1 - after;
  }

  /** @throws MISSING_PEER, MODEL_NOT_FOUND, UNSUPPORTED, PROVIDER_FAILED */
  static async load(settings: TransformersSettings): Promise<TransformersModel> {
    const { name, library } = await importLibrary(settings.packages);
    const { env } = library;
    const { cacheDir, offline, model, revision } = settings;
    env.cacheDir = cacheDir;
    env.localModelPath = settings.localPath ?? cacheDir;
    env.allowLocalModels = true;
    env.allowRemoteModels = !offline;
    if (settings.remoteHost !== undefined) env.remoteHost = settings.remoteHost;
    const options = {
      revision,
      cache_dir: cacheDir,
      local_files_only: offline,
      ...weightsOption(name, settings.dtype),
    };
    try {
      const tokenizer = await library.AutoTokenizer.from_pretrained(model, options);
      const loader = settings.task === 'rank' ? library.AutoModelForSequenceClassification : library.AutoModel;
      return new TransformersModel(library, tokenizer, await loader.from_pretrained(model, options), settings);
    } catch (error) {
      throw loadError(error, settings);
    }
  }

  /** Whether the model is a token table, where some texts have no vector. */
  get #isStatic(): boolean {
    return this.#model.config?.model_type === 'static-embedding';
  }

  /** Tokens of a text or a pair, truncated to the limit of the model at its end; the closing special tokens are kept. */
  tokenize(text: string, pair?: string): TokenList {
    if (pair === undefined) return { ids: this.#truncated(this.#idsOf(text)), types: undefined };
    const options = { ...wordy, text_pair: pair, return_token_type_ids: true };
    const { input_ids, token_type_ids } = this.#tokenizer(text, options);
    const types = token_type_ids === undefined ? undefined : this.#truncated(Array.from(token_type_ids, Number));
    return { ids: this.#truncated(Array.from(input_ids, Number)), types };
  }

  #truncated(numbers: number[]): number[] {
    const limit = this.#maxTokens;
    if (numbers.length <= limit) return numbers;
    const suffix = Math.min(this.#suffix, limit);
    return [...numbers.slice(0, limit - suffix), ...numbers.slice(numbers.length - suffix)];
  }

  /**
   * Groups texts into runs, short texts first, to minimize padding; each run is a list of positions.
   *
   * Exports with 8-bit weights also quantize activations, by the range over a whole run: the vector of a text would
   * depend on the other texts, so each text runs alone.
   */
  planRuns(lengths: readonly number[]): number[][] {
    const { dtype, batchSize } = this.#settings;
    const alone = dtype !== 'fp32' && dtype !== 'fp16' && !this.#isStatic;
    const size = alone ? 1 : (batchSize ?? 32);
    const order = lengths
      .map((_, index) => index)
      .sort((a, b) => (lengths[a] as number) - (lengths[b] as number) || a - b);
    const runs: number[][] = [];
    let run: number[] = [];
    for (const index of order) {
      if (run.length > 0 && (run.length >= size || (run.length + 1) * (lengths[index] as number) > maxTokensPerRun)) {
        runs.push(run);
        run = [];
      }
      run.push(index);
    }
    if (run.length > 0) runs.push(run);
    return runs;
  }

  /** Vectors of texts as tokens, or the outputs for pairs, all in one run. Zeros for a text without known tokens in a token table. */
  async embed(texts: readonly TokenList[]): Promise<Float32Array[]> {
    const counts = texts.map(({ ids }) => Math.max(1, ids.length));
    const length = Math.max(...counts);
    const size = texts.length * length;
    const padding = BigInt(this.#tokenizer.pad_token_id ?? 0);
    const ids = new BigInt64Array(size).fill(padding);
    const mask = new BigInt64Array(size);
    const types = new BigInt64Array(size);
    texts.forEach(({ ids: own, types: ownTypes }, row) => {
      ownTypes?.forEach((type, index) => {
        types[row * length + index] = BigInt(type);
      });
      own.forEach((id, index) => {
        ids[row * length + index] = BigInt(id);
      });
      mask.fill(1n, row * length, row * length + (this.#isStatic ? own.length : (counts[row] as number)));
    });
    const { Tensor } = this.#library;
    const dims = [texts.length, length];
    const inputs: Record<string, Tensor> = {
      input_ids: new Tensor('int64', ids, dims),
      attention_mask: new Tensor('int64', mask, dims),
      token_type_ids: new Tensor('int64', types, dims),
    };
    const outputs = await this.#model(inputs);
    const vectors = this.#vectorsOf(outputs, counts, length);
    for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.dispose?.();
    return vectors.map((vector) => this.#finish(vector));
  }

  async dispose(): Promise<void> {
    await this.#model.dispose();
  }

  #vectorsOf(outputs: Record<string, Tensor>, counts: readonly number[], length: number): Float32Array[] {
    if (this.#settings.task === 'rank') return logitsOf(outputs, counts.length);
    const ready = outputs.sentence_embedding;
    if (ready !== undefined && this.#settings.pooling === undefined) {
      const dimensions = ready.dims.at(-1) as number;
      return poolTokens(
        ready.data,
        counts.map(() => 1),
        1,
        dimensions,
        'cls',
      );
    }
    const states = outputs.last_hidden_state ?? outputs.token_embeddings ?? outputs.logits;
    if (states?.dims.length !== 3) {
      const names = Object.keys(outputs).join(', ');
      throw new SemanticIndexError('UNSUPPORTED', `The model has no output with embeddings, only: ${names}`, {
        hint: 'Use a feature-extraction (embedding) model.',
      });
    }
    const pooling: Pooling = this.#settings.pooling ?? this.#settings.familyPooling;
    return poolTokens(states.data, counts, length, states.dims[2] as number, pooling);
  }

  #finish(vector: Float32Array): Float32Array {
    const { dimensions, normalize } = this.#settings;
    if (dimensions !== undefined && dimensions > vector.length) {
      throw new SemanticIndexError(
        'DIMENSION_MISMATCH',
        `The model has ${vector.length} dimensions, fewer than the option dimensions (${dimensions})`,
      );
    }
    const short = dimensions === undefined ? vector : vector.slice(0, dimensions);
    if (this.#isStatic && !short.every(Number.isFinite)) return new Float32Array(short.length);
    const unit = normalize ? unitVector(short) : short;
    return typeof unit === 'string' ? short : unit;
  }

  #idsOf(text: string, options: object = {}): number[] {
    return Array.from(this.#tokenizer(text, { ...wordy, ...options }).input_ids, Number);
  }
}

/** One row of outputs for each pair. */
function logitsOf({ logits }: Record<string, Tensor>, pairs: number): Float32Array[] {
  const labels = logits?.dims.length === 2 ? (logits.dims[1] as number) : 0;
  if (logits === undefined || labels < 1 || labels > 2) {
    throw new SemanticIndexError('UNSUPPORTED', 'The model has no output of one or two numbers for a pair of texts', {
      hint: 'Use a cross-encoder: a text-classification model for pairs, such as Xenova/ms-marco-MiniLM-L-6-v2.',
    });
  }
  const all = Float32Array.from(logits.data);
  return Array.from({ length: pairs }, (_, pair) => all.slice(pair * labels, (pair + 1) * labels));
}

/** The name of a precision in the library: the successor takes it unchanged, the older package has two. */
function weightsOption(library: string, dtype: string): object {
  if (!library.startsWith('@xenova/')) return { dtype, device: 'cpu' };
  if (dtype === 'fp32' || dtype === 'q8') return { quantized: dtype === 'q8' };
  throw new SemanticIndexError('UNSUPPORTED', `@xenova/transformers has no dtype "${dtype}", only "fp32" and "q8"`, {
    hint: 'Install @huggingface/transformers for other precisions.',
  });
}

async function importLibrary(packages: readonly string[]): Promise<{ name: string; library: TransformersLibrary }> {
  for (const name of packages) {
    try {
      return { name, library: (await import(name)) as TransformersLibrary };
    } catch (error) {
      if (!isMissing(error, name)) throw importError(name, error);
    }
    // If this package is linked instead of installed, its peers are resolved from the application.
    const path = resolveFrom(join(process.cwd(), 'package.json'), name);
    if (path !== undefined) return { name, library: (await import(pathToFileURL(path).href)) as TransformersLibrary };
  }
  throw new SemanticIndexError('MISSING_PEER', `Models of transformers.js need the package ${packages.join(' or ')}`, {
    hint: `Run: npm install ${packages.at(-1)}`,
  });
}

function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${name}'`);
}

function resolveFrom(file: string, name: string): string | undefined {
  try {
    return createRequire(file).resolve(name);
  } catch {
    return undefined;
  }
}

function importError(name: string, cause: unknown): SemanticIndexError {
  return new SemanticIndexError(
    'PROVIDER_FAILED',
    `The package ${name} cannot be loaded: ${(cause as Error).message}`,
    {
      hint: `Reinstall it: npm install ${name}. Its native binaries must match this platform.`,
      cause,
    },
  );
}

function loadError(error: unknown, settings: TransformersSettings): unknown {
  if (SemanticIndexError.is(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  const where = settings.localPath === undefined ? settings.cacheDir : join(settings.localPath, settings.model);
  if (/not found locally|Could not locate file|Unauthorized access|ENOENT|404/i.test(message)) {
    return new SemanticIndexError(
      'MODEL_NOT_FOUND',
      `The model "${settings.model}" (revision ${settings.revision}, ${settings.dtype}) was not found: ${message}`,
      {
        hint: settings.offline
          ? `Looked in ${where} only, because remote models are off. Fetch the model there first, with onnx/ weights of this dtype.`
          : 'Check its name, revision and dtype; the repository must have onnx/ weights.',
        cause: error,
      },
    );
  }
  return new SemanticIndexError('PROVIDER_FAILED', `The model "${settings.model}" cannot be loaded: ${message}`, {
    hint: `Without a network, download the model to ${settings.cacheDir} once and set \`offline: true\`.`,
    cause: error,
  });
}
