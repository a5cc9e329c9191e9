import { homedir } from 'node:os';
import { join } from 'node:path';
import { SemanticIndexError } from '../errors.js';

/** Options of `bundledProvider`. */
export interface BundledProviderOptions {
  /** Directory of another static-embedding model in the same format. Default: the model in the package. */
  folder?: string | undefined;
}

/** Defaults of `bundledProvider`. */
export const bundledProviderDefaults = { folder: undefined as string | undefined };

/** Options of `staticProvider(folder, options)`. */
export interface StaticProviderOptions {
  /** Texts are truncated to this number of tokens. Default: as the library does, 512 for model2vec, else as the tokenizer says. */
  maxTokens?: number | undefined;
}

/** Defaults of `staticProvider`. */
export const staticProviderDefaults = { maxTokens: undefined as number | undefined };

/** Options of `transformersProvider`. All but the last six affect vectors, and are part of the id. */
export interface TransformersProviderOptions {
  /** A directory in Hugging Face layout, or a name on the hub such as `Xenova/all-MiniLM-L6-v2`. */
  model: string;
  /** Branch, tag or commit on the hub. Default `main`. */
  revision?: string | undefined;
  /**
   * Precision of the weights: `fp32`, `q8`, and with `@huggingface/transformers` others. Default `fp32`, which gives
   * the same vectors on every machine; a directory with only 8-bit weights defaults to `q8`.
   */
  dtype?: string | undefined;
  /**
   * How token vectors are pooled. Default: the pooled output of the model if it has one, otherwise as its family
   * requires.
   */
  pooling?: 'mean' | 'cls' | 'last' | undefined;
  /** Scale vectors to length 1. Default true. */
  normalize?: boolean | undefined;
  /** Prefix of queries. Default: as the model family was trained. */
  queryPrefix?: string | undefined;
  /** Prefix of documents. Default: as the model family was trained. */
  documentPrefix?: string | undefined;
  /** Texts are truncated to this number of tokens. Default: the limit of the model. */
  maxTokens?: number | undefined;
  /** Keep only the first components of each vector, for models trained for it (Matryoshka). Default: all. */
  dimensions?: number | undefined;
  /** Max. texts per run of the model. Default 32; 8-bit models always run one by one. */
  batchSize?: number | undefined;
  /** Directory of downloaded models. Default: `semantic-index/models` in the cache directory of the user. */
  cacheDir?: string | undefined;
  /** Never download; use models in `cacheDir` and local directories only. Default false. */
  offline?: boolean | undefined;
  /** Another host for downloads, with the layout of the hub. Default: the hub. */
  remoteHost?: string | undefined;
  /** The package to use. Default: `@huggingface/transformers` if it is installed, else `@xenova/transformers`. */
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

/** Options of `transformersReranker`. */
export interface TransformersRerankerOptions
  extends Pick<
    TransformersProviderOptions,
    'revision' | 'dtype' | 'maxTokens' | 'batchSize' | 'cacheDir' | 'offline' | 'remoteHost' | 'package'
  > {
  /** A cross-encoder: a directory in Hugging Face layout, or a name on the hub such as `Xenova/ms-marco-MiniLM-L-6-v2`. */
  model: string;
}

/** Defaults of `transformersReranker`. */
export const transformersRerankerDefaults = {
  model: '',
  revision: 'main',
  dtype: undefined as string | undefined,
  maxTokens: undefined as number | undefined,
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
  /**
   * The API key. Not needed with `client`, or with a `baseURL` that requires none. Default: OPENAI_API_KEY of the
   * environment.
   */
  apiKey?: string | undefined;
  /** Any model of the service. Default `text-embedding-3-small`. */
  model?: string | undefined;
  /** Request shorter vectors, if the model supports it. Default: the dimensions of the model. */
  dimensions?: number | undefined;
  /** A service with a compatible API, such as `http://localhost:11434/v1`. Default: the OpenAI API. */
  baseURL?: string | undefined;
  /** A configured client of the package `openai`, instead of `apiKey` and `baseURL`. Default: one is created. */
  client?: EmbeddingsClient | undefined;
  /** Timeout of a request in milliseconds. Default 60,000. */
  timeout?: number | undefined;
  /** Max. retries of a request. Default 8. */
  maxRetries?: number | undefined;
  /** Max. concurrent requests. Default 4. */
  maxParallelCalls?: number | undefined;
  /**
   * Handling of a text with too many tokens: `error` refuses it before any request, `truncate` embeds its first tokens,
   * `average` embeds it in parts and takes their mean, weighted by tokens. Default `error`.
   */
  overLong?: 'error' | 'truncate' | 'average' | undefined;
  /** Max. tokens of one input. Default 8,192 for OpenAI models, otherwise no limit. */
  maxInputTokens?: number | undefined;
  /** Max. tokens of one request. Default 300,000 for OpenAI models, otherwise no limit. */
  maxBatchTokens?: number | undefined;
  /** Max. inputs of one request. Default 2,048 for OpenAI models, otherwise 64. */
  maxBatchSize?: number | undefined;
  /** Counts tokens. Default: the package `gpt-tokenizer` with cl100k_base. */
  countTokens?: ((text: string) => number) | undefined;
  /** Prefix of queries. Default: as the model family was trained; none for OpenAI models. */
  queryPrefix?: string | undefined;
  /** Prefix of documents. Default: as the model family was trained; none for OpenAI models. */
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
