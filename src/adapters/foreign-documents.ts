import { type Metadata, SemanticIndexError } from '../index.js';

/**
 * Metadata of another framework as JSON has it: dates and URLs become strings, instances of classes plain objects.
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

/** @throws UNKNOWN_OPTION when an object has a member that is not among `known`. */
export function refuseUnknownMembers(method: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    throw new SemanticIndexError('UNKNOWN_OPTION', `${method}: unknown option "${name}"`, {
      hint: `Known options: ${known.join(', ')}.`,
      details: { option: name, known },
    });
  }
}
