import type { VectorRole } from '../../backend/documents.js';
import { SemanticIndexError } from '../../errors.js';
import type { DamageEvent, DocumentId } from '../../types.js';
import { hasUnitLength, squaredLength } from '../../vectors/vector-length.js';

const namedIds = 10;

/** Whether a stored vector has this many dimensions and every component is finite: only then it can be compared. */
export function isComparable(data: Uint8Array, dimensions: number): boolean {
  return data.byteLength === dimensions * 4 && Number.isFinite(squaredLength(data));
}

/**
 * Whether a stored vector can be what was written under its role: comparable, and of length 1 unless the caller gave it, as
 * vectors of models are stored with length 1.
 */
export function isSound(data: Uint8Array, dimensions: number, role: VectorRole): boolean {
  if (data.byteLength !== dimensions * 4) return false;
  const squares = squaredLength(data);
  return role === 'given' ? Number.isFinite(squares) && squares > 0 : hasUnitLength(squares);
}

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
