import type { ErrorCode } from '../../errors.js';
import type { Pooling } from '../model-families.js';

/** What the worker of `transformersProvider` is started with. */
export interface TransformersSettings {
  /** Names of packages to try, in this order. */
  readonly packages: readonly string[];
  /** A hub name, or the last part of a local folder whose parent is `localPath`. */
  readonly model: string;
  readonly localPath: string | undefined;
  readonly revision: string;
  readonly dtype: string;
  /** Undefined: the model's own `sentence_embedding` if it has that output, else `familyPooling`. */
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
  | { readonly type: 'embed'; readonly call: number; readonly texts: readonly string[]; readonly urgent: boolean }
  | { readonly type: 'cancel'; readonly call: number }
  | { readonly type: 'close' };

/** From the worker to its provider. */
export type FromWorker =
  | {
      readonly type: 'vectors';
      readonly call: number;
      /** All vectors in one piece; a text that the model knows nothing in has zeros. */
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
  | { readonly type: 'closed' };
