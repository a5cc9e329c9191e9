import type { SemanticIndexError } from './errors.js';

/** The five distances of Annoy. */
export type Metric = 'angular' | 'euclidean' | 'manhattan' | 'dot' | 'hamming';

/** An external id: a non-empty string or a safe integer, as sparse as you like. `1` and `'1'` are two ids. */
export type DocumentId = string | number;

/** What JSON can represent. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** What a document carries besides its text: a plain JSON object. */
export type Metadata = { readonly [key: string]: Json | undefined };

/** What a vector stands for: a stored text, or a question asked of the stored texts. */
export type EmbeddingRole = 'document' | 'query';

/** How many of something long are done. `total` is absent while it is unknown. */
export interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total?: number;
}

/** Options that all long work takes. */
export interface LongWorkOptions {
  /** Aborting rejects with `signal.reason`; what was committed before stays. */
  signal?: AbortSignal | undefined;
  /** Called now and then, never more than some dozens of times a second. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** One finding of a validation. */
export interface Check {
  readonly check: string;
  readonly passed: boolean;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  /** What to do about it, when it did not pass. */
  readonly hint?: string;
}

/** What `validate` returns: valid when no check of severity `error` failed. */
export interface ValidationReport {
  readonly valid: boolean;
  readonly checks: readonly Check[];
}

/**
 * Turns texts into vectors. The contract: as many vectors as texts, in their order; all of the same dimension, finite,
 * not all zero; the vector of a text does not depend on the other texts of the call. `testProvider` of
 * `semantic-index/testing` checks an implementation. Batching, retries, parallelism and normalisation are not its business.
 */
export interface EmbeddingProvider {
  /** Names everything that changes a vector: provider, model, revision, dtype, pooling, prefixes, limits, dimensions. */
  readonly id: string;
  /** Length of the vectors, if it is known before the first call. */
  readonly dimensions?: number;
  /** Embedding a text is as fast as looking up its vector on disk: its queries are not kept. Default false. */
  readonly fast?: boolean;
  /** Most texts per call. */
  readonly maxBatchSize?: number;
  /** Most tokens per call, over all texts. */
  readonly maxBatchTokens?: number;
  /** Most tokens of one text. */
  readonly maxInputTokens?: number;
  /** Most calls at the same time. Default 1. */
  readonly maxParallelCalls?: number;
  /** Loads what `countTokens` needs. Called before it, any number of times. */
  ready?(): Promise<void>;
  /** Counts tokens, where limits in tokens are declared. Before `ready` has resolved it may only guess. */
  countTokens?(text: string): number;
  /**
   * The words of each text that the model knows, in a fixed order; empty for a text that it knows less than half of. Texts with
   * the same result, and texts it knows too little of, are never near duplicates by their vectors (`onDuplicate`,
   * `findDuplicates`): such a model cannot tell Korean sentences apart, nor `$100` from `€100`, nor who owes whom. Default: the model
   * is taken to see every difference that changes the vector.
   */
  knownWords?(texts: readonly string[]): Promise<readonly string[]>;
  /**
   * Whether and when a failed call may be tried again: milliseconds to wait, or undefined for never. `attempt` counts
   * the failures of the call with the same error code, from 1. Also asked about answers that break the contract
   * (PROVIDER_INVALID). Default: never.
   */
  retryAfter?(error: unknown, attempt: number): number | undefined;
  embed(
    texts: readonly string[],
    options: { role: EmbeddingRole; signal?: AbortSignal },
  ): Promise<{ vectors: Float32Array[]; usage?: { tokens: number } }>;
  /** Frees what the provider holds. Called by whoever made the provider. */
  close?(): Promise<void>;
}

/**
 * Something that happened in the background and that an operator may want to know. `damage`: a file of a segment is lost or
 * wrong. `graph-missing`: a segment has no accelerator, or one of another version of this package; searches of it take longer. Both are
 * mended in the background, and a `heal` says when. `error`: background work failed, and is tried again.
 */
export interface IndexEvent {
  readonly event: 'seal' | 'merge' | 'heal' | 'damage' | 'graph-missing' | 'sweep' | 'tune' | 'error';
  readonly message: string;
  readonly error?: SemanticIndexError;
}

/** A value that a field is compared with. */
export type FilterValue = string | number | boolean | null;

/** A list that a field is compared with as a whole. */
export type FilterList = readonly (FilterValue | FilterList)[];

/**
 * Conditions on one field; all of them must hold. A field that is a list is compared by its elements: a condition holds when it
 * holds for one of them, and `$ne`, `$nin` and `$not` hold when it holds for none.
 */
export interface FieldConditions {
  /** Equal, to a list as a whole or to one of its elements; `null` also matches a field that is missing. */
  readonly $eq?: FilterValue | FilterList;
  readonly $ne?: FilterValue | FilterList;
  readonly $in?: readonly FilterValue[];
  readonly $nin?: readonly FilterValue[];
  /** Numbers compare with numbers and strings with strings, by code points; other types never match. */
  readonly $gt?: string | number;
  readonly $gte?: string | number;
  readonly $lt?: string | number;
  readonly $lte?: string | number;
  /** Whether the field is there, `null` included. */
  readonly $exists?: boolean;
  /** The field is a list with this element, or a string with this part. */
  readonly $contains?: FilterValue;
  /** Equal to each of these: a list that has them all. */
  readonly $all?: readonly (FilterValue | FilterList | Pick<FieldConditions, '$elemMatch'>)[];
  /** A list of so many elements. */
  readonly $size?: number;
  /** A list with one element for which all of this holds: conditions on the element, or a filter of an object's fields. */
  readonly $elemMatch?: FieldConditions | Where;
  readonly $not?: FieldConditions;
}

/**
 * Which documents are meant, by their metadata, in the dialect of MongoDB: `{ lang: 'en', 'author.name': { $in: ['Ada'] } }`.
 * Names with dots reach into nested objects and lists of objects, or are names of keys with dots. All members must hold.
 * A member that is `undefined` is refused with INVALID_FILTER; `{}` matches all documents.
 */
export interface Where {
  readonly $and?: readonly Where[];
  readonly $or?: readonly Where[];
  readonly $not?: Where;
  readonly [field: string]: FilterValue | FilterList | FieldConditions | Where | readonly Where[];
}

/** A document on its way into an index. */
export interface DocumentInput<M extends Metadata = Metadata> {
  /** Default: derived from text and metadata, so that adding the same again changes nothing. */
  readonly id?: DocumentId | undefined;
  readonly text: string;
  readonly metadata?: M | undefined;
  /** Its vector, where the caller has one; the provider is not asked then. */
  readonly vector?: Float32Array | readonly number[] | undefined;
}

/** A document as an index holds it. */
export interface Document<M extends Metadata = Metadata> {
  readonly id: DocumentId;
  readonly text: string;
  /** Empty when the document has none. */
  readonly metadata: M;
}

/** A document found by a search. */
export interface Hit<M extends Metadata = Metadata> extends Document<M> {
  /** Large is good: for the angular metric the cosine of the angle between query and document, from -1 to 1. */
  readonly score: number;
}

/** One page of hits. */
export interface SearchPage<M extends Metadata = Metadata> {
  readonly hits: Hit<M>[];
  /** Where the next page begins; absent on the last one. */
  readonly next?: string;
}

/** One page of documents. */
export interface DocumentPage<M extends Metadata = Metadata> {
  readonly documents: Document<M>[];
  /** Where the next page begins; absent on the last one. */
  readonly next?: string;
}

/** What became of the documents of a call. */
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
  /** What `onDuplicate` found to be there already; absent where everything is let through. */
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

/** What adding documents would do and take. */
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
  /** Whether the provider's own tokenizer counted; else the tokens are an estimate. */
  readonly counted: boolean;
  /** What the tokens cost, where a price was given. */
  readonly cost?: number;
  /** How long embedding will take, at the pace of earlier adds with this provider; absent before the first. */
  readonly seconds?: number;
}

