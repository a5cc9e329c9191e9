/** The five distances of Annoy. */
export type Metric = 'angular' | 'euclidean' | 'manhattan' | 'dot' | 'hamming';

/** An external id: a non-empty string or a safe integer, as sparse as you like. `1` and `'1'` are two ids. */
export type DocumentId = string | number;

/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** Metadata of a document: a plain JSON object. */
export type Metadata = { readonly [key: string]: Json | undefined };

/** How many of something long are done. `total` is absent while it is unknown. */
export interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total?: number;
}

/** Options that all long work takes. */
export interface LongWorkOptions {
  /** Aborting rejects with `signal.reason`; what was committed before stays. */
  signal?: AbortSignal | undefined;
  /** Called now and then, never more than some dozens of times a second. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** One finding of a validation. */
export interface Check {
  readonly check: string;
  readonly passed: boolean;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  /** The next step if it did not pass. */
  readonly hint?: string;
}

/** Result of `validate`: valid if no check of severity `error` failed. */
export interface ValidationReport {
  readonly valid: boolean;
  readonly checks: readonly Check[];
}
