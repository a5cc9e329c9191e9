import type { DocumentId, Metric, TextFields } from '../types.js';

/** Names of the files of an export. */
export const exportNames = { manifest: 'manifest.json', documents: 'documents.jsonl', vectors: 'vectors.npy' } as const;

/** The manifest of an export. */
export interface ExportManifest {
  readonly format: 'semantic-index-export';
  readonly version: 1;
  readonly documents: number;
  readonly dimensions: number;
  readonly metric: Metric;
  /** Of the model that made the vectors. */
  readonly fingerprint: string;
  readonly canaries: string | null;
  /** False where documents of a damaged index are missing. Default true. */
  readonly complete?: boolean | undefined;
}

/** The facts that an export has from its index. */
export type ExportFacts = Pick<ExportManifest, 'dimensions' | 'metric' | 'fingerprint' | 'canaries'>;

/** A document whose vector is lost, as a line of texts.jsonl: it has to be embedded again. */
export interface TextLine {
  readonly id: DocumentId;
  readonly text: string | TextFields;
  readonly metadata?: unknown;
}

/** One line of documents.jsonl; its vector is the row of the same number in vectors.npy. */
export interface ExportedDocument {
  readonly id: DocumentId;
  /** As it is stored. */
  readonly text: string;
  /** The fields of a text that has some, where an export was read: `text` is the text that they make. */
  readonly textFields?: TextFields | undefined;
  readonly metadata: string | null;
  /** The vector came from the caller, not from the text. */
  readonly given: boolean;
}

/** Some documents with their vectors, one after the other. */
export interface ExportedBatch {
  readonly documents: readonly ExportedDocument[];
  readonly vectors: Float32Array;
}

/** Writes and reads exports. */
export interface ExportFormat {
  /**
   * Writes documents as JSON lines and their vectors as a NumPy matrix into a new directory, which appears under its name
   * only when it is complete and durable. Returns the number of documents.
   *
   * @param gaps asked after the last batch whether documents are missing, and for the texts whose vectors are lost.
   * @throws INVALID_ARGUMENT when the directory exists, IO.
   */
  write(
    target: string,
    facts: ExportFacts,
    batches: AsyncIterable<ExportedBatch>,
    gaps?: () => { complete: boolean; texts: readonly TextLine[] },
  ): Promise<number>;
  /** @throws INVALID_FILE when the directory is not an export, NEWER_FORMAT, IO. */
  readManifest(folder: string): Promise<ExportManifest>;
  /**
   * The documents of an export with their vectors, in order. Throws INVALID_FILE where a line or a row is missing or
   * wrong.
   */
  read(folder: string, manifest: ExportManifest): AsyncGenerator<ExportedBatch>;
}