/** How far two models agree on who is near whom. */
export interface SpaceOverlap {
  /** How many of the nearest documents of each query were compared. */
  readonly k: number;
  readonly queries: number;
  /** Share of the nearest documents that is the same under both, from 0 to 1: over all queries, and of the worst one. */
  readonly mean: number;
  readonly least: number;
}

/** What a migration did. */
export interface MigrationResult {
  /** Fingerprints of the models. */
  readonly from: string;
  readonly to: string;
  readonly documents: number;
  /** Texts that the new provider embedded in this call. */
  readonly embedded: number;
  /** Documents whose vectors under the new model were known: from a call that was cut short, or from before. */
  readonly reused: number;
  /** Tokens that the provider reports to have used. */
  readonly tokens: number;
  /** Absent where there was nothing to compare. */
  readonly overlap?: SpaceOverlap;
  /** Whether the index is in the new space now. */
  readonly cutOver: boolean;
}

/** Bytes on disk. */
export interface DiskUsage {
  /** The database with its log: texts, vectors, ids. */
  readonly database: number;
  /** All files of segments, which can be derived again; of these: */
  readonly segments: number;
  readonly forests: number;
  readonly accelerators: number;
}

/** Figures of an index. */
export interface IndexStats {
  readonly documents: number;
  /** Length of the vectors; of an empty index what its provider declares. */
  readonly dimensions: number | undefined;
  readonly metric: Metric;
  /** Fingerprint of the model that made the vectors; of an empty index that of its provider. */
  readonly provider: string | undefined;
  readonly segments: readonly {
    readonly file: string;
    readonly items: number;
    readonly dead: number;
    readonly trees: number;
    readonly bytes: number;
    /** Its file is missing or wrong: its documents are scanned until it is derived again. */
    readonly damaged: boolean;
  }[];
  /** Documents that no segment holds yet; they are scanned. */
  readonly tail: number;
  readonly bytes: DiskUsage;
  readonly instructionSet: string;
  /** What `tune` or `open({ recall })` measured last, and how far the index has moved since; undefined before. */
  readonly tuning: (Tuning & Drift) | undefined;
}

