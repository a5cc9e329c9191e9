import { randomUUID } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { analysisSettingName, englishSetting } from '../../analysis/text-analysis.js';
import { tailVectorsPerRead } from '../../backend/batch-sizes.js';
import type { DocumentOutcome, DocumentTerms, FreshVectors, KeyedVectors } from '../../backend/documents.js';
import type { Space } from '../../backend/space.js';
import { crashPoint } from '../../crash-points.js';
import { SemanticIndexError } from '../../errors.js';
import type { DocumentId, Metric } from '../../types.js';
import type { Bitset } from '../../vectors/bitset.js';
import { requireSameFile } from '../directory/file-identity.js';
import { type CatalogOptions, connect, inOneTransaction } from '../sqlite/connection.js';
import { fromSqliteError } from '../sqlite/sqlite-error.js';
import { prepared, type Statement } from '../sqlite/statement.js';
import { ChunkNotes } from './chunk-notes.js';
import { DocumentCache } from './document-cache.js';
import { type DocumentColumns, DocumentCommits } from './document-commits.js';
import { DocumentPages } from './document-pages.js';
import { DocumentTable, type SqlFilter } from './document-table.js';
import { DocumentWrites } from './document-writes.js';
import { DuplicateLookup } from './duplicate-lookup.js';
import { LeaseTable } from './lease-table.js';
import { FieldIndexes } from './metadata/field-indexes.js';
import { MetadataTable } from './metadata/metadata-table.js';
import { MigrationTable } from './migration-table.js';
import { currentFormat, migrateSchema } from './schema.js';
import { type SegmentRow, SegmentTable } from './segment-table.js';
import { SettingsTable } from './settings-table.js';
import { SharedVectors } from './shared-vectors.js';
import { itemsOf } from './sorted-keys.js';
import { TailImagesTable } from './tail/tail-images-table.js';
import { type TermsBatch, TermsTable } from './terms-table.js';
import { VectorTable } from './vector-table.js';

/** How far a snapshot has read. */
export interface CatalogPosition {
  readonly generation: number;
  readonly lastKey: number;
  readonly lastDeletion: number;
}

/** What a read transaction of a connection sees. Readings between two commits share one. */
export interface CatalogReading {
  /** Data version of the connection. */
  readonly version: number;
  readonly position: CatalogPosition;
  /** Number of the current space; undefined before the first vector. */
  readonly space: string | number | undefined;
  readonly documents: DocumentCache;
  /** Settings that were read. */
  readonly settings: Map<string, string | number | undefined>;
  readonly lastMetadataChange: number;
}

/** A segment that a snapshot does not have yet. */
export interface AddedSegment {
  readonly row: SegmentRow;
  readonly offsets: Uint32Array;
  readonly deadKeys: Float64Array;
}

/** Which documents match a filter. */
export interface MatchingDocuments {
  /** Their keys, ascending. */
  readonly keys: Float64Array;
  /** Of each current segment, by key, its items among them. */
  readonly items: readonly Bitset[];
}

/** The changes of the catalog after a position, read in one transaction. */
export interface CatalogChanges {
  readonly position: CatalogPosition;
  /** The space that all vectors of this reading are in. */
  readonly space: number | undefined;
  /** Numbers of all current segments, by key. */
  readonly segments: readonly number[];
  readonly added: readonly AddedSegment[];
  readonly deletedKeys: Float64Array;
  readonly sealedThrough: number;
  /** How texts are analyzed, and the languages of documents; see `SettingsTable`. */
  readonly analysis: string;
  readonly languages: readonly string[];
  /** New documents of the tail. */
  readonly tail: KeyedVectors;
  /** Stored terms of new documents of the tail. */
  readonly terms: readonly TermsBatch[];
  /** New documents of the tail whose stored vector cannot be compared. */
  readonly unsound: readonly DocumentId[];
  /** There is more of the tail than one reading takes; read again from `position`. */
  readonly more: boolean;
  /** Present for requests with a filter, unless there is more. */
  readonly matching?: MatchingDocuments | undefined;
}

/** A commit of documents. */
export interface CatalogCommit {
  readonly outcomes: readonly DocumentOutcome[];
  /** The position before it, and what happened since; absent where a reader has to look. */
  readonly read?: { readonly since: CatalogPosition; readonly changes: CatalogChanges };
}

