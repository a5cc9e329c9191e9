import type { FieldType } from '../options.js';
import type { Random } from '../random.js';
import type { DiskUsage, DocumentId, LongWorkOptions, Metric, ValidationReport } from '../types.js';
import type {
  DocumentChange,
  DocumentOutcome,
  DocumentRows,
  DocumentTerms,
  ExportedRows,
  FreshVectors,
  IncomingDocument,
  KnownDuplicates,
  Representative,
  StoredDocument,
  StoredVector,
  VectorRole,
} from './documents.js';
import type { DeclaredTypes, FilterTree } from './filter-tree.js';
import type { SpaceMigration } from './migration.js';
import type { StoredNotes } from './notes.js';
import type { KeyedNeighbor, KeyedVector, ReadSnapshot, SnapshotRequest, VectorSearch } from './read-snapshot.js';
import type { Space } from './space.js';

/** A segment in figures. */
export interface SegmentSummary {
  readonly segment: number;
  readonly file: string;
  readonly items: number;
  /** Items whose document was deleted. */
  readonly dead: number;
  readonly trees: number;
  readonly bytes: number;
  /** A file of it is missing or wrong: its documents are scanned until it is rebuilt. */
  readonly damaged: boolean;
}

/** The structure of an index in figures. */
export interface BackendFacts {
  readonly segments: readonly SegmentSummary[];
  /** Documents that no segment has yet. */
  readonly tail: number;
  /** Value of `searchK` past which every approximate search is complete. */
  readonly maxNodes: number;
}

/** A batch of an export, with the number of all documents and their space. */
export interface ExportedBatch extends ExportedRows {
  readonly total: number;
  readonly space: Space;
}

/** Named values of an index. */
export interface Settings {
  get(name: string): Promise<string | number | undefined>;
  set(name: string, value: string | number): Promise<void>;
}

/** Cached vectors of queries. */
export interface QueryVectors {
  /** The vector of each content hash in a space, undefined where it is unknown. */
  find(space: number, hashes: readonly string[]): Promise<(Float32Array | undefined)[]>;
  /** Stores vectors under their content hashes, in the background. */
  keep(space: number, hashes: readonly string[], vectors: readonly Float32Array[]): void;
}

/**
 * Storage of an index: documents, vectors, and everything that searches read. The contract between the operations and the
 * place where an index lives; test/contracts/backend.ts checks it.
 */
export interface Backend {
  readonly metric: Metric;
  /** The space of the vectors, undefined before the first one. Refreshed by `snapshot` and by writes. */
  readonly space: Space | undefined;
  /** Whether `commit` stores fresh vectors. Where it does not, `putVectors` stores them all, while earlier documents are committed. */
  readonly commitsVectors: boolean;
  readonly settings: Settings;
  readonly queries: QueryVectors;
  readonly migration: SpaceMigration;
  readonly notes: StoredNotes;

  /** The declared fields as they were read last, where `snapshot` calls `checkFields`. Undefined: ask `fields`. */
  readonly lastFields?: DeclaredTypes | undefined;
  fields(): Promise<DeclaredTypes>;
  /** Indexes the declared fields, and drops the indexes of others. */
  declareFields(fields: Readonly<Record<string, FieldType>>): Promise<void>;

  /** Fixes the space of an index without one; returns the one it has. */
  chooseSpace(fingerprint: string, dimensions: number, canaries: string | null): Promise<Space>;
  /** Compares documents with the stored ones of the same ids. */
  classify(documents: readonly { id: DocumentId; hash: string }[]): Promise<DocumentChange[]>;
  /** Numbers of stored vectors by content hash; 0 for unknown ones. */
  findVectors(space: number, role: VectorRole, hashes: readonly string[]): Promise<number[]>;
  /**
   * Makes vectors durable under their content hashes; returns their numbers.
   *
   * @param owners for each vector the id of a document that will have it: where an index is spread, it is stored with that.
   */
  putVectors(
    space: number,
    role: VectorRole,
    hashes: readonly string[],
    vectors: readonly Float32Array[],
    owners: readonly DocumentId[],
  ): Promise<number[]>;
  /** Stored vectors by their numbers; undefined for unknown numbers. */
  readVectors(numbers: readonly number[]): Promise<(StoredVector | undefined)[]>;
  /** Facts for duplicate detection; `vectors` are numbers of stored vectors, 0 for none. */
  findDuplicates(ids: readonly DocumentId[], vectors: readonly number[], dimensions: number): Promise<KnownDuplicates>;
  /** The documents with these keys that exist and are not linked to another one. */
  representatives(keys: readonly number[]): Promise<Representative[]>;

