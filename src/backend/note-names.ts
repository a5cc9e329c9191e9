import type { DocumentId } from '../types.js';
import { parseStored } from './stored-json.js';

/** Prefixes of the names of settings that hold notes, see `StoredNotes`. */
export const notePrefix = 'source-note:';
export const duplicatePrefix = 'dismissed-duplicate:';

/** Name of the setting that holds the note of a source. */
export function noteName(collection: string | null, source: string): string {
  return `${notePrefix}${JSON.stringify([collection, source])}`;
}

/** The name of the note that a document with this metadata (JSON) invalidates; undefined when it is not a chunk. */
export function noteOf(metadata: string | null): string | undefined {
  if (metadata?.includes('"chunk":') !== true) return undefined;
  const { source, collection } = parseStored(metadata, 'The metadata of a chunk') as {
    source?: unknown;
    collection?: unknown;
  };
  return typeof source === 'string' ? noteName(typeof collection === 'string' ? collection : null, source) : undefined;
}

/**
 * Whether a new document under this id is seen by the count of the ids that begin with its source, which is compared
 * whenever a note is read.
 */
export function isCounted(id: DocumentId, metadata: string | null): boolean {
  const end = typeof id === 'string' ? id.lastIndexOf('#') : -1;
  return end > 0 && metadata?.includes(`"source":${JSON.stringify((id as string).slice(0, end))}`) === true;
}

/** Name of the setting that holds a document which must not come back. */
export function duplicateName(id: DocumentId): string {
  return `${duplicatePrefix}${JSON.stringify(id)}`;
}
