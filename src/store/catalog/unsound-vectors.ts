import { SemanticIndexError } from '../../errors.js';
import type { DamageEvent, DocumentId } from '../../types.js';

const namedIds = 10;

/** Reports documents that searches by vector leave out, because their stored vector cannot be compared. */
export function unsoundVectors(ids: readonly DocumentId[]): DamageEvent & { readonly error: SemanticIndexError } {
  const named = ids.slice(0, namedIds).map((id) => JSON.stringify(id));
  const list = `${named.join(', ')}${ids.length > namedIds ? ' …' : ''}`;
  const message =
    `${ids.length} ${ids.length === 1 ? 'document has' : 'documents have'} a stored vector of a wrong length or with a ` +
    `component that is not finite: ${list}`;
  const error = new SemanticIndexError('CORRUPT', message, {
    hint: "Derive the vectors from the texts again with `rebuild({ from: 'texts' })`, or replace these documents.",
    details: { ids },
  });
  return {
    type: 'damage',
    file: 'index.db',
    reason: message,
    ids,
    message: `${message}; searches by vector leave them out`,
    error,
  };
}
