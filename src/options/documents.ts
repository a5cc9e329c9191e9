import type { LongWorkOptions } from '../types.js';
import { type Listed, longWorkDefaults, type Resolved } from './resolve-options.js';

/**
 * How it is decided whether two texts of different words are duplicates. `probability`: by the words that only one of them has, whatever
 * the model. `similarity`: by their vectors alone.
 */
export type DuplicateMeasure = 'probability' | 'similarity';

/** The measure where none is passed: vectors of the caller may stand for something else than the text. */
export function defaultMeasure(fingerprint: string | undefined): DuplicateMeasure {
  return fingerprint === undefined || fingerprint.startsWith('given:') ? 'similarity' : 'probability';
}

/** Thresholds where none is passed. */
export const defaultThresholds: Readonly<Record<DuplicateMeasure, number>> = { probability: 0.7, similarity: 0.9 };

/** Options of `addDocuments(documents, options)`. */
export interface AddOptions extends LongWorkOptions {
  /** Documents that are checked, embedded and committed together. Default 512. */
  batchSize?: number | undefined;
  /**
   * Handling of a document that duplicates another one of the index or of this call. `add`: it is added. `skip`: it is left out.
   * `replace`: the other documents are deleted. `link`: it is added, and its metadata gets `duplicateOf`, the id of the other one.
   * A document with a known id is an update and always added. Default `add`.
   */
  onDuplicate?: 'add' | 'skip' | 'replace' | 'link' | undefined;
  /**
   * Minimum value of the measure from which two documents are duplicates: of the probability, or of the similarity (the score of the
   * index; for the angular metric the cosine). Texts with the same words have 1. Default 0.7 for the probability, 0.9 for the similarity.
   */
  threshold?: number | undefined;
  /**
   * Measure of duplicates whose words differ; see {@link DuplicateMeasure}. Default `probability`; `similarity` for vectors of the caller.
   */
  measure?: DuplicateMeasure | undefined;
  /**
   * Handling of an invalid document, and of a text that the provider refuses while it accepts others (too long, no usable vector).
   * `error`: the call fails and names the document; documents committed before stay. `skip`: the document is left out and
   * listed in `invalid` of the result. Default `error`.
   */
  onInvalid?: 'error' | 'skip' | undefined;
}

/** Defaults of {@link AddOptions}. */
export const addDefaults = {
  ...longWorkDefaults,
  batchSize: 512,
  onDuplicate: 'add',
  threshold: undefined as number | undefined,
  measure: undefined as DuplicateMeasure | undefined,
  onInvalid: 'error',
} satisfies Listed<AddOptions>;

/** {@link AddOptions}, completed by the defaults. */
export type ResolvedAddOptions = Resolved<AddOptions, typeof addDefaults>;

/** Options of `plan(documents, options)`. */
export interface PlanOptions {
  /** Price of a million tokens at the provider's service, in any currency. Default: the plan has no cost. */
  pricePerMillionTokens?: number | undefined;
  /** Aborting rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** Defaults of {@link PlanOptions}. */
export const planDefaults = { pricePerMillionTokens: undefined, signal: undefined } satisfies Listed<PlanOptions>;

/** {@link PlanOptions}, completed by the defaults. */
export type ResolvedPlanOptions = Resolved<PlanOptions, typeof planDefaults>;

/** Options of `deleteDocuments(documents, options)`. */
export interface DeleteOptions extends LongWorkOptions {
  /** Aborting rejects with `signal.reason`; then either all of the documents are deleted or none. */
  signal?: AbortSignal | undefined;
}

/** Defaults of {@link DeleteOptions}. */
export const deleteDefaults = longWorkDefaults satisfies Listed<DeleteOptions>;

/** Options of `updateMetadata(changes, options)`. */
export interface UpdateOptions {
  /**
   * Handling of an id without a document. `skip`: the other documents are updated. `error`: the call fails with NOT_FOUND, names
   * the ids, and changes nothing. Default `skip`.
   */
  onMissing?: 'skip' | 'error' | undefined;
}

/** Defaults of {@link UpdateOptions}. */
export const updateDefaults = { onMissing: 'skip' } satisfies Listed<UpdateOptions>;
