import { SemanticIndexError } from '../errors.js';
import type { DocumentId } from '../types.js';

/**
 * Parses JSON that the catalog holds under a name.
 *
 * @throws CORRUPT when it is damaged.
 */
export function parseStored(json: unknown, name: string): unknown {
  return parsed(json, () => name);
}

/** @param nameOf is called for messages alone. */
function parsed(json: unknown, nameOf: () => string): unknown {
  try {
    return JSON.parse(String(json));
  } catch (cause) {
    throw damaged(nameOf(), 'JSON', json, cause);
  }
}

/**
 * The metadata of a document as it is stored; null is none.
 *
 * @throws CORRUPT when it is damaged, with the id of the document.
 */
export function parseMetadata(json: string | null, id: DocumentId): Record<string, unknown> {
  if (json === null) return {};
  const nameOf = (): string => `The metadata of document ${JSON.stringify(id)}`;
  const value = parsed(json, nameOf);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw damaged(nameOf(), 'a JSON object', json);
  }
  return value as Record<string, unknown>;
}

function damaged(name: string, expected: string, got: unknown, cause?: unknown): SemanticIndexError {
  return new SemanticIndexError('CORRUPT', `${name} in index.db: expected ${expected}, got ${excerpt(got)}`, {
    hint: "index.db is damaged, or was changed by another program. `validate({ level: 'full' })` says what is affected; restore a backup, or save the rest with `salvage(from, to)`.",
    ...(cause !== undefined && { cause }),
  });
}

function excerpt(value: unknown): string {
  const text = JSON.stringify(String(value));
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
