import type { Backend } from '../backend/backend.js';
import type { ExportFormat } from '../backend/export-format.js';
import type { ReadSetting } from '../backend/read-snapshot.js';
import type { ResolvedOpenOptions, ResolvedSearchOptions, ResolvedTuneOptions } from '../options.js';
import type { Drift, EmbeddingProvider, IndexEvent, TuneResult, Tuning } from '../types.js';
import type { EmbeddingSpace } from './embedding-space.js';
import type { MetadataRules } from './metadata-rules.js';

/** The index that an operation works on. */
export interface OperationContext {
  readonly backend: Backend;
  readonly space: EmbeddingSpace;
}

/** The options that decide how thoroughly a search looks. */
export type SearchEffort = Pick<ResolvedSearchOptions, 'exact' | 'searchK' | 'mode' | 'k'>;

/** Measures recall, and sets searches to what was measured. */
export interface RecallControl {
  /** The latest measurement, and how far the index has drifted since. */
  tuning(): Promise<(Tuning & Drift) | undefined>;
  /** The search with its own setting, or else the tuned one. @param setting reads what was tuned. */
  settle<O extends SearchEffort>(search: O, setting: ReadSetting): Promise<O>;
  tune(options: ResolvedTuneOptions): Promise<TuneResult>;
  onEvent(event: IndexEvent): void;
  /** Measures in the background if necessary. */
  check(): void;
  stop(): Promise<void>;
}

/** An open index with everything that its methods need. */
export interface IndexContext extends OperationContext {
  readonly recall: RecallControl;
  readonly rules: MetadataRules;
  readonly provider: EmbeddingProvider | undefined;
  readonly exports: ExportFormat;
  /** Undefined in memory. */
  readonly directory: string | undefined;
  readonly options: ResolvedOpenOptions;
}
