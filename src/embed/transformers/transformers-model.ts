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
}
interface LibraryTokenizer {
  (text: string, options: object): { input_ids: ArrayLike<number | bigint> };
  readonly model_max_length?: number;
  readonly pad_token_id?: number | null;
}
interface LibraryModel {
  (inputs: Record<string, Tensor>): Promise<Record<string, Tensor>>;
  readonly config?: { readonly model_type?: string; readonly max_position_embeddings?: number };
  dispose(): Promise<unknown>;
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
      return new TransformersModel(
        library,
        tokenizer,
        await library.AutoModel.from_pretrained(model, options),
        settings,
      );
    } catch (error) {
      throw loadError(error, settings);
    }
  }

  /** Whether the model is a token table, where some texts have no vector. */
  get #isStatic(): boolean {
    return this.#model.config?.model_type === 'static-embedding';
  }

  /** Token ids of a text, truncated to the limit of the model; the closing special tokens are kept. */
  tokenize(text: string): number[] {
    const ids = this.#idsOf(text);
    const limit = this.#maxTokens;
    if (ids.length <= limit) return ids;
    const suffix = Math.min(this.#suffix, limit);
    return [...ids.slice(0, limit - suffix), ...ids.slice(ids.length - suffix)];
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

  /** Vectors of texts as token ids, all in one run. Zeros for a text without known tokens in a token table. */
  async embed(texts: readonly (readonly number[])[]): Promise<Float32Array[]> {
    const counts = texts.map((ids) => Math.max(1, ids.length));
    const length = Math.max(...counts);
    const size = texts.length * length;
    const padding = BigInt(this.#tokenizer.pad_token_id ?? 0);
    const ids = new BigInt64Array(size).fill(padding);
    const mask = new BigInt64Array(size);
    texts.forEach((own, row) => {
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
      token_type_ids: new Tensor('int64', new BigInt64Array(size), dims),
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
  throw new SemanticIndexError('MISSING_PEER', `transformersProvider needs the package ${packages.join(' or ')}`, {
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
