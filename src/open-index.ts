import { addon } from './addon/addon.js';
import { checkTextFields, checkTextTemplate } from './analysis/fields/text-layout.js';
import { checkLanguage } from './analysis/languages.js';
import { analysisFromSetting } from './analysis/text-analysis.js';
import type { Backend } from './backend/backend.js';
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
import { locationOfAddress, optionsOf, PostgresLocation, shardsOf } from './postgres/postgres-options.js';
import { openShards, refuseShard } from './shards/open-shards.js';
import { EmbeddingCache } from './store/embedding-cache.js';
import { exportFolder } from './store/export-folder.js';
import { SalvagedExport } from './store/salvage/salvaged-export.js';
import { Store } from './store/store.js';
import type { IndexEvent } from './types.js';
import { checkMetric } from './vectors/metric.js';

/** Where an index is: a directory, `':memory:'`, or a schema of a PostgreSQL database, also as its address. */
export type IndexLocation = string | PostgresLocation;

/** A backend that is made otherwise. Internal. */
export class BackendLocation {
  constructor(readonly open: (options: ResolvedOpenOptions) => Promise<Backend>) {}
}

/** Checks the options of `SemanticIndex.open`, and opens the backend and the embedding space of an index. */
export async function openIndex(
  location: IndexLocation | BackendLocation,
  options: OpenOptions | undefined,
): Promise<IndexContext> {
  const checked = checkOpen(options);
  const postgres = location instanceof BackendLocation ? undefined : postgresOf(location);
  const directory = postgres === undefined && typeof location === 'string' ? location : undefined;
  const resolved = { ...checked, readonly: (postgres && optionsOf(postgres).readonly) ?? checked.readonly };
  const { provider, metric } = resolved;
  if (postgres === undefined && !(location instanceof BackendLocation))
    checkPath('SemanticIndex.open', location, { orMemory: true });
  const language =
    resolved.language === undefined ? undefined : checkLanguage('SemanticIndex.open', 'language', resolved.language);
  checkLanguageField(resolved.languageField);
  const texts = checkTextOptions(resolved);
  if (metric !== undefined) checkMetric('SemanticIndex.open', metric);
  if (provider !== undefined && provider !== null) checkProvider('SemanticIndex.open', provider);
  const fields = resolved.fields === undefined ? undefined : checkFields(resolved.fields);
  let context: IndexContext | undefined;
  const onEvent = (event: IndexEvent): void => {
    resolved.onEvent?.(event);
    context?.recall.onEvent(event);
  };
  const settings = { ...resolved, ...texts, language };
  const backend = await (location instanceof BackendLocation
    ? location.open(settings)
    : postgres === undefined
      ? openStore(location as string, settings, onEvent)
      : openPostgres(postgres, settings));
  try {
    const { field } = analysisFromSetting(await storedAnalysis(backend));
    context = contextOf(backend, directory, resolved, field);
    context.space.check();
    if (fields !== undefined && !resolved.readonly) await backend.declareFields(fields);
    context.recall.check();
    return context;
  } catch (error) {
    await backend.close();
    throw error;
  }
}

function postgresOf(location: IndexLocation): PostgresLocation | undefined {
  if (location instanceof PostgresLocation) return location;
  return typeof location === 'string' ? locationOfAddress(location) : undefined;
}

async function openStore(
  directory: string,
  { ann, cache, storage, ...options }: ResolvedOpenOptions,
  onEvent: (event: IndexEvent) => void,
): Promise<Store> {
  const { metric, create, readonly, language, languageField, textFields, textTemplate } = options;
  const texts = { language, languageField, textFields, textTemplate };
  // Where it is missing, no directory is made.
  addon();
  return Store.open(directory, {
    ...{ metric, create, readonly, onEvent, queryCache: cache.queries },
    ...texts,
    ...ann,
    ...storage,
  });
}

/** The backend for PostgreSQL is loaded only when an index is there. */
async function openPostgres(location: PostgresLocation, options: ResolvedOpenOptions): Promise<Backend> {
  const { PostgresBackend } = await import('./postgres/postgres-backend.js');
  const shards = shardsOf(location);
  if (shards === undefined) return refuseShard(await PostgresBackend.open(location, options));
  return openShards(
    shards.map((shard) => () => PostgresBackend.open(shard, options)),
    options.readonly,
  );
}

/** @throws INVALID_ARGUMENT unless it is a path of metadata, null, or left out. */
function checkLanguageField(field: unknown): void {
  if (field === undefined || field === null || (typeof field === 'string' && field !== '')) return;
  const message = `SemanticIndex.open: expected a path of metadata as languageField, got ${describe(field)}`;
  throw new SemanticIndexError('INVALID_ARGUMENT', message, { hint: "For example 'lang'; null for none." });
}

/** @throws INVALID_ARGUMENT unless they are weights by field, and a template of these fields. */
function checkTextOptions(options: ResolvedOpenOptions): Pick<ResolvedOpenOptions, 'textFields' | 'textTemplate'> {
  const method = 'SemanticIndex.open';
  const textFields = options.textFields === undefined ? undefined : checkTextFields(method, options.textFields);
  const { textTemplate } = options;
  // Without fields, those of the index decide whether the template is that of the index.
  if (textTemplate !== undefined && textFields !== undefined) {
    checkTextTemplate(method, textTemplate, Object.keys(textFields));
  }
  return { textFields, textTemplate };
}

function contextOf(
  backend: Backend,
  directory: string | undefined,
  options: ResolvedOpenOptions,
  languageField: string | undefined,
): IndexContext {
  const { cache, storage, ann, recall, readonly, onEvent } = options;
  const provider = options.provider === null ? undefined : (options.provider ?? bundledProvider());
  const shared =
    cache.embeddings === undefined
      ? undefined
      : new EmbeddingCache(cache.embeddings, { ...storage, maxBytes: cache.embeddingsMaxBytes });
  const space = new EmbeddingSpace(backend, provider, new SharedEmbeddings(shared));
  return {
    backend,
    space,
    recall: new RecallMonitor({ backend, space }, { recall, background: ann.background, readonly, onEvent }),
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
