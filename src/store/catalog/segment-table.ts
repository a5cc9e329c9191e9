import type { Database } from 'better-sqlite3';
import { analysisFromSetting, analysisSettingName, hasLanguages } from '../../analysis/text-analysis.js';
import { documentsPerRead } from '../../backend/batch-sizes.js';
import { crashPoint, type MergeKind } from '../../crash-points.js';
import { SemanticIndexError } from '../../errors.js';
import { prepared, type Statement } from '../sqlite/statement.js';
import type { Lease, LeaseTable } from './lease-table.js';
import type { SettingsTable } from './settings-table.js';
import type { TailImagesTable } from './tail/tail-images-table.js';
import type { TermsTable } from './terms-table.js';

/** The row of a segment. Its file is derived data; the row has the expected size and checksum. */
export interface SegmentRow {
  readonly segment: number;
  /** Name of the .ann file inside segments/. */
  readonly file: string;
  /** The segment covers every document with first_key <= key <= last_key. */
  readonly first_key: number;
  readonly last_key: number;
  readonly items: number;
  readonly trees: number;
  readonly file_size: number;
  /** Modification time in whole milliseconds. */
  readonly file_mtime: number;
  readonly checksum: string;
  /** Size and checksum of its terms file; null for a segment that has none yet. */
  readonly terms_size: number | null;
  readonly terms_checksum: string | null;
  /** The same of its columns file, which has all changes of metadata up to `columns_change`. */
  readonly columns_size: number | null;
  readonly columns_checksum: string | null;
  readonly columns_change: number | null;
}

/** The terms file of a segment, as its row names it. */
export interface NewTermsFile {
  readonly terms_size: number;
  readonly terms_checksum: string;
}

/** The columns file of a segment, as its row names it. */
export interface NewColumnsFile {
  readonly columns_size: number;
  readonly columns_checksum: string;
  readonly columns_change: number;
}

/** A segment about to be published: the row, and for each item its key as an offset from first_key. */
export interface NewSegment extends Omit<SegmentRow, 'segment'> {
  readonly offsets: Uint32Array;
}

/** A change of the set of segments. */
export interface Publication {
  readonly kind: MergeKind;
  readonly lease: Lease;
  /** The space that the new segment holds vectors of. */
  readonly space: number;
  /** Segments that are replaced. */
  readonly replaces: readonly number[];
  /** The range of keys of the segments that are replaced, and of the new one. */
  readonly firstKey: number;
  readonly lastKey: number;
  /** The new segment; absent when no document is left in the range. */
  readonly segment?: NewSegment | undefined;
  /** The setting by which its terms were derived. */
  readonly analysis: string;
  /** Position in the log of deletions up to which the new segment leaves out deleted documents. */
  readonly lastDeletion: number;
}

/** Of a segment whose terms were derived by another analysis than that of the index: they are derived again. */
const noTerms = { terms_size: null, terms_checksum: null };

const columns = [
  ...['file', 'first_key', 'last_key', 'items', 'trees', 'file_size', 'file_mtime', 'checksum'],
  ...['terms_size', 'terms_checksum', 'columns_size', 'columns_checksum', 'columns_change'],
];

/** The set of segments that makes up the current generation. */
export class SegmentTable {
  readonly #db: Database;
  readonly #leases: LeaseTable;
  readonly #terms: TermsTable;
  readonly #tailImages: TailImagesTable;
  readonly #settings: SettingsTable;
  readonly #retire: Statement<[string, number]>;
  readonly #retired: Statement<[]>;
  readonly #forgetRetired: Statement<[string]>;
  readonly #all: Statement<[]>;
  readonly #offsets: Statement<[number]>;
  readonly #insert: Statement<[Record<string, unknown>]>;
  readonly #delete: Statement<[number]>;
  readonly #forgetDeletions: Statement<[number, number, number]>;
  readonly #bumpGeneration: Statement<[]>;
  readonly #generation: Statement<[]>;
  readonly #sealedThrough: Statement<[]>;
  readonly #space: Statement<[]>;
  readonly #dead: Statement<[number, number]>;

