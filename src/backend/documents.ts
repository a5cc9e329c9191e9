import type { DocumentId } from '../types.js';

/** A document as a backend returns it; `metadata` is JSON. */
export interface StoredDocument {
  /** Number of this version of the document, a safe integer; a changed text gets a greater one. */
  readonly key: number;
  readonly id: DocumentId;
  readonly text: string;
  /** JSON, or null for none. */
  readonly metadata: string | null;
}

/** A document to be committed. */
export interface IncomingDocument {
  readonly id: DocumentId;
  readonly text: string;
  /** Content hash (base64url) of the text, or of the vector where the caller passed one. */
  readonly hash: string;
  /** JSON, or null for none. */
  readonly metadata: string | null;
  /** Number of its stored vector; 0 for a document whose content was found unchanged; `freshVector`. */
  readonly vector: number;
}

/** The terms of documents that are committed with them. */
export interface DocumentTerms {
  /** Of the documents with a vector, in their order. */
  readonly packed: Uint8Array<ArrayBuffer>;
  /** The setting by which they were analyzed (see `analysisToSetting`); they are not used if the index has another one by now. */
  readonly analysis: string;
  /** Languages of the documents, and perhaps others. */
  readonly languages: readonly string[];
}

/** Stands for the number of a vector that is stored with its document. */
export const freshVector = -1;

/** Vectors that are stored together with the documents that have them. */
export interface FreshVectors {
  /** The space that they are in. */
  readonly space: number;
  readonly role: VectorRole;
  /** Content hashes, one for each vector. */
  readonly hashes: readonly string[];
  /** One after the other. */
  readonly vectors: Float32Array;
}

/** The effect of a commit on one document. */
export type DocumentOutcome = 'added' | 'updated' | 'unchanged';

/** How a document differs from the stored one with the same id. */
export type DocumentChange = 'new' | 'changed' | 'unchanged';

/** Source of a stored vector: the text of a document, a query, or the caller. */
export type VectorRole = 'document' | 'query' | 'given';

/** A stored vector, and what it is stored under. */
export interface StoredVector {
  readonly space: number;
  readonly role: VectorRole;
  /** Content hash, base64url. */
  readonly hash: string;
  readonly vector: Float32Array;
}

/** Vectors (packed, one after the other) with the keys of their documents, ascending. */
export interface KeyedVectors {
  readonly keys: Float64Array;
  readonly vectors: Float32Array;
}

/** Documents in the order of their keys, and whether more follow. */
export interface DocumentRows {
  readonly rows: readonly StoredDocument[];
  readonly hasMore: boolean;
}

/** A batch of documents with their vectors, one after the other. */
export interface ExportedRows {
  readonly documents: readonly (StoredDocument & {
    /** Whether the caller passed the vector. */
    readonly given: boolean;
  })[];
  readonly vectors: Float32Array;
}

/** The stored facts that duplicate detection needs about documents to be added. */
export interface KnownDuplicates {
  /** Whether the index has a document with the id. */
  readonly known: readonly boolean[];
  /** Vectors, one after the other; zeros for a document without one. */
  readonly vectors: Float32Array;
  /** Keys of documents with an identical vector, oldest first. */
  readonly same: readonly (readonly number[])[];
}

/** A stored document that is not linked to another one as its duplicate. */
export interface Representative {
  readonly key: number;
  readonly id: DocumentId;
  readonly text: string;
}
