import { SemanticIndexError } from '../../errors.js';
import type { DocumentId } from '../../types.js';

const namedIds = 10;

/** An event about unsound vectors, with its error. */
export interface UnsoundVectors {
  readonly event: 'damage';
  readonly message: string;
  readonly error: SemanticIndexError;
}

/** Reports documents that searches by vector leave out, because their stored vector cannot be compared. */
export function unsoundVectors(ids: readonly DocumentId[]): UnsoundVectors {
  const named = ids.slice(0, namedIds).map((id) => JSON.stringify(id));
  const list = `${named.join(', ')}${ids.length > namedIds ? ' …' : ''}`;
  const message =
    `${ids.length} ${ids.length === 1 ? 'document has' : 'documents have'} a stored vector of a wrong length or with a ` +
    `component that is not finite: ${list}`;
  const error = new SemanticIndexError('CORRUPT', message, {
    hint: "Derive the vectors from the texts again with `rebuild({ from: 'texts' })`, or replace these documents.",
    details: { ids },
  });
  return { event: 'damage', message: `${message}; searches by vector leave them out`, error };
}
