import type { Backend } from '../../backend/backend.js';
import { checkPositive } from '../../check-arguments.js';
import { SemanticIndexError } from '../../errors.js';
import { describe, type ResolvedListOptions } from '../../options.js';
import type { DocumentPage, Metadata } from '../../types.js';
import { documentOf } from '../checked-document.js';
import { filterFor } from '../declared-fields.js';
import { sortedPage } from './columns/sorted-list.js';

/** One page of the documents of an index, for `listDocuments`. The cursor is the key of the last one. */
export async function listPage<M extends Metadata>(
  backend: Backend,
  options: ResolvedListOptions<M>,
): Promise<DocumentPage<M>> {
  const { where, limit, after, maxBytes, sort, signal } = options;
  checkPositive('listDocuments', 'limit', limit);
  if (maxBytes !== undefined) checkPositive('listDocuments', 'maxBytes', maxBytes);
  if (sort !== undefined) {
    return sortedPage(backend, where === undefined ? undefined : await filterFor(backend, where), options);
  }
  const afterKey = after === undefined ? 0 : keyOf(after);
  if (!Number.isSafeInteger(afterKey)) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `listDocuments: expected a cursor as after, got ${describe(after)}`,
      {
        hint: 'Pass `next` of the previous page, and the same sort.',
      },
    );
  }
  const filter = where === undefined ? undefined : await filterFor(backend, where);
  const { rows, hasMore } = await backend.list(filter, limit, afterKey, maxBytes, signal);
  const documents = rows.map((row) => documentOf<M>(row));
  const last = rows.at(-1);
  return hasMore && last !== undefined ? { documents, next: last.key.toString(36) } : { documents };
}

/** NaN for what is not a cursor of an unsorted list, such as that of a search: it must not be taken for a place behind all documents. */
function keyOf(cursor: string): number {
  return /^[1-9a-z][0-9a-z]*$/.test(cursor) ? Number.parseInt(cursor, 36) : Number.NaN;
}
