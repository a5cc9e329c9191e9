import { checkOneOf, checkPath, checkTune } from '../check-arguments.js';
import { checkProvider } from '../embed/check-provider.js';
import { SemanticIndexError } from '../errors.js';
import {
  type BackupOptions,
  backupDefaults,
  describe,
  type ExportOptions,
  exportDefaults,
  type ImportOptions,
  importDefaults,
  type MigrateOptions,
  migrateDefaults,
  type OptimizeOptions,
  optimizeDefaults,
  type RebuildOptions,
  rebuildDefaults,
  resolveOptions,
  type TuneOptions,
  type ValidateOptions,
  validateDefaults,
} from '../options.js';
import type {
  AddResult,
  DocumentWithVector,
  EmbeddingProvider,
  ExportResult,
  Metadata,
  MigrationResult,
  OptimizeResult,
  TuneResult,
  ValidationReport,
} from '../types.js';
import type { IndexContext } from './context.js';
import { migrate } from './migrate/migrate.js';
import { reembedTexts } from './migrate/rebuild.js';
import { optimizeIndex } from './optimize.js';
import * as transfer from './transfer/transfer.js';

export async function optimize(
  { backend, recall }: IndexContext,
  options: OptimizeOptions | undefined,
): Promise<OptimizeResult> {
  const result = await optimizeIndex(backend, resolveOptions('optimize', options, optimizeDefaults));
  recall.check();
  return result;
}

export async function validateIndex(
  { backend }: IndexContext,
  options: ValidateOptions | undefined,
): Promise<ValidationReport> {
  const { level, signal, onProgress } = resolveOptions('validate', options, validateDefaults);
  checkOneOf('validate', 'level', level, ['quick', 'full']);
  onProgress?.({ stage: 'validate', done: 0, total: 1 });
  const report = await backend.validate(level, signal);
  onProgress?.({ stage: 'validate', done: 1, total: 1 });
  return report;
}

export async function rebuildIndex(context: IndexContext, options: RebuildOptions | undefined): Promise<void> {
  const resolved = resolveOptions('rebuild', options, rebuildDefaults);
  checkOneOf('rebuild', 'from', resolved.from, ['vectors', 'texts']);
  if (resolved.from === 'texts') await reembedTexts(context, resolved);
  await context.backend.rebuildSegments(resolved);
}

export async function migrateIndex(
  context: IndexContext,
  provider: EmbeddingProvider,
  options: MigrateOptions | undefined,
): Promise<MigrationResult> {
  const resolved = resolveOptions('migrate', options, migrateDefaults);
  checkProvider('migrate', provider);
  return migrate(context, provider, resolved);
}

export async function tuneIndex({ recall }: IndexContext, options: TuneOptions | undefined): Promise<TuneResult> {
  return recall.tune(checkTune(options));
}

export async function backupIndex(
  { backend }: IndexContext,
  path: string,
  options: BackupOptions | undefined,
): Promise<void> {
  await backend.backup(checkPath('backup', path), resolveOptions('backup', options, backupDefaults));
}

/** @param none arguments of a caller without types: a filter would be ignored, and all documents returned. */
export function allDocuments<M extends Metadata>(
  context: IndexContext,
  none: readonly unknown[],
): AsyncGenerator<DocumentWithVector<M>> {
  if (none.some((one) => one !== undefined)) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `documents: expected no arguments, got ${describe(none[0])}`, {
      hint: 'For the documents that match a filter: `listDocuments({ where })`, and `getVectors(ids)` for their vectors.',
    });
  }
  return transfer.exportDocuments<M>(context.backend);
}

export async function exportTo(
  context: IndexContext,
  path: string,
  options: ExportOptions | undefined,
  salvage: transfer.DamageOptions['salvage'],
): Promise<ExportResult> {
  const resolved = resolveOptions('exportTo', options, exportDefaults);
  const target = checkPath('exportTo', path);
  checkOneOf('exportTo', 'format', resolved.format, ['jsonl', 'annoy']);
  if (resolved.format === 'annoy') {
    return { documents: await context.backend.exportForest(target, resolved), lost: [] };
  }
  return transfer.exportTo(context, target, resolved, { salvage, onEvent: context.options.onEvent });
}

export async function importFrom(
  context: IndexContext,
  directory: string,
  options: ImportOptions | undefined,
): Promise<AddResult> {
  const resolved = resolveOptions('importFrom', options, importDefaults);
  return transfer.importFrom(context, checkPath('importFrom', directory), resolved);
}
