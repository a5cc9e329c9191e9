import type { Database } from 'better-sqlite3';
import { crashPoint } from '../../../crash-points.js';
import { prepared, type Statement } from '../../sqlite/statement.js';
import type { CatalogPosition } from '../catalog.js';
import type { Lease, LeaseTable } from '../lease-table.js';

/** A file with the vectors and terms of the tail as of a position. */
export interface TailImageRow {
  /** The name that the catalog knows it by: of a segment that has nothing but this file. */
  readonly file: string;
  readonly bytes: number;
  readonly checksum: string;
  readonly space: number;
  /** Documents that exist in it. */
  readonly documents: number;
  readonly position: CatalogPosition;
}

const setting = 'tail_image';

/**
 * The image of the tail: at most one at a time. Derived: without it the tail is read row by row. It is current as long as the
 * segments are those that it was written beside, since keys, vectors and terms of documents never change otherwise.
 */
export class TailImagesTable {
  readonly #db: Database;
  readonly #leases: LeaseTable;
  readonly #position: () => CatalogPosition;
  readonly #get: Statement<[]>;
  readonly #set: Statement<[string]>;
  readonly #remove: Statement<[]>;
  readonly #retire: Statement<[string, number]>;
  readonly #forgetRetired: Statement<[string]>;
  readonly #space: Statement<[]>;
  readonly #documents: Statement<[number]>;

  constructor(db: Database, leases: LeaseTable, position: () => CatalogPosition) {
    this.#db = db;
    this.#leases = leases;
    this.#position = position;
    this.#get = prepared<[]>(db, `SELECT value FROM settings WHERE name = '${setting}'`).pluck();
    this.#set = prepared(
      db,
      `INSERT INTO settings VALUES ('${setting}', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    );
    this.#remove = prepared(db, `DELETE FROM settings WHERE name = '${setting}'`);
    this.#retire = prepared(db, 'INSERT INTO retired VALUES (?, ?) ON CONFLICT DO NOTHING');
    this.#forgetRetired = prepared(db, 'DELETE FROM retired WHERE file = ?');
    this.#space = prepared<[]>(db, "SELECT value FROM settings WHERE name = 'space'").pluck();
    this.#documents = prepared<[number]>(
      db,
      'SELECT count(*) FROM documents WHERE key > (SELECT coalesce(max(last_key), 0) FROM segments) AND key <= ?',
    ).pluck();
  }

  /** The image that the catalog names, whether it is current or not. */
  get(): TailImageRow | undefined {
    return parsed(this.#get.get());
  }

  /** The image as of an earlier or the present position of these vectors. */
  current(space: number): TailImageRow | undefined {
    const row = this.get();
    if (row === undefined || row.space !== space) return undefined;
    const now = this.#position();
    const { generation, lastKey, lastDeletion } = row.position;
    return generation === now.generation && lastKey <= now.lastKey && lastDeletion <= now.lastDeletion
      ? row
      : undefined;
  }

  /**
   * Names a new image, whose file was planned, in place of the one before.
   *
   * @returns false, having changed nothing, when the lease went to another process, or the image does not have exactly the
   *   documents of the tail as of its position.
   */
  publish(lease: Lease, row: TailImageRow): boolean {
    const published = this.#db
      .transaction(() => {
        const now = this.#position();
        const { generation, lastKey, lastDeletion } = row.position;
        if (!this.#leases.holds(lease) || this.#space.get() !== row.space) return false;
        if (generation !== now.generation || lastDeletion !== now.lastDeletion) return false;
        if (this.#documents.get(lastKey) !== row.documents) return false;
        this.retire();
        this.#forgetRetired.run(row.file);
        this.#set.run(JSON.stringify(row));
        crashPoint('tail-image.publishing');
        return true;
      })
      .immediate();
    crashPoint('tail-image.published');
    return published;
  }

  /** Forgets the image, whose file is removed by the next sweep. Part of the caller's transaction. */
  retire(): void {
    const row = this.get();
    if (row !== undefined) this.#retire.run(row.file, Date.now());
    this.#remove.run();
  }

  /** The same, if it is not current. */
  retireStale(): void {
    const row = this.get();
    if (row !== undefined && this.current(row.space) === undefined) this.retire();
  }
}

/** What another program wrote there counts as nothing. */
function parsed(value: unknown): TailImageRow | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    const row = JSON.parse(value) as TailImageRow;
    const { file, bytes, checksum, space, documents, position } = row;
    const numbers = [bytes, space, documents, position.generation, position.lastKey, position.lastDeletion];
    const isSound = typeof file === 'string' && typeof checksum === 'string' && numbers.every(Number.isSafeInteger);
    return isSound ? row : undefined;
  } catch {
    return undefined;
  }
}
