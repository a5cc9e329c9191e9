import type { DocumentId } from '../types.js';

/** A document that is a chunk, without its text; `metadata` is JSON. */
export interface StoredChunk {
  readonly id: string;
  readonly metadata: string;
}

/** A source whose chunks are exactly those that a hash of it led to. */
export interface SourceNote {
  readonly source: string;
  /** Hash of everything that determines the chunks. */
  readonly hash: string;
  readonly chunks: number;
}

/** A document that was deleted as the duplicate of another one. */
export interface DismissedDuplicate {
  readonly id: DocumentId;
  /** Content hash of its text. */
  readonly text: string;
  /** The document that stayed; null for a document of another index. */
  readonly representative: DocumentId | null;
  /** Content hash of the text of the representative; null for a document of another index. */
  readonly representativeText: string | null;
}

/** State of `sync` and de-duplication that is kept between runs. */
export interface StoredNotes {
  /** The notes of a collection that are still valid. */
  notes(collection: string | undefined): Promise<SourceNote[]>;
  /** Notes sources whose chunks are exactly these; one that another writer changed meanwhile is skipped. */
  note(
    collection: string | undefined,
    sources: readonly { source: string; hash: string; ids: readonly string[] }[],
  ): Promise<void>;
  /** The chunks of a source whose ids begin with it. */
  chunks(collection: string | undefined, source: string): Promise<StoredChunk[]>;
  /** Chunks whose ids do not begin with their source. */
  strays(collection: string | undefined): Promise<StoredChunk[]>;
  /** Ids of all sources that have chunks. */
  sources(collection: string | undefined): Promise<string[]>;
  /** Ids of all chunks. */
  chunkIds(collection: string | undefined): Promise<string[]>;
  /** A value that a program keeps about its sources, such as the directory that their paths are relative to. */
  remembered(name: string): Promise<string | undefined>;
  remember(name: string, value: string): Promise<void>;
  /** Documents that must not come back. */
  dismissed(): Promise<DismissedDuplicate[]>;
  dismiss(duplicates: readonly DismissedDuplicate[]): Promise<void>;
  /** Allows dismissed documents again. */
  restore(ids: readonly DocumentId[]): Promise<void>;
}
