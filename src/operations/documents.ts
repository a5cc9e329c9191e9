import { checkAdd, checkIterable, checkOneOf, checkPositive } from '../check-arguments.js';
import { SemanticIndexError } from '../errors.js';
import {
  type AddOptions,
  type CountOptions,
  countDefaults,
  type DeleteOptions,
  deleteDefaults,
  describe,
  type FacetsOptions,
  facetsDefaults,
  type ListOptions,
  listDefaults,
  type PlanOptions,
  planDefaults,
  type ResolvedFacetsOptions,
  resolveOptions,
  type SuggestOptions,
  suggestDefaults,
  type UpdateOptions,
  updateDefaults,
} from '../options.js';
import type {
  AddPlan,
  AddResult,
  Document,
  DocumentId,
  DocumentPage,
  DocumentSelection,
  Documents,
  FacetsResult,
  Metadata,
  MetadataUpdate,
  Suggestion,
} from '../types.js';
import { addDocuments as add } from './add/add-documents.js';
import { planAdd } from './add/plan.js';
import { checkIds, documentOf } from './checked-document.js';
import type { IndexContext } from './context.js';
import { filterFor, selectionFor } from './declared-fields.js';
import { checkChanges, refuseMissing } from './metadata-rules.js';
import { suggest } from './query/suggest.js';
import { facetsOf } from './search/columns/facets.js';
import { listPage } from './search/list-documents.js';

export async function addDocuments<M extends Metadata>(
  context: IndexContext,
  documents: Documents<M>,
  options: AddOptions | undefined,
): Promise<AddResult> {
  const checked = checkAdd(options);
  checkIterable('addDocuments', documents);
  return add(context, documents, checked, context.rules);
}

export async function planDocuments<M extends Metadata>(
  context: IndexContext,
  documents: Documents<M>,
  options: PlanOptions | undefined,
): Promise<AddPlan> {
  const resolved = resolveOptions('plan', options, planDefaults);
  checkIterable('plan', documents);
  return planAdd(context, documents, resolved);
}

export async function deleteDocuments<M extends Metadata>(
  { backend }: IndexContext,
  which: DocumentId | readonly DocumentId[] | DocumentSelection<M>,
  options: DeleteOptions | undefined,
): Promise<number> {
  const { signal, onProgress } = resolveOptions('deleteDocuments', options, deleteDefaults);
  const isSelection = typeof which === 'object' && which !== null && !Array.isArray(which);
  const deleted = isSelection
    ? await backend.deleteWhere(await selectionFor(backend, which as DocumentSelection), signal)
    : await backend.deleteByIds(checkIds('deleteDocuments', Array.isArray(which) ? which : [which]), signal);
  onProgress?.({ stage: 'delete', done: deleted, total: deleted });
  return deleted;
}

export async function updateMetadata<M extends Metadata>(
  { backend, rules }: IndexContext,
  changes: readonly MetadataUpdate<M>[],
  options: UpdateOptions | undefined,
): Promise<number> {
  const { onMissing } = resolveOptions('updateMetadata', options, updateDefaults);
  checkOneOf('updateMetadata', 'onMissing', onMissing, ['skip', 'error']);
  if (!Array.isArray(changes)) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `updateMetadata: expected an array of changes, got ${describe(changes)}`,
      { hint: 'Pass [{ id, metadata }].' },
    );
  }
  const checked = await checkChanges(changes, rules);
  if (onMissing === 'error') await refuseMissing(backend, checked);
  return backend.setMetadata(checked);
}

export async function getDocuments<M extends Metadata>(
  { backend }: IndexContext,
  ids: readonly DocumentId[],
): Promise<(Document<M> | undefined)[]> {
  const stored = await backend.byIds(checkIds('getDocuments', ids));
  return stored.map((row) => (row === undefined ? undefined : documentOf<M>(row)));
}

export async function getVectors(
  { backend }: IndexContext,
  ids: readonly DocumentId[],
): Promise<(Float32Array | undefined)[]> {
  const found = await Promise.all(checkIds('getVectors', ids).map((id) => backend.vectorOf(id)));
  return found.map((row) => row?.vector);
}

export async function knownWords(
  { space }: IndexContext,
  texts: readonly string[],
): Promise<readonly (string | undefined)[]> {
  if (!Array.isArray(texts) || texts.some((text) => typeof text !== 'string')) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `knownWords: expected an array of texts, got ${describe(texts)}`, {
      hint: 'Pass an array of strings.',
    });
  }
  return space.knownWords(texts);
}

export async function listDocuments<M extends Metadata>(
  { backend }: IndexContext,
  options: ListOptions<M> | undefined,
): Promise<DocumentPage<M>> {
  return listPage<M>(backend, resolveOptions('listDocuments', options, listDefaults));
}

/** Completions of a text that is being typed. @throws INVALID_ARGUMENT unless it is a string. */
export async function suggestWords<M extends Metadata>(
  context: IndexContext,
  text: string,
  options: SuggestOptions<M> | undefined,
): Promise<Suggestion[]> {
  const resolved = resolveOptions('suggest', options, suggestDefaults);
  checkPositive('suggest', 'limit', resolved.limit);
  if (typeof text === 'string') return suggest<M>(context, text, resolved);
  throw new SemanticIndexError('INVALID_ARGUMENT', `suggest: expected a text, got ${describe(text)}`, {
    hint: 'Pass what was typed so far; its last word is completed.',
  });
}

export async function countDocuments<M extends Metadata>(
  { backend }: IndexContext,
  options: CountOptions<M> | undefined,
): Promise<number> {
  const { where, signal } = resolveOptions('count', options, countDefaults);
  return backend.count(where === undefined ? undefined : await filterFor(backend, where), signal);
}

export async function facets<M extends Metadata>(
  { backend }: IndexContext,
  options: FacetsOptions<M> | undefined,
): Promise<FacetsResult> {
  const resolved = resolveOptions('facets', options, facetsDefaults) as ResolvedFacetsOptions<M>;
  return facetsOf<M>(backend, resolved);
}