/** A file without the header of a database: a foreign file, or an index whose first page is damaged. */
function notAnIndex(error: unknown): SemanticIndexError | undefined {
  if ((error as { code?: unknown } | null)?.code !== 'SQLITE_NOTADB') return undefined;
  return new SemanticIndexError('NOT_AN_INDEX', 'index.db is not a SQLite database, or its first page is damaged', {
    hint: 'Pass the directory of an index. If this was one, restore a backup.',
    cause: error,
    details: { sqlite: 'SQLITE_NOTADB' },
  });
}

/**
 * One connection to index.db, which has all data of an index. Synchronous; long work belongs in a catalog thread. All SQL of the
 * package is in this file and the tables beside it.
 */
export class Catalog {
  readonly settings: SettingsTable;
  readonly documents: DocumentTable;
  readonly commits: DocumentCommits;
  readonly pages: DocumentPages;
  readonly terms: TermsTable;
  readonly metadata: MetadataTable;
  readonly vectors: VectorTable;
  readonly shared: SharedVectors;
  readonly segments: SegmentTable;
  readonly leases: LeaseTable;
  readonly tailImages: TailImagesTable;
  readonly migration: MigrationTable;
  readonly fields: FieldIndexes;
  readonly duplicates: DuplicateLookup;
  readonly notes: ChunkNotes;
  readonly #db: Database;
  readonly #begin: Statement<[]>;
  readonly #end: Statement<[]>;
  readonly #dataVersion: Statement<[]>;
  readonly #options: CatalogOptions;
  /** Between `beginReading` and `endReading`. */
  #isReading = false;
  /** Data version of the read transaction that was begun last. */
  #readVersion = 0;
  #lastReading: CatalogReading | undefined;

  private constructor(db: Database, options: CatalogOptions) {
    this.#db = db;
    this.#options = options;
    this.#begin = prepared(db, 'BEGIN');
    this.#end = prepared(db, 'COMMIT');
    this.#dataVersion = prepared<[]>(db, 'PRAGMA data_version').pluck();
    this.settings = new SettingsTable(db);
    this.fields = new FieldIndexes(db, this.settings);
    this.duplicates = new DuplicateLookup(db);
    this.notes = new ChunkNotes(db);
    this.terms = new TermsTable(db, this.settings);
    this.metadata = new MetadataTable(db);
    const writes = new DocumentWrites(db, this.metadata);
    this.leases = new LeaseTable(db);
    this.tailImages = new TailImagesTable(db, this.leases, () => this.position());
    this.documents = new DocumentTable(db, writes, this.tailImages);
    this.pages = new DocumentPages(db);
    this.vectors = new VectorTable(db);
    this.commits = new DocumentCommits(db, writes, this.terms, this.vectors);
    this.shared = new SharedVectors(db, this.vectors);
    this.segments = new SegmentTable(db, this.leases, this.terms, this.tailImages, this.settings);
    this.migration = new MigrationTable(db, this.settings, this.vectors);
  }

  /**
   * @throws NOT_AN_INDEX, NEWER_FORMAT, READ_ONLY (an old format and a read-only connection), IO, BUSY, CORRUPT.
   */
  static open(options: CatalogOptions): Catalog {
    let db: Database | undefined;
    try {
      db = connect(options);
      migrateSchema(db, options.readonly);
      return new Catalog(db, options);
    } catch (error) {
      db?.close();
      throw notAnIndex(error) ?? fromSqliteError(error);
    }
  }

