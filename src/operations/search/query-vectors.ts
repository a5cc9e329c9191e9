import { SemanticIndexError } from '../../errors.js';
import { describe } from '../../options.js';
import type { Store } from '../../store/store.js';
import type { DocumentId } from '../../types.js';
import { checkId, checkText, checkVector } from '../checked-document.js';
import type { EmbeddingSpace } from '../embedding-space.js';

/** What one searches for: a text, a vector, or the likes of a document that is in the index. */
export type Query = string | Float32Array | readonly number[] | { readonly id: DocumentId };

/** A query, checked, and as a vector where one is wanted. */
export interface CheckedQuery {
  readonly text: string | undefined;
  readonly vector: Float32Array | undefined;
  /** Key of the document that is asked for its likes, and so is none of them. */
  readonly own: number | undefined;
}

/**
 * Checks queries and turns them into vectors; texts only when `embed` says so.
 *
 * @throws INVALID_TEXT, INVALID_VECTOR, INVALID_ID, NOT_FOUND, DIMENSION_MISMATCH, INVALID_ARGUMENT (no provider), and what
 *   the provider causes.
 */
export async function checkQueries(
  queries: readonly Query[],
  embed: boolean,
  store: Store,
  space: EmbeddingSpace,
  signal: AbortSignal | undefined,
): Promise<CheckedQuery[]> {
  const checked = queries.map((query): CheckedQuery => {
    if (typeof query === 'string') return { text: checkText(query, 'the query'), vector: undefined, own: undefined };
    if (!isIdQuery(query)) return { text: undefined, vector: checkVector(query, 'the query'), own: undefined };
    const found = store.vectorOf(checkId(query.id, 'the query'));
    if (found === undefined) throw new SemanticIndexError('NOT_FOUND', `No document has the id ${describe(query.id)}`);
    return { text: undefined, vector: found.vector, own: found.key };
  });
  if (embed) await embedQueries(checked, space, signal);
  for (const { vector } of checked) if (vector !== undefined) space.checkDimensions(vector.length);
  return checked;
}

/** The checked queries, with the present key and vector of documents that were replaced since. */
export function followOwn(queries: readonly Query[], checked: readonly CheckedQuery[], store: Store): CheckedQuery[] {
  return checked.map((before, position) => {
    const query = queries[position] as Query;
    const found = isIdQuery(query) ? store.vectorOf(query.id) : undefined;
    return found === undefined ? before : { text: undefined, vector: found.vector, own: found.key };
  });
}

async function embedQueries(
  queries: CheckedQuery[],
  space: EmbeddingSpace,
  signal: AbortSignal | undefined,
): Promise<void> {
  const positions = [...queries.keys()].filter((position) => queries[position]?.text !== undefined);
  if (positions.length === 0) return;
  const texts = positions.map((position) => queries[position]?.text as string);
  for await (const landed of space.embed(texts, { role: 'query', signal })) {
    landed.indices.forEach((index, place) => {
      const position = positions[index] as number;
      queries[position] = { text: texts[index], vector: landed.vectors[place], own: undefined };
    });
  }
}

/** Whether a document is asked for its likes. */
export function isIdQuery(query: Query): query is { readonly id: DocumentId } {
  return typeof query === 'object' && query !== null && 'id' in query;
}
