import type { SemanticIndexError } from '../errors.js';
import type { DocumentId, Metadata } from './base.js';

/** A text with fields: strings by the names that the option `textFields` of the index has. Fields may be missing. */
export type TextFields = Readonly<Record<string, string>>;

/** A document to add. */
export interface DocumentInput<M extends Metadata = Metadata> {
  /** Default: derived from text and metadata, so that adding the same document again changes nothing. */
  readonly id?: DocumentId | undefined;
  /** A string, or strings by field in an index with `textFields`. */
  readonly text: string | TextFields;
  /** The fields of a document as an index returned it: then `text` is left out, or the string that they make. */
  readonly textFields?: TextFields | undefined;
  readonly metadata?: M | undefined;
  /** The vector, if the caller has one. Default: the provider embeds the text. */
  readonly vector?: Float32Array | readonly number[] | undefined;
}

/** Input of `addDocuments`: texts or documents, as an array or as an iterable that is read batch by batch. */
export type Documents<M extends Metadata = Metadata> =
  | Iterable<string | DocumentInput<M>>
  | AsyncIterable<string | DocumentInput<M>>;

/** New metadata of a document, for `updateMetadata`. */
export interface MetadataUpdate<M extends Metadata = Metadata> {
  readonly id: DocumentId;
  readonly metadata: M;
}

/** A document in an index. */
export interface Document<M extends Metadata = Metadata> {
  readonly id: DocumentId;
  /** For a document with fields: what was embedded of them, followed by the other fields. */
  readonly text: string;
  /** The fields as they were added. Absent for a text without fields. */
  readonly textFields?: TextFields;
  /** An empty object if the document has none. */
  readonly metadata: M;
}

/** One page of documents. */
export interface DocumentPage<M extends Metadata = Metadata> {
  readonly documents: Document<M>[];
  /** Cursor of the next page, for the option `after`. Absent on the last page. */
  readonly next?: string;
}

/** Result of `addDocuments`. */
export interface AddResult {
  /** Ids in the order of the documents. */
  readonly ids: DocumentId[];
  readonly added: number;
  /** Documents whose text or metadata changed. */
  readonly updated: number;
  readonly unchanged: number;
  /** Texts embedded by the provider; vectors of other texts were stored already. */
  readonly embedded: number;
  /** Tokens reported by the provider. */
  readonly tokens: number;
  /** Duplicates found by `onDuplicate`; absent with `add`. */
  readonly duplicates?: readonly AddedDuplicate[];
  /** Skipped documents, with the reason; absent unless `onInvalid` is `skip`. Their ids are not in `ids`. */
  readonly invalid?: readonly InvalidDocument[];
}

/** An invalid document that `addDocuments` skipped. */
export interface InvalidDocument {
  /** Position among the documents of the call, from 0. */
  readonly position: number;
  /** Absent if the document has no valid id. */
  readonly id?: DocumentId;
  readonly error: SemanticIndexError;
}

/** An added document that duplicates another one. */
export interface AddedDuplicate {
  readonly id: DocumentId;
  /** The document that it duplicates: in the index, or earlier in the call. */
  readonly of: DocumentId;
  /** What the threshold is compared with: the probability or, if that was asked for, the similarity. */
  readonly value: number;
  /** Similarity of the vectors. */
  readonly similarity: number;
  /** `skip`: it was skipped; `replace`: the other document was deleted; `link`: its metadata has `duplicateOf`. */
  readonly action: 'skip' | 'replace' | 'link';
}

/** Result of `plan`: the effect and cost of adding documents. */
export interface AddPlan {
  readonly documents: number;
  readonly new: number;
  /** Documents with a known id and another text. */
  readonly changed: number;
  /** Documents with a known id and the same text; other metadata costs nothing. */
  readonly unchanged: number;
  /** Texts of new and changed documents with a stored vector. */
  readonly cached: number;
  /** Texts that the provider would embed; equal texts count once. */
  readonly embed: number;
  /** Tokens of those texts. */
  readonly tokens: number;
  /** True if the tokenizer of the provider counted the tokens; otherwise they are estimated. */
  readonly counted: boolean;
  /** Cost of the tokens; absent without a price. */
  readonly cost?: number;
  /** Estimated embedding time, from the throughput of earlier adds with this provider; absent before the first. */
  readonly seconds?: number;
}

/** A document with its vector, as yielded by `documents()`. */
export interface DocumentWithVector<M extends Metadata = Metadata> extends Document<M> {
  readonly vector: Float32Array;
}

/** A document, or a range of documents, that is completely or partly missing in an export of a damaged index. */
export interface LostDocuments {
  /** Absent if only the keys are known. */
  readonly id?: DocumentId;
  /** First and last number in the catalog. A range may include numbers that no document had. */
  readonly firstKey: number;
  readonly lastKey: number;
  /** The parts that cannot be read. Without its metadata alone, a document is in the export. */
  readonly reason: string;
}

/** Result of `exportTo`. */
export interface ExportResult {
  /** Documents in the export. */
  readonly documents: number;
  /** Empty unless the index is damaged. */
  readonly lost: readonly LostDocuments[];
}
