import type { Backend } from '../../../backend/backend.js';
import type { SortedPlace } from '../../../backend/field-reading.js';
import type { FilterTree } from '../../../backend/filter-tree.js';
import { checkOneOf } from '../../../check-arguments.js';
import { SemanticIndexError } from '../../../errors.js';
import { describe, type ResolvedListOptions, resolveOptions, type SortOptions } from '../../../options.js';
import type { Document, DocumentPage, Metadata } from '../../../types.js';
import { documentOf } from '../../checked-document.js';
import { withSnapshot } from '../../with-snapshot.js';
import { checkFieldsExist, fieldNamed } from './field-names.js';

/** One page of documents in the order of a field, for `listDocuments`. The cursor is the place of the last one. */
export async function sortedPage<M extends Metadata>(
  backend: Backend,
  filter: FilterTree | undefined,
  { sort, limit, after, maxBytes, signal }: ResolvedListOptions<M>,
): Promise<DocumentPage<M>> {
  const { field: name, order } = resolveOptions('listDocuments: sort', sort as SortOptions, {
    field: undefined,
    order: 'asc',
  });
  const field = fieldNamed('listDocuments', 'sort.field', name);
  checkOneOf('listDocuments', 'sort.order', order, ['asc', 'desc']);
  const place = after === undefined ? undefined : placeOf(after);
  return withSnapshot(backend, { filter, fields: [field], consistency: 'session', signal }, async (snapshot) => {
    if (snapshot === undefined) return { documents: [] };
    await checkFieldsExist('listDocuments', snapshot, [{ option: 'sort.field', field }]);
    const descending = order === 'desc';
    const found = await snapshot.field(field.name).sorted({ descending, after: place, limit: limit + 1, signal });
    const page = found.slice(0, limit);
    const rows = await snapshot.byKeys(
      page.map(({ key }) => key),
      signal,
    );
    const documents: Document<M>[] = [];
    let last: SortedPlace | undefined;
    let bytes = 0;
    for (const [position, row] of rows.entries()) {
      if (row === undefined) continue;
      bytes += Buffer.byteLength(row.text) + Buffer.byteLength(row.metadata ?? '');
      if (maxBytes !== undefined && bytes > maxBytes && documents.length > 0) break;
      documents.push(documentOf<M>(row));
      last = page[position];
    }
    const hasMore = last !== undefined && last !== found.at(-1);
    return hasMore ? { documents, next: cursorOf(last as SortedPlace) } : { documents };
  });
}

function cursorOf({ key, value }: SortedPlace): string {
  return Buffer.from(JSON.stringify(value === undefined ? [key] : [key, value])).toString('base64url');
}

function placeOf(cursor: string): SortedPlace {
  try {
    const [key, value, ...others] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    const isValue = value === undefined || ['string', 'number', 'boolean'].includes(typeof value);
    if (Number.isSafeInteger(key) && isValue && others.length === 0) {
      return { key: key as number, value: value as SortedPlace['value'] };
    }
  } catch {
    // Not the cursor of a sorted page.
  }
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `listDocuments: expected a cursor as after, got ${describe(cursor)}`,
    {
      hint: 'Pass `next` of the previous page, and the same sort.',
    },
  );
}
