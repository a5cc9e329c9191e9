import type { ParseRequest } from '../files/parse-messages.js';
import type { DocumentInput } from '../types.js';
import type { ChunkMetadata } from './chunking/chunk-documents.js';

/** To a thread: a file to read and to split. */
export interface ChunkRequest extends ParseRequest {
  /** Id of the source. */
  readonly id: string;
  readonly collection: string | undefined;
}

/** A chunk as a document, with the fingerprint of its metadata. */
export interface PreparedChunk {
  readonly document: DocumentInput<ChunkMetadata> & { readonly id: string };
  readonly fingerprint: string;
}
