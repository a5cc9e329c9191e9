import type { SemanticIndexError } from '../errors.js';
import type { DocumentId, Metadata } from './base.js';

/** A document on its way into an index. */
export interface DocumentInput<M extends Metadata = Metadata> {
  /** Default: derived from text and metadata, so that adding the same again changes nothing. */
  readonly id?: DocumentId | undefined;
  readonly text: string;
  readonly metadata?: M | undefined;
  /** Its vector, where the caller has one; the provider is not asked then. */
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

/** A document as an index holds it. */
export interface Document<M extends Metadata = Metadata> {
  readonly id: DocumentId;
  readonly text: string;
  /** Empty when the document has none. */
  readonly metadata: M;
}

/** One page of documents. */
export interface DocumentPage<M extends Metadata = Metadata> {
  readonly documents: Document<M>[];
  /** Where the next page begins; absent on the last one. */
  readonly next?: string;
}

/** Result of `addDocuments` and `importFrom`. */
export interface AddResult {
  /** Ids in the order of the documents. */
  readonly ids: DocumentId[];
  readonly added: number;
  /** Text or metadata changed. */
  readonly updated: number;
  readonly unchanged: number;
  /** Texts that the provider turned into vectors; the others were known. */
  readonly embedded: number;
  /** Tokens that the provider reports to have used. */
  readonly tokens: number;
  /** Duplicates handled by `onDuplicate`; absent with `add`. */
  readonly duplicates?: readonly AddedDuplicate[];
  /** Documents that were left out, with the reason; absent unless `onInvalid` is `skip`. Their ids are not in `ids`. */
  readonly invalid?: readonly InvalidDocument[];
}

/** A document of an add that was left out. */
export interface InvalidDocument {
  /** Its place among the documents of the call, from 0. */
  readonly position: number;
  /** Absent where the document has none, or none that is valid. */
  readonly id?: DocumentId;
  readonly error: SemanticIndexError;
}

/** A document of an add that says what another one says. */
export interface AddedDuplicate {
  readonly id: DocumentId;
  /** The document that is most like it: of the index, or one before it in the call. */
  readonly of: DocumentId;
  readonly similarity: number;
  /** `skip`: it was left out; `replace`: the other one went; `link`: its metadata has `duplicateOf`. */
  readonly action: 'skip' | 'replace' | 'link';
}

/** Result of `plan`. */
export interface AddPlan {
  readonly documents: number;
  readonly new: number;
  /** The id is known, the text is another. */
  readonly changed: number;
  /** The text is known under this id; other metadata cost nothing. */
  readonly unchanged: number;
  /** Texts of new and changed documents whose vectors are known. */
  readonly cached: number;
  /** Texts that the provider will be asked for; equal ones count once. */
  readonly embed: number;
  /** Tokens of those texts. */
  readonly tokens: number;
  /** True if the provider's tokenizer counted the tokens; otherwise they are an estimate. */
  readonly counted: boolean;
  /** Cost of the tokens, if a price was given. */
  readonly cost?: number;
  /** How long embedding will take, at the pace of earlier adds with this provider; absent before the first. */
  readonly seconds?: number;
}

/** A document with its vector, as `documents()` yields it. */
export interface DocumentWithVector<M extends Metadata = Metadata> extends Document<M> {
  readonly vector: Float32Array;
}

/** A document, or a range of documents, that an export of a damaged index lacks as a whole or in part. */
export interface LostDocuments {
  /** Absent where only the keys are known. */
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