  constructor(
    db: Database,
    leases: LeaseTable,
    terms: TermsTable,
    tailImages: TailImagesTable,
    settings: SettingsTable,
  ) {
    this.#db = db;
    this.#leases = leases;
    this.#terms = terms;
    this.#tailImages = tailImages;
    this.#settings = settings;
    this.#retire = prepared(db, 'INSERT INTO retired VALUES (?, ?) ON CONFLICT DO NOTHING');
    this.#retired = prepared(db, 'SELECT file, retired_at FROM retired');
    this.#forgetRetired = prepared(db, 'DELETE FROM retired WHERE file = ?');
    this.#all = prepared(db, `SELECT segment, ${columns.join(', ')} FROM segments ORDER BY first_key`);
    this.#offsets = prepared<[number]>(db, 'SELECT keys FROM segments WHERE segment = ?').pluck();
    this.#insert = prepared(
      db,
      `INSERT INTO segments (keys, ${columns.join(', ')}) VALUES (@keys, ${columns.map((name) => `@${name}`).join(', ')})`,
    );
    this.#delete = prepared(db, 'DELETE FROM segments WHERE segment = ?');
    this.#forgetDeletions = prepared(db, 'DELETE FROM deletions WHERE key BETWEEN ? AND ? AND sequence <= ?');
    this.#bumpGeneration = prepared(
      db,
      "INSERT INTO settings VALUES ('generation', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1",
    );
    this.#generation = prepared<[]>(db, "SELECT value FROM settings WHERE name = 'generation'").pluck();
    this.#sealedThrough = prepared<[]>(db, 'SELECT max(last_key) FROM segments').pluck();
    this.#space = prepared<[]>(db, "SELECT value FROM settings WHERE name = 'space'").pluck();
    this.#dead = prepared<[number, number]>(db, 'SELECT count(*) FROM deletions WHERE key >= ? AND key <= ?').pluck();
  }

  /** Counts every change of the set. */
  generation(): number {
    return (this.#generation.get() as number | undefined) ?? 0;
  }

  /** Documents with a higher key are the tail. */
  sealedThrough(): number {
    return (this.#sealedThrough.get() as number | null) ?? 0;
  }

  all(): SegmentRow[] {
    return this.#all.all() as SegmentRow[];
  }

  /** Keys of a segment's items as ascending offsets from its first key. */
  offsets(segment: number): Uint32Array {
    const blob = this.#offsets.get(segment) as Buffer | undefined;
    if (blob === undefined) throw new SemanticIndexError('NOT_FOUND', `There is no segment ${segment}`);
    const offsets = new Uint32Array(blob.byteLength / 4);
    new Uint8Array(offsets.buffer).set(blob);
    return offsets;
  }

  /** Number of documents between these two keys that were deleted since their segment was written. */
  dead(firstKey: number, lastKey: number): number {
    return this.#dead.get(firstKey, lastKey) as number;
  }

  /**
   * Replaces some segments by a new one, in one transaction. Deletions that the new segment already leaves out are removed
   * from the log.
   *
   * @returns false, having changed nothing, when another owner has the lease, or the set of segments or the space has changed since
   *   the build began.
   */
  publish(publication: Publication): boolean {
    const { kind, lease, space, replaces, firstKey, lastKey, segment: added, lastDeletion, analysis } = publication;
    const published = this.#db
      .transaction(() => {
        const current = this.all();
        const leaving = current.filter((row) => replaces.includes(row.segment));
        const staying = current.filter((row) => !replaces.includes(row.segment));
        if (!this.#leases.holds(lease) || leaving.length !== replaces.length || this.#space.get() !== space)
          return false;
        if (added !== undefined && staying.some((row) => overlap(row, added))) return false;
        for (const { segment, file } of leaving) {
          this.#delete.run(segment);
          this.#retire.run(file, Date.now());
        }
        if (added !== undefined) {
          const { offsets, ...row } = added;
          this.#forgetRetired.run(row.file);
          const terms = analysis === this.#settings.analysis() ? {} : noTerms;
          this.#insert.run({
            ...row,
            ...terms,
            keys: Buffer.from(offsets.buffer, offsets.byteOffset, offsets.byteLength),
          });
          this.#forgetDeletions.run(added.first_key, added.last_key, lastDeletion);
        }
        this.#terms.forget(firstKey, lastKey);
        this.#bumpGeneration.run();
        this.#tailImages.retireStale();
        crashPoint(`${kind}.publishing`);
        return true;
      })
      .immediate();
    crashPoint(`${kind}.published`);
    return published;
  }

  /**
   * Names derived files of a segment, in one transaction. The segment gets a new number, by which other processes notice it.
   *
   * @returns false, having changed nothing, when another owner has the lease, or the segment was replaced.
   */
  publishDerived(
    lease: Lease,
    segment: number,
    files: Partial<NewTermsFile & NewColumnsFile>,
    analysis: string,
  ): boolean {
    const published = this.#db
      .transaction(() => {
        const row = this.all().find((row) => row.segment === segment);
        if (!this.#leases.holds(lease) || row === undefined) return false;
        const keys = this.#offsets.get(segment);
        this.#delete.run(segment);
        const isOutdated = files.terms_size !== undefined && analysis !== this.#settings.analysis();
        this.#insert.run({ ...row, ...files, ...(isOutdated && noTerms), keys });
        this.#bumpGeneration.run();
        this.#tailImages.retireStale();
        crashPoint('analyze.publishing');
        return true;
      })
      .immediate();
    crashPoint('analyze.published');
    return published;
  }

  /**
   * Has all texts analyzed by another setting from now on, in one transaction; stored terms are forgotten, and derived again. Segments
   * get new numbers, by which other processes notice it.
   *
   * @param languages those of the documents up to the key `scanned`, by the new analysis.
   */
  changeAnalysis(setting: string, languages: readonly string[], scanned: number): void {
    this.#db
      .transaction(() => {
        const found = new Set(languages);
        if (hasLanguages(analysisFromSetting(setting))) {
          for (let after = scanned; ; ) {
            const some = this.#terms.languagesAfter(setting, after, documentsPerRead);
            if (some === undefined) break;
            for (const language of some.languages) found.add(language);
            after = some.last;
          }
        }
        this.#settings.set(analysisSettingName, setting);
        this.#settings.set('languages', '');
        this.#settings.addLanguages([...found]);
        for (const row of this.all()) {
          const keys = this.#offsets.get(row.segment);
          this.#delete.run(row.segment);
          this.#insert.run({ ...row, ...noTerms, keys });
        }
        this.#terms.forgetAll();
        this.#bumpGeneration.run();
        this.#tailImages.retireStale();
      })
      .immediate();
  }

  /**
   * Records the name of a file before it is written, so that it is removed if the build is killed. It counts as retired
   * until its segment is published.
   *
   * @returns false, having changed nothing, when another process has the lease.
   */
  plan(lease: Lease, file: string): boolean {
    return this.#db
      .transaction(() => {
        if (!this.#leases.holds(lease)) return false;
        this.#retire.run(file, Date.now());
        return true;
      })
      .immediate();
  }

  /** Files that no segment uses: of segments that were replaced, and of builds that are not finished. */
  retired(): { file: string; retired_at: number }[] {
    return this.#retired.all() as { file: string; retired_at: number }[];
  }

  /**
   * Files that can be removed at any later time, even by a process that has lost the lease since: names are never reused,
   * and a build that reserved one of them under an earlier lease cannot publish it. Empty when another process has the lease.
   */
  removable(lease: Lease): string[] {
    return this.#db.transaction(() => (this.#leases.holds(lease) ? this.retired().map(({ file }) => file) : []))();
  }

  /** Forgets files that were removed. */
  forgetRetired(files: readonly string[]): void {
    this.#db.transaction(() => {
      for (const file of files) this.#forgetRetired.run(file);
    })();
  }
}

function overlap(a: { first_key: number; last_key: number }, b: { first_key: number; last_key: number }): boolean {
  return a.first_key <= b.last_key && a.last_key >= b.first_key;
}
