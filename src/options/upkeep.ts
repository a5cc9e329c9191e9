import type { LongWorkOptions } from '../types.js';
import { type Listed, longWorkDefaults, type Resolved } from './resolve-options.js';

/** Options of `optimize(options)`. */
export interface OptimizeOptions extends LongWorkOptions {
  /** Rewrite all documents into a single segment. Default false: only new and deleted documents cause work. */
  full?: boolean | undefined;
}

/** Defaults of {@link OptimizeOptions}. */
export const optimizeDefaults = { ...longWorkDefaults, full: false } satisfies Listed<OptimizeOptions>;

/** {@link OptimizeOptions}, completed by the defaults. */
export type ResolvedOptimizeOptions = Resolved<OptimizeOptions, typeof optimizeDefaults>;

/** Options of `rebuild(options)`. */
export interface RebuildOptions extends LongWorkOptions {
  /**
   * `vectors`: segments are rebuilt from the stored vectors, without the model. `texts`: every text is embedded again first. Default
   * `vectors`.
   */
  from?: 'vectors' | 'texts' | undefined;
}

/** Defaults of {@link RebuildOptions}. */
export const rebuildDefaults = { ...longWorkDefaults, from: 'vectors' } satisfies Listed<RebuildOptions>;

/** {@link RebuildOptions}, completed by the defaults. */
export type ResolvedRebuildOptions = Resolved<RebuildOptions, typeof rebuildDefaults>;

/** Options of `migrate(provider, options)`. */
export interface MigrateOptions extends LongWorkOptions {
  /** Switch the index to the new model once everything is embedded. Default true. With false, a later call switches at once. */
  cutOver?: boolean | undefined;
  /** Queries that the two models are compared with. Default: 100 documents of the index, which costs nothing. */
  queries?: readonly string[] | undefined;
}

/** Defaults of {@link MigrateOptions}. */
export const migrateDefaults = {
  ...longWorkDefaults,
  cutOver: true,
  queries: undefined,
} satisfies Listed<MigrateOptions>;

/** {@link MigrateOptions}, completed by the defaults. */
export type ResolvedMigrateOptions = Resolved<MigrateOptions, typeof migrateDefaults>;

/** Options of `validate(options)`. */
export interface ValidateOptions extends LongWorkOptions {
  /** `quick` checks counts and sizes, `full` every page, byte and vector. Default `quick`. */
  level?: 'quick' | 'full' | undefined;
}

/** Defaults of {@link ValidateOptions}. */
export const validateDefaults = { ...longWorkDefaults, level: 'quick' } satisfies Listed<ValidateOptions>;

/** Options of `backup(path, options)`. */
export type BackupOptions = LongWorkOptions;

/** Defaults of {@link BackupOptions}. */
export const backupDefaults = longWorkDefaults;

/** Options of `exportTo(path, options)`. */
export interface ExportOptions extends LongWorkOptions {
  /**
   * `jsonl`: a directory with the documents as JSON lines and their vectors as a NumPy matrix, which `importFrom` reads. `annoy`: one
   * Annoy file of all vectors, and `PATH.ids.jsonl` with the id of each item. Default `jsonl`.
   */
  format?: 'jsonl' | 'annoy' | undefined;
}

/** Defaults of {@link ExportOptions}. */
export const exportDefaults = { ...longWorkDefaults, format: 'jsonl' } satisfies Listed<ExportOptions>;

/** {@link ExportOptions}, completed by the defaults. */
export type ResolvedExportOptions = Resolved<ExportOptions, typeof exportDefaults>;

/** Options of `importFrom(directory, options)`. */
export interface ImportOptions extends LongWorkOptions {
  /** Also import an export that lacks documents because its index was damaged. Default false: it is refused with INVALID_FILE. */
  partial?: boolean | undefined;
}

/** Defaults of {@link ImportOptions}. */
export const importDefaults = { ...longWorkDefaults, partial: false } satisfies Listed<ImportOptions>;

/** {@link ImportOptions}, completed by the defaults. */
export type ResolvedImportOptions = Resolved<ImportOptions, typeof importDefaults>;

/** Options of `copyIndex(source, target, options)`. */
export type CopyOptions = LongWorkOptions;

/** Defaults of {@link CopyOptions}. */
export const copyDefaults = longWorkDefaults;

/** Options of `salvage(from, to, options)`. */
export type SalvageOptions = LongWorkOptions;

/** Defaults of {@link SalvageOptions}. */
export const salvageDefaults = longWorkDefaults;
