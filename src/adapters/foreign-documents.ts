import { type Metadata, SemanticIndexError } from '../index.js';

/**
 * Metadata of another framework, converted to JSON: dates and URLs become strings, class instances plain objects.
 *
 * @throws INVALID_METADATA when JSON cannot represent it (a circle, a BigInt).
 */
export function jsonMetadata(metadata: object | undefined): Metadata {
  try {
    return JSON.parse(JSON.stringify(metadata ?? {})) as Metadata;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SemanticIndexError('INVALID_METADATA', `JSON cannot represent the metadata: ${reason}`, { cause });
  }
}
