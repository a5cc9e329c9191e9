import { parseQuery, type QueryClauses } from '../../analysis/query/query-syntax.js';
import { SemanticIndexError } from '../../errors.js';
import { describe, type ResolvedSearchOptions } from '../../options.js';
import type { DegradedSearch, DocumentId, Query } from '../../types.js';
import { checkId, checkText, checkVector } from '../checked-document.js';
import type { EmbeddingSpace } from '../embedding-space.js';
import { type EmbedFallback, embedOrFallBack } from './embed-fallback.js';

/** A query that passed all checks. */
export interface CheckedQuery {
  /** Without operators. */
  readonly text: string | undefined;
  /** What the text was read as, if it may have operators. */
  readonly clauses: QueryClauses | undefined;
  readonly vector: Float32Array | undefined;
  /** Number of the space that the text was embedded in; undefined for other queries, and before the index has a space. */
  readonly space: number | undefined;
  /** See `awaitRecognition`. */
  readonly recognised: Promise<void> | undefined;
  /** Id of the document whose neighbours are wanted. */
  readonly id: DocumentId | undefined;
  /** Why a text that was to be embedded has no vector. */
  readonly degraded: DegradedSearch | undefined;
}

/** A query whose document was looked up. */
export interface ResolvedQuery extends CheckedQuery {
  /** Key of the document whose neighbours are wanted; it is not one of them. */
  readonly own: number | undefined;
}

/** What a query was checked to be. */
interface CheckedParts {
  readonly text?: string;
  readonly clauses?: QueryClauses;
  readonly vector?: Float32Array;
  readonly space?: number;
  readonly id?: DocumentId;
}

/** All queries have the same members in the same order. */
function checkedQuery({ text, clauses, vector, space, id }: CheckedParts): CheckedQuery {
  return { text, clauses, vector, space, recognised: undefined, id, degraded: undefined };
}

function resolvedQuery(
  { text, clauses, vector, space, recognised, id, degraded }: CheckedQuery,
  found: { readonly key: number; readonly vector: Float32Array } | undefined,
): ResolvedQuery {
  return { text, clauses, vector: found?.vector ?? vector, space, recognised, id, degraded, own: found?.key };
}

/**
 * Waits until the model that embedded queries was recognised: what they found must not be returned before.
 *
 * @throws SPACE_MISMATCH
 */
export async function awaitRecognition(queries: readonly CheckedQuery[]): Promise<void> {
  for (const { recognised } of queries) if (recognised !== undefined) await recognised;
}

/**
 * Checks queries, and embeds texts if `embed` is true. The caller also calls `awaitRecognition`.
 *
 * @throws INVALID_TEXT, INVALID_VECTOR, INVALID_ID, INVALID_ARGUMENT (no provider), and what the provider causes.
 */
export function checkQueries(
  queries: readonly Query[],
  embed: boolean,
  space: EmbeddingSpace,
  fallback: EmbedFallback & Pick<ResolvedSearchOptions, 'syntax'>,
): CheckedQuery[] | Promise<CheckedQuery[]> {
  const checked = queries.map((query): CheckedQuery => {
    if (typeof query === 'string') {
      const text = checkText(query, 'the query');
      return checkedQuery(fallback.syntax === 'plain' ? { text } : readClauses(text));
    }
    if (isIdQuery(query)) return checkedQuery({ id: checkId(query.id, 'the query') });
    if (!ArrayBuffer.isView(query) && !Array.isArray(query)) throw notAQuery(query);
    return checkedQuery({ vector: checkVector(query, 'the query') });
  });
  for (const { vector } of checked) if (vector !== undefined) space.checkDimensions(vector.length);
  if (!embed || checked.every(({ text }) => text === undefined)) return checked;
  const only = checked.length === 1 ? (checked[0] as CheckedQuery) : undefined;
  const now = only?.text === undefined ? undefined : space.embedNow(only.text);
  if (only?.text === undefined || now === undefined) return embedQueries(checked, space, fallback);
  const { text, clauses } = only;
  return [{ text, clauses, ...now, id: undefined, degraded: undefined }];
}

function notAQuery(query: unknown): SemanticIndexError {
  return new SemanticIndexError('INVALID_ARGUMENT', `search: expected a query, got ${describe(query)}`, {
    hint: 'Pass a string, a vector, or { id } of a document.',
  });
}

/** @throws INVALID_ARGUMENT when nothing is left, as all is excluded or there are only signs. */
function readClauses(query: string): { readonly text: string; readonly clauses: QueryClauses } {
  const clauses = parseQuery(query);
  if (clauses.text !== '') return { text: clauses.text, clauses };
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `search: expected words to search for, got none, or only excluded ones: ${describe(query)}`,
    { hint: 'Add a word without a dash; a backslash before an operator makes it part of the word.' },
  );
}

async function embedQueries(
  queries: CheckedQuery[],
  space: EmbeddingSpace,
  fallback: EmbedFallback,
): Promise<CheckedQuery[]> {
  const positions = [...queries.keys()].filter((position) => queries[position]?.text !== undefined);
  const texts = positions.map((position) => queries[position]?.text as string);
  const degraded = await embedOrFallBack(async (signal) => {
    const [first, ...others] = texts;
    if (first !== undefined && others.length === 0) {
      await space.loadModel();
      signal?.throwIfAborted();
      const now = space.embedNow(first);
      if (now !== undefined) {
        const position = positions[0] as number;
        queries[position] = { ...(queries[position] as CheckedQuery), ...now };
        return;
      }
    }
    for await (const landed of space.embed(texts, { role: 'query', signal })) {
      landed.indices.forEach((index, place) => {
        const position = positions[index] as number;
        queries[position] = {
          ...(queries[position] as CheckedQuery),
          vector: landed.vectors[place],
          space: landed.space,
        };
      });
    }
  }, fallback);
  if (degraded === undefined) return queries;
  for (const position of positions) {
    const query = queries[position] as CheckedQuery;
    if (query.vector === undefined) queries[position] = { ...query, degraded };
  }
  return queries;
}

/** Looks up vectors of documents. */
interface VectorLookUp {
  vectorOf(id: DocumentId): Promise<{ readonly key: number; readonly vector: Float32Array } | undefined>;
}

/** Adds key and vector to queries by id. @throws NOT_FOUND when no document has the id. */
export async function resolveQueries(
  queries: readonly CheckedQuery[],
  documents: VectorLookUp | undefined,
): Promise<ResolvedQuery[]> {
  const resolved: ResolvedQuery[] = [];
  for (const query of queries) {
    const { id } = query;
    const found = id === undefined ? undefined : await documents?.vectorOf(id);
    if (id !== undefined && found === undefined) {
      throw new SemanticIndexError('NOT_FOUND', `No document has the id ${describe(id)}`);
    }
    resolved.push(resolvedQuery(query, found));
  }
  return resolved;
}

function isIdQuery(query: Query): query is { readonly id: DocumentId } {
  return typeof query === 'object' && query !== null && 'id' in query;
}
