import type { Database } from 'better-sqlite3';
import { prepared, type Statement } from '../sqlite/statement.js';
import { isDeadOwner } from './lease-owner.js';

// A lease that ends later than this was taken under a wrong clock, or forged: it counts as expired. Longer than any lease
// plus the difference between the clocks of two machines.
const furthestMilliseconds = 5 * 60_000;

/**
 * Leases prevent two processes from doing the same background work. A lease ends when it is released, when it expires,
 * or when the process of its owner no longer runs.
 */
export class LeaseTable {
  readonly #db: Database;
  readonly #owner: Statement<[string, number, number]>;
  readonly #acquire: Statement<[string, string, number]>;
  readonly #release: Statement<[string, string]>;
  readonly #holds: Statement<[string, string, number]>;
  readonly #owners: Statement<[string, number, number]>;

  constructor(db: Database) {
    this.#db = db;
    this.#owner = prepared<[string, number, number]>(
      db,
      'SELECT owner FROM leases WHERE name = ? AND expires_at BETWEEN ? AND ?',
    ).pluck();
    this.#acquire = prepared<[string, string, number]>(
      db,
      `INSERT INTO leases VALUES (?, ?, 1, ?)
         ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at,
           token = leases.token + (leases.owner <> excluded.owner) RETURNING token`,
    ).pluck();
    // The row stays, with its token: a holder whose lease expired can still be distinguished from the next one.
    this.#release = prepared(db, 'UPDATE leases SET expires_at = 0 WHERE name = ? AND owner = ?');
    this.#holds = prepared<[string, string, number]>(
      db,
      'SELECT 1 FROM leases WHERE name = ? AND owner = ? AND token = ?',
    );
    this.#owners = prepared<[string, number, number]>(
      db,
      "SELECT owner FROM leases WHERE name LIKE ? || '%' AND expires_at BETWEEN ? AND ?",
    ).pluck();
  }

  /**
   * Acquires or extends a lease for so many milliseconds. Returns its token, which changes with the owner, or 0 when
   * another running process holds it.
   */
  acquire(name: string, owner: string, milliseconds: number): number {
    return this.#db
      .transaction(() => {
        const now = Date.now();
        const holder = this.#owner.get(name, now, now + furthestMilliseconds) as string | undefined;
        if (holder !== undefined && holder !== owner && !isDeadOwner(holder)) return 0;
        return this.#acquire.get(name, owner, now + milliseconds) as number;
      })
      .immediate();
  }

  release(name: string, owner: string): void {
    this.#release.run(name, owner);
  }

  /** Whether a running process holds a lease whose name has this prefix. */
  anyHeld(prefix: string): boolean {
    const now = Date.now();
    const owners = this.#owners.all(prefix, now, now + furthestMilliseconds) as string[];
    return owners.some((owner) => !isDeadOwner(owner));
  }

  /** Ends all leases: a copy of an index begins without those of the original. */
  endAll(): void {
    this.#db.prepare('DELETE FROM leases').run();
  }

  /** Deletes expired leases whose name has this prefix. */
  forgetEnded(prefix: string): void {
    this.#db.prepare("DELETE FROM leases WHERE name LIKE ? || '%' AND expires_at < ?").run(prefix, Date.now());
  }

  /** Whether the lease still has the owner that got this token. */
  holds({ name, owner, token }: Lease): boolean {
    return this.#holds.get(name, owner, token) !== undefined;
  }
}

/** An acquired lease, which is checked when its holder publishes its work. */
export interface Lease {
  readonly name: string;
  readonly owner: string;
  readonly token: number;
}