  /**
   * Commits documents; on return they are durable and searchable. The outcome is undefined for documents that were not committed, as
   * one that was unchanged has changed meanwhile, a vector is gone, or the index moved to another space: for all of them, or, where an
   * index is spread, for those of one part.
   *
   * @param terms those of the documents with a vector. The backend takes over their memory. Without them it analyzes the texts.
   * @param fresh vectors of documents that are not stored yet, only where it `commitsVectors`. The backend takes over their memory.
   */
  commit(
    documents: readonly IncomingDocument[],
    terms?: DocumentTerms,
    fresh?: FreshVectors,
  ): Promise<readonly (DocumentOutcome | undefined)[]>;
  /** Replaces the metadata (JSON) of documents; returns the number of documents found. */
  setMetadata(changes: readonly { id: DocumentId; metadata: string | null }[]): Promise<number>;
  /** Deletes documents; returns their number. */
  deleteByIds(ids: readonly DocumentId[], signal?: AbortSignal): Promise<number>;
  deleteWhere(filter: FilterTree, signal?: AbortSignal): Promise<number>;
  /** Replaces vectors of documents in a space; `rebuildSegments` must follow. */
  replaceVectors(space: number, keys: readonly number[], vectors: readonly Float32Array[]): Promise<void>;

  /** The newest commit as a snapshot, which must be closed. Undefined before the first vector. */
  snapshot(request?: SnapshotRequest): Promise<ReadSnapshot | undefined>;
  /** Searches a snapshot of the newest commit; empty lists before the first vector. */
  search(search: VectorSearch): Promise<KeyedNeighbor[][]>;

  /** Documents by id, as of the last commit. */
  byIds(ids: readonly DocumentId[]): Promise<(StoredDocument | undefined)[]>;
  /** Documents by key, as of the last commit. */
  byKeys(keys: readonly number[]): Promise<(StoredDocument | undefined)[]>;
  /** Key and vector of a document. */
  vectorOf(id: DocumentId): Promise<KeyedVector | undefined>;
  /** Vectors of these documents, one after the other; zeros for a document without one. */
  vectorsByKeys(keys: readonly number[], signal?: AbortSignal): Promise<Float32Array>;
  /** One page of documents in the order of their keys. */
  list(
    filter: FilterTree | undefined,
    limit: number,
    afterKey: number,
    maxBytes: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<DocumentRows>;
  count(filter?: FilterTree, signal?: AbortSignal): Promise<number>;
  /** The highest key ever assigned. */
  lastKey(): Promise<number>;
  /** Keys of different documents, chosen at random: `count` of them, or all. */
  sampleKeys(count: number, random: Random): Promise<number[]>;
  /** Texts after this key, of documents whose vector was made from the text. */
  textsAfter(afterKey: number, limit: number): Promise<{ key: number; text: string }[]>;
  /** All documents with their vectors at one point in time, in batches; none if the index is empty. */
  exportBatches(size: number): AsyncGenerator<ExportedBatch>;
  /** Writes all vectors as one Annoy file, and beside it the ids in the order of its items; returns their number. */
  exportForest(path: string, options: LongWorkOptions): Promise<number>;

  facts(): Promise<BackendFacts>;
  /** Bytes on disk. */
  bytes(): Promise<DiskUsage>;
  /** Rebuilds every segment from the stored vectors. */
  rebuildSegments(options: LongWorkOptions): Promise<void>;
  /**
   * Builds segments for new documents (one segment of all with `full`), drops deleted items and unused vectors, and returns freed
   * space to the file system. Returns the number of vectors dropped.
   */
  optimize(options: LongWorkOptions & { readonly full: boolean }): Promise<{ vectors: number }>;
  /** Looks for damage; only reads. */
  validate(level: 'quick' | 'full', signal?: AbortSignal): Promise<ValidationReport>;
  /** Writes a complete copy into a new directory, while the index is in use. */
  backup(target: string, options: LongWorkOptions): Promise<void>;
  /** Ends background work and closes files and connections. */
  close(): Promise<void>;
}