/** A share of true neighbours found, with its confidence interval (Wilson 1927, for answers that come in clusters). */
export interface MeasuredRecall {
  readonly recall: number;
  /** One-sided bounds, each at the confidence of the tuning. */
  readonly low: number;
  readonly high: number;
}

/** How an index is searched unless a search says otherwise, and the recall that this was measured to have. */
export interface Tuning extends MeasuredRecall {
  readonly targetRecall: number;
  readonly k: number;
  /** Whether all vectors are compared: then recall is 1 by definition. */
  readonly exact: boolean;
  /** The quality knob of approximate searches; undefined for exact ones. */
  readonly searchK: number | undefined;
  readonly confidence: number;
  /** Queries that the figures rest on; they were not used to choose. */
  readonly queries: number;
  readonly queriesFrom: 'documents' | 'given';
  /** Median time of one search, and of an exact one. */
  readonly milliseconds: number;
  readonly exactMilliseconds: number;
  /** Segments that were there, and how many of their items had no document any more. */
  readonly segments: readonly number[];
  readonly dead: number;
  /** ISO 8601. */
  readonly measuredAt: string;
}

/** How far an index has moved since its recall was measured. */
export interface Drift {
  /** Share of the items in forests that came, or whose documents went, since then. */
  readonly drift: number;
  /** Whether that is enough to measure anew. */
  readonly drifted: boolean;
}

/** One setting that `tune` tried. */
export interface TuningPoint extends MeasuredRecall {
  /** Undefined for the exact search. */
  readonly searchK: number | undefined;
  readonly exact: boolean;
  /** Median time of one search. */
  readonly milliseconds: number;
}

/** What a forest of all vectors costs and finds at one number of trees. */
export interface TreesPoint extends MeasuredRecall {
  readonly trees: number;
  readonly buildMilliseconds: number;
  readonly searchK: number;
  /** Median time of one search. */
  readonly milliseconds: number;
  readonly bytes: number;
}

/** What `tune` returns. */
export interface TuneResult {
  readonly tuning: Tuning;
  /** Recall and time of what was tried, the fastest setting first, exact search last. */
  readonly curve: readonly TuningPoint[];
  /** The table over numbers of trees, where it was asked for. */
  readonly trees: readonly TreesPoint[];
  /** The curve as a picture: a complete SVG document. */
  readonly svg: string;
}

/**
 * How a matrix file stores its numbers, in NumPy's short names: a kind (f float, i signed, u unsigned integer, b boolean)
 * and a size in bytes.
 */
export type MatrixDtype = 'f2' | 'f4' | 'f8' | 'i1' | 'i2' | 'i4' | 'i8' | 'u1' | 'u2' | 'u4' | 'b1';

/** 'C': row after row. 'F': column after column, as Fortran and R store matrices. */
export type MatrixOrder = 'C' | 'F';

/** The typed arrays that numbers of a matrix are read into and written from. */
export type NumberArray = Float32Array | Float64Array | Int32Array;

/** What a compaction moved and freed. */
export interface CompactResult {
  /** Dead items dropped from segments. */
  readonly items: number;
  /** Vectors dropped that no document used. */
  readonly vectors: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** A document with its vector, as `exportDocuments` yields it. */
export interface ExportedDocument<M extends Metadata = Metadata> extends Document<M> {
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

/** How a search was done, and what it found. */
export interface SearchExplanation<M extends Metadata = Metadata> {
  readonly hits: Hit<M>[];
  /** Whether every allowed vector was compared, so that the nearest ones are the true ones. */
  readonly exact: boolean;
  /** How each segment, and the documents without one (segment 0), was searched by vector. */
  readonly parts: readonly {
    readonly segment: number;
    readonly items: number;
    readonly allowed: number;
    readonly exact: boolean;
    readonly milliseconds: number;
  }[];
  /** Documents that share a word with the query, as far as that ranking was looked into. */
  readonly matchingWords: number;
  /** Time by stage; vectors and words of one query run after each other, the parts side by side. */
  readonly milliseconds: Readonly<Record<'embed' | 'filter' | 'vectors' | 'words' | 'lookup' | 'rerank', number>>;
}
