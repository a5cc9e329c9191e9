/** The five distances of Annoy. */
export type Metric = 'angular' | 'euclidean' | 'manhattan' | 'dot' | 'hamming';

/** An external id: a non-empty string or a safe integer, as sparse as needed. `1` and `'1'` are different ids. */
export type DocumentId = string | number;

/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** The metadata of a document: a plain JSON object. */
export type Metadata = { readonly [key: string]: Json | undefined };

/** Progress of long work. `total` is absent while unknown. */
export interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total?: number;
}

/** Options of all long-running methods. */
export interface LongWorkOptions {
  /** Aborting rejects with `signal.reason`; committed work is kept. */
  signal?: AbortSignal | undefined;
  /** Called with the progress, at most a few dozen times per second. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** One finding of a validation. */
export interface Check {
  readonly check: string;
  readonly passed: boolean;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  /** The next step, if the check failed. */
  readonly hint?: string;
}

/** Result of a validation; valid if no check of severity `error` failed. */
export interface ValidationReport {
  readonly valid: boolean;
  readonly checks: readonly Check[];
}
