import type { ErrorCode } from '../../errors.js';
import type { Pooling } from '../model-families.js';

/** Settings of a model of `transformersProvider` or `transformersReranker`. */
export interface TransformersSettings {
  /** `embed`: a vector for each text. `rank`: for each pair of texts the outputs of a cross-encoder. */
  readonly task: 'embed' | 'rank';
  /** Package names to try, in this order. */
  readonly packages: readonly string[];
  /** A hub name, or the name of a local directory in `localPath`. */
  readonly model: string;
  readonly localPath: string | undefined;
  readonly revision: string;
  readonly dtype: string;
  /** Undefined: the output `sentence_embedding` if the model has it, otherwise `familyPooling`. */
  readonly pooling: Pooling | undefined;
  readonly familyPooling: Pooling;
  readonly normalize: boolean;
  readonly maxTokens: number | undefined;
  readonly dimensions: number | undefined;
  readonly batchSize: number | undefined;
  readonly cacheDir: string;
  readonly offline: boolean;
  readonly remoteHost: string | undefined;
}

/** From the provider to its worker. */
export type ToWorker =
  | {
      readonly type: 'embed';
      readonly call: number;
      readonly client: number;
      readonly settings: TransformersSettings;
      readonly texts: readonly string[];
      /** The second text of each pair. */
      readonly pairs: readonly string[] | undefined;
      readonly urgent: boolean;
    }
  | { readonly type: 'cancel'; readonly call: number }
  /** Frees the model of a client. */
  | { readonly type: 'close'; readonly client: number };

/** From the worker to its provider. */
export type FromWorker =
  | {
      readonly type: 'vectors';
      readonly call: number;
      /** All vectors, concatenated; zeros for a text without known tokens. */
      readonly numbers: Float32Array;
      readonly dimensions: number;
      readonly tokens: number;
    }
  | {
      readonly type: 'error';
      readonly call: number;
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string | undefined;
      readonly stack: string | undefined;
    }
  | { readonly type: 'closed'; readonly client: number };

/** Reply of the worker to a call. */
export type WorkerVectors = Extract<FromWorker, { type: 'vectors' }>;
