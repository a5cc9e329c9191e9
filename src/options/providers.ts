import { homedir } from 'node:os';
import { join } from 'node:path';
import { SemanticIndexError } from '../errors.js';

/** Options of `bundledProvider`. */
export interface BundledProviderOptions {
  /** A folder with another static-embedding model of the same format. Default: the model that ships with the package. */
  folder?: string | undefined;
}

/** Defaults of `bundledProvider`. */
export const bundledProviderDefaults = { folder: undefined as string | undefined };

/** Options of `transformersProvider`. All but the last six change vectors, and are part of the provider's id. */
export interface TransformersProviderOptions {
  /** A folder in Hugging Face layout, or a name on the hub such as `Xenova/all-MiniLM-L6-v2`. */
  model: string;
  /** Branch, tag or commit on the hub. Default `main`. */
  revision?: string | undefined;
  /**
   * Precision of the weights: `fp32`, `q8`, and with `@huggingface/transformers` others. Default `fp32`, which gives the same vectors
   * on every machine; a folder that only has 8-bit weights defaults to `q8`.
   */
  dtype?: string | undefined;
  /** How token vectors become one. Default: the model's own output if it has one, else what its family uses. */
  pooling?: 'mean' | 'cls' | 'last' | undefined;
  /** Scale vectors to length 1. Default true. */
  normalize?: boolean | undefined;
  /** Put before every query. Default: what the model's family was trained with. */
  queryPrefix?: string | undefined;
  /** Put before every document. Default: what the model's family was trained with. */
  documentPrefix?: string | undefined;
  /** Longer texts are cut. Default: what the model says. */
  maxTokens?: number | undefined;
  /** Keep only the first numbers of each vector, for models trained so (Matryoshka). Default: all. */
  dimensions?: number | undefined;
  /** Most texts per run of the model. Default 32; 8-bit models always run one by one. */
  batchSize?: number | undefined;
  /** Where fetched models are kept. Default: a folder of the user, see `defaultCacheFolder`. */
  cacheDir?: string | undefined;
  /** Never fetch; use what is in `cacheDir`. Default false. Models in folders are never fetched. */
  offline?: boolean | undefined;
  /** Another host to fetch from, with the layout of the hub. */
  remoteHost?: string | undefined;
  /** Which package to use. Default: `@huggingface/transformers` if it is installed, else `@xenova/transformers`. */
  package?: string | undefined;
}

/** Defaults of `transformersProvider`. */
export const transformersProviderDefaults = {
  model: '',
  revision: 'main',
  dtype: undefined as string | undefined,
  pooling: undefined as TransformersProviderOptions['pooling'],
  normalize: true,
  queryPrefix: undefined as string | undefined,
  documentPrefix: undefined as string | undefined,
  maxTokens: undefined as number | undefined,
  dimensions: undefined as number | undefined,
  batchSize: undefined as number | undefined,
  cacheDir: undefined as string | undefined,
  offline: false,
  remoteHost: undefined as string | undefined,
  package: undefined as string | undefined,
};

/**
 * Where models are kept that were fetched: `semantic-index/models` under the system's folder for caches of this user.
 * Never inside node_modules, which may be read-only and is lost with every installation.
 */
export function defaultCacheFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const system =
    process.platform === 'win32'
      ? (LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'))
      : process.platform === 'darwin'
        ? join(homedir(), 'Library', 'Caches')
        : XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(system, 'semantic-index', 'models');
}

/** Options of `openaiProvider`. */
export interface OpenAIProviderOptions {
  /** Default: the environment's OPENAI_API_KEY. Not needed with `client`, nor with a `baseURL` that asks for none. */
  apiKey?: string | undefined;
  /** Any name that the service knows. Default `text-embedding-3-small`. */
  model?: string | undefined;
  /** Ask for shorter vectors, where the model can. Default: what the model gives. */
  dimensions?: number | undefined;
  /** Another service with the same API, such as `http://localhost:11434/v1`. Default: OpenAI's. */
  baseURL?: string | undefined;
  /** A client of the package `openai`, configured as you like, in place of `apiKey` and `baseURL`. */
  client?: EmbeddingsClient | undefined;
  /** Milliseconds that one request may take. Default 60,000. */
  timeout?: number | undefined;
  /** How often a request is tried again at most. Default 8. */
  maxRetries?: number | undefined;
  /** Most requests at the same time. Default 4. */
  maxParallelCalls?: number | undefined;
  /**
   * Handling of a text with too many tokens: `error` refuses it before anything is sent, `truncate` embeds its
   * beginning, `average` embeds it in parts and takes their mean, weighted by tokens. Default `error`.
   */
  overLong?: 'error' | 'truncate' | 'average' | undefined;
  /** Most tokens of one input. Default 8,192 for OpenAI's models, else no limit. */
  maxInputTokens?: number | undefined;
  /** Most tokens of one request. Default 300,000 for OpenAI's models, else no limit. */
  maxBatchTokens?: number | undefined;
  /** Most inputs of one request. Default 2,048 for OpenAI's models, else 64. */
  maxBatchSize?: number | undefined;
  /** Counts tokens. Default: the package `gpt-tokenizer` with cl100k_base. */
  countTokens?: ((text: string) => number) | undefined;
  /** Put before every query. Default: what the family of the model was trained with; nothing for OpenAI's. */
  queryPrefix?: string | undefined;
  /** Put before every document. Default: what the family of the model was trained with; nothing for OpenAI's. */
  documentPrefix?: string | undefined;
}

/** Defaults of `openaiProvider`. */
export const openaiProviderDefaults = {
  apiKey: undefined as string | undefined,
  model: 'text-embedding-3-small',
  dimensions: undefined as number | undefined,
  baseURL: undefined as string | undefined,
  client: undefined as EmbeddingsClient | undefined,
  timeout: 60_000,
  maxRetries: 8,
  maxParallelCalls: 4,
  overLong: 'error' as 'error' | 'truncate' | 'average',
  maxInputTokens: undefined as number | undefined,
  maxBatchTokens: undefined as number | undefined,
  maxBatchSize: undefined as number | undefined,
  countTokens: undefined as ((text: string) => number) | undefined,
  queryPrefix: undefined as string | undefined,
  documentPrefix: undefined as string | undefined,
};

/**
 * The key to use: the given one, else that of the environment. A service at a `baseURL` of one's own may need none.
 *
 * @throws INVALID_ARGUMENT when there is none for OpenAI's own service.
 */
export function openaiKey(given: string | undefined, baseURL: string | undefined): string {
  // The environment's key is for OpenAI; another host must not see it unasked.
  const key = given ?? (baseURL === undefined ? process.env.OPENAI_API_KEY : 'none');
  if (typeof key === 'string' && key !== '') return key;
  throw new SemanticIndexError('INVALID_ARGUMENT', 'openaiProvider: there is no API key', {
    hint: 'Set OPENAI_API_KEY, or pass `apiKey`.',
  });
}

/** As much of the client of the package `openai` as is used. */
export interface EmbeddingsClient {
  readonly apiKey?: unknown;
  readonly embeddings: {
    create(
      body: { model: string; input: string[]; dimensions?: number; encoding_format: 'base64' | 'float' },
      options: { maxRetries: number; timeout: number; signal?: AbortSignal },
    ): PromiseLike<unknown>;
  };
  /** Sends a request without `encoding_format`, for servers that refuse the field. */
  post?(
    path: string,
    options: { body: unknown; maxRetries: number; timeout: number; signal?: AbortSignal },
  ): PromiseLike<unknown>;
}
