import { checkLanguage } from './analysis/languages.js';
import { analysisFromSetting } from './analysis/text-analysis.js';
import { checkOpen, checkPath } from './check-arguments.js';
import { bundledProvider } from './embed/bundled/bundled-provider.js';
import { checkProvider } from './embed/check-provider.js';
import { SemanticIndexError } from './errors.js';
import type { IndexContext } from './operations/context.js';
import { checkFields } from './operations/declared-fields.js';
import { EmbeddingSpace } from './operations/embedding-space.js';
import { MetadataRules } from './operations/metadata-rules.js';
import { SharedEmbeddings } from './operations/shared-embeddings.js';
import { storedAnalysis } from './operations/stored-analysis.js';
import { RecallMonitor } from './operations/tune/recall-monitor.js';
import { describe, type OpenOptions, type ResolvedOpenOptions } from './options.js';
import { EmbeddingCache } from './store/embedding-cache.js';
import { exportFolder } from './store/export-folder.js';
import { SalvagedExport } from './store/salvage/salvaged-export.js';
import { Store } from './store/store.js';
import type { IndexEvent } from './types.js';
import { checkMetric } from './vectors/metric.js';

/** Checks the options of `SemanticIndex.open`, and opens the store and the embedding space of an index. */
export async function openIndex(directory: string, options: OpenOptions | undefined): Promise<IndexContext> {
  const resolved = checkOpen(options);
  const { provider, metric, create, readonly, ann, cache, storage } = resolved;
  checkPath('SemanticIndex.open', directory);
  const language =
    resolved.language === undefined ? undefined : checkLanguage('SemanticIndex.open', 'language', resolved.language);
  checkLanguageField(resolved.languageField);
  if (metric !== undefined) checkMetric('SemanticIndex.open', metric);
  if (provider !== undefined && provider !== null) checkProvider('SemanticIndex.open', provider);
  const fields = resolved.fields === undefined ? undefined : checkFields(resolved.fields);
  let context: IndexContext | undefined;
  const onEvent = (event: IndexEvent): void => {
    resolved.onEvent?.(event);
    context?.recall.onEvent(event);
  };
  const store = await Store.open(directory, {
    ...{
      metric,
      create,
      readonly,
      onEvent,
      queryCache: cache.queries,
      language,
      languageField: resolved.languageField,
    },
    ...ann,
    ...storage,
  });
  try {
    const { field } = analysisFromSetting(await storedAnalysis(store));
    context = contextOf(store, directory, resolved, field);
    context.space.check();
    if (fields !== undefined && !readonly) await store.declareFields(fields);
    context.recall.check();
    return context;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** @throws INVALID_ARGUMENT unless it is a path of metadata, null, or left out. */
function checkLanguageField(field: unknown): void {
  if (field === undefined || field === null || (typeof field === 'string' && field !== '')) return;
  const message = `SemanticIndex.open: expected a path of metadata as languageField, got ${describe(field)}`;
  throw new SemanticIndexError('INVALID_ARGUMENT', message, { hint: "For example 'lang'; null for none." });
}

function contextOf(
  store: Store,
  directory: string,
  options: ResolvedOpenOptions,
  languageField: string | undefined,
): IndexContext {
  const { cache, storage, ann, recall, readonly, onEvent } = options;
  const provider = options.provider === null ? undefined : (options.provider ?? bundledProvider());
  const shared =
    cache.embeddings === undefined
      ? undefined
      : new EmbeddingCache(cache.embeddings, { ...storage, maxBytes: cache.embeddingsMaxBytes });
  const space = new EmbeddingSpace(store, provider, new SharedEmbeddings(shared));
  return {
    backend: store,
    space,
    recall: new RecallMonitor({ backend: store, space }, { recall, background: ann.background, readonly, onEvent }),
    rules: new MetadataRules(options, languageField),
    provider,
    exports: exportFolder,
    directory: directory === ':memory:' ? undefined : directory,
    options,
  };
}

/** Reads the index when its catalog is damaged; undefined in memory. */
export function salvageOf({ directory }: IndexContext): (() => SalvagedExport) | undefined {
  return directory === undefined ? undefined : () => new SalvagedExport(directory);
}