  /** @throws IO when the file that this connection has open is no longer the one at its path. */
  requireSameFile(file = this.#options.file): void {
    if (file !== undefined) requireSameFile(this.#options.path, file);
  }

  /** Whether it is the catalog of an index, and not a new database. */
  isNamed(): boolean {
    return this.settings.get('index_id') !== undefined;
  }

  /**
   * Names a new index; an existing one keeps its name and metric. The name survives a power cut, whatever the
   * durability: `segments/` beside a database without a name would be taken for an index that lost its database.
   */
  initialize(metric: Metric): void {
    // Checked first, because a write transaction would wait for other writers.
    if (this.settings.get('index_id') !== undefined) return;
    const synchronous = this.#db.pragma('synchronous', { simple: true });
    this.#db.pragma('synchronous = FULL');
    try {
      this.#db
        .transaction(() => {
          if (this.settings.get('index_id') !== undefined) return;
          this.settings.set('index_id', randomUUID());
          this.settings.set('metric', metric);
          this.settings.set(analysisSettingName, englishSetting);
          this.settings.set('created_at', Date.now());
          this.settings.set('created_format', currentFormat);
        })
        .immediate();
    } finally {
      this.#db.pragma(`synchronous = ${synchronous}`);
    }
  }

  /** @throws NOT_AN_INDEX when the index has no id yet: it is being created, or its creator died. */
  requireSettings(): void {
    if (this.settings.all() !== undefined) return;
    throw new SemanticIndexError('NOT_AN_INDEX', 'The index has not been set up completely', {
      hint: 'Open it once without `readonly`.',
    });
  }

  /** The space of the index, if it has one yet. */
  space(): Space | undefined {
    const space = this.settings.get('space');
    return space === undefined ? undefined : this.vectors.space(Number(space));
  }

  /**
   * Fixes the space of an index that has none yet; otherwise returns the one it has, which may be another.
   */
  chooseSpace(fingerprint: string, dimensions: number, canaries: string | null): Space {
    return this.#db
      .transaction(() => {
        const current = this.space();
        if (current !== undefined) return current;
        const space = this.vectors.addSpace(fingerprint, dimensions, canaries);
        this.settings.set('space', space.space);
        return space;
      })
      .immediate();
  }

  position(): CatalogPosition {
    return {
      generation: this.segments.generation(),
      lastKey: this.documents.lastKey(),
      lastDeletion: this.documents.lastDeletion(),
    };
  }

  /** The changes since `position` for a snapshot with the `known` segments, and the documents that match a filter; in one transaction. */
  changesSince(position: CatalogPosition, known: readonly number[], filter?: SqlFilter | undefined): CatalogChanges {
    return inOneTransaction(this.#db, (): CatalogChanges => {
      const now = this.position();
      const rows = this.segments.all();
      const sealedThrough = this.segments.sealedThrough();
      const after = Math.max(position.lastKey, sealedThrough);
      const tail = this.documents.vectorsAfter(after, now.lastKey, tailVectorsPerRead);
      const more = tail.keys.length === tailVectorsPerRead;
      const lastKey = more ? (tail.keys[tail.keys.length - 1] as number) : now.lastKey;
      return {
        position: { ...now, lastKey },
        space: this.settings.all()?.space,
        segments: rows.map((row) => row.segment),
        added: rows
          .filter((row) => !known.includes(row.segment))
          .map((row) => ({
            row,
            offsets: this.segments.offsets(row.segment),
            deadKeys: this.documents.deletionsBetween(row.first_key, row.last_key),
          })),
        deletedKeys: this.documents.deletionsAfter(position.lastDeletion),
        sealedThrough,
        analysis: this.settings.analysis(),
        languages: this.settings.languages(),
        tail: { keys: tail.keys, vectors: tail.vectors },
        terms: this.terms.between(after, lastKey),
        unsound: this.documents.idsOf(tail.unsound),
        more,
        ...(filter !== undefined && !more && { matching: this.#matching(filter, rows) }),
      };
    });
  }

  /** Commits documents, see `DocumentCommits`; and returns the changes for a snapshot of the commit before it, where they are known. */
  commit(documents: DocumentColumns, terms?: DocumentTerms, fresh?: FreshVectors): CatalogCommit | undefined {
    const commit = this.#db
      .transaction((): CatalogCommit | undefined => {
        const since = fresh === undefined ? undefined : this.position();
        const committed = this.commits.commit(documents, terms, fresh);
        if (committed === undefined) return undefined;
        const { outcomes, deletedKeys, inserted } = committed;
        if (inserted === undefined || since === undefined) return { outcomes };
        const { firstKey, lastKey, vectors } = inserted;
        const changes: CatalogChanges = {
          position: this.position(),
          space: fresh?.space,
          segments: this.segments.all().map(({ segment }) => segment),
          added: [],
          deletedKeys: Float64Array.from(deletedKeys),
          sealedThrough: this.segments.sealedThrough(),
          analysis: this.settings.analysis(),
          languages: this.settings.languages(),
          tail: {
            keys: Float64Array.from({ length: lastKey - firstKey + 1 }, (_, place) => firstKey + place),
            vectors,
          },
          terms: [inserted.terms],
          unsound: [],
          more: false,
        };
        return { outcomes, read: { since, changes } };
      })
      .immediate();
    crashPoint('add.committed');
    return commit;
  }

  #matching(filter: SqlFilter, rows: readonly SegmentRow[]): MatchingDocuments {
    const keys = this.documents.keys(filter);
    const items = rows.map((row) =>
      itemsOf({ first: row.first_key, offsets: this.segments.offsets(row.segment) }, keys),
    );
    return { keys, items };
  }

  /** Pages of the database file in use and free, in bytes. */
  bytes(): { used: number; free: number } {
    const pages = this.#db.pragma('page_count', { simple: true }) as number;
    const free = this.#db.pragma('freelist_count', { simple: true }) as number;
    const size = this.#db.pragma('page_size', { simple: true }) as number;
    return { used: (pages - free) * size, free: free * size };
  }

  /** Damage that SQLite finds in the file; empty if there is none. */
  integrity(level: 'quick' | 'full'): string[] {
    const rows = this.#db.pragma(level === 'full' ? 'integrity_check' : 'quick_check') as Record<string, string>[];
    return rows.map((row) => Object.values(row)[0] as string).filter((finding) => finding !== 'ok');
  }

  /**
   * Numbers of rows that contradict each other, by kind, each counted when it is read; all zero in a sound catalog.
   */
  inconsistencies(): { check: string; what: string; count: () => number }[] {
    const orphaned = (table: string, of: string): string =>
      `SELECT count(*) FROM ${table} x LEFT JOIN ${of} y ON y.key = x.key WHERE y.key IS NULL`;
    const kinds: [check: string, what: string, sql: string][] = [
      ['texts', 'documents without text', orphaned('documents', 'texts')],
      [
        'document_vectors',
        'documents without vector of their content',
        `SELECT count(*) FROM documents d LEFT JOIN vectors v ON v.vector = d.vector AND v.hash = d.hash
         WHERE v.vector IS NULL`,
      ],
      ['orphans', 'texts without document', orphaned('texts', 'documents')],
      [
        'deletions',
        'documents both alive and deleted',
        'SELECT count(*) FROM deletions x JOIN documents d ON d.key = x.key',
      ],
      [
        'dimensions',
        'vectors of a wrong length',
        'SELECT count(*) FROM vectors v JOIN spaces s ON s.space = v.space WHERE length(v.data) <> 4 * s.dimensions',
      ],
    ];
    return kinds.map(([check, what, sql]) => ({
      check,
      what,
      count: () => this.#db.prepare(sql).pluck().get() as number,
    }));
  }

  /** Whether more than a twentieth of the pages are free. */
  isSparse(): boolean {
    const pragma = (name: string): number => this.#db.pragma(name, { simple: true }) as number;
    return pragma('freelist_count') * 20 > pragma('page_count');
  }

  /**
   * Rewrites the database without gaps, which returns the space of deleted data to the file system. Readers continue;
   * writers wait.
   */
  vacuum(): void {
    this.#db.exec('VACUUM');
  }

  /** Moves the log into the database and empties it, as far as readers allow. */
  checkpoint(): void {
    this.#db.pragma('wal_checkpoint(TRUNCATE)');
  }

  /** Writes a copy of the database as it is at this moment. */
  copyTo(path: string): void {
    this.#db.prepare('VACUUM INTO ?').run(path);
  }

  /** Begins a read transaction: until `endReading` this connection sees the catalog as it is now. */
  beginReading(): void {
    this.#begin.run();
    this.#isReading = true;
    // `BEGIN` does not read yet; this does.
    this.#readVersion = this.dataVersion();
  }

  /** What the read transaction that has begun sees. */
  reading(): CatalogReading {
    const version = this.#readVersion;
    if (this.#lastReading?.version !== version) {
      this.#lastReading = {
        version,
        position: this.position(),
        space: this.settings.get('space'),
        documents: new DocumentCache(this.documents.byKey, this.documents.shortByKey),
        settings: new Map(),
        lastMetadataChange: this.metadata.lastChange(),
      };
    }
    return this.#lastReading;
  }

  /** The number of the last change of metadata: read transactions read it once a commit. */
  lastMetadataChange(): number {
    return this.#isReading ? this.reading().lastMetadataChange : this.metadata.lastChange();
  }

  /** Whether the read transaction has ended by itself: SQLite may end it where a read fails, and other reads may share it. */
  get hasLostReading(): boolean {
    return this.#isReading && !this.#db.inTransaction;
  }

  endReading(): void {
    if (!this.hasLostReading) this.#end.run();
    this.#isReading = false;
  }

  /** A number that changes with every commit of another connection. */
  dataVersion(): number {
    return this.#dataVersion.get() as number;
  }

  close(): void {
    this.#db.close();
  }
}
