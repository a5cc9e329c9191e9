import type { Database } from '../connection/database.js';
import type { SchemaNames } from '../connection/schema.js';

/** Milliseconds after which the lease of a process that died ends. It is renewed three times as often. */
const leaseMilliseconds = 30_000;

/**
 * The right to do some work, which one process at a time has. It is a row of the settings with an end, by the clock of the server: a
 * session could not hold it behind a pooler.
 */
export class Lease {
  readonly #database: Database;
  readonly #table: string;
  readonly #name: string;

  /** @param name of the setting. */
  constructor(database: Database, names: SchemaNames, name: string) {
    this.#database = database;
    this.#table = names.table('settings');
    this.#name = name;
  }

  /** Works while the lease is held; returns undefined at once when another process has it. */
  async hold<T>(work: () => Promise<T>): Promise<{ readonly result: T } | undefined> {
    const owner = globalThis.crypto.randomUUID();
    if (!(await this.#acquire(owner))) return undefined;
    // A renewal that fails is tried again by the next one.
    const timer = setInterval(() => void this.#acquire(owner).catch(() => {}), leaseMilliseconds / 3);
    timer.unref();
    try {
      return { result: await work() };
    } finally {
      clearInterval(timer);
      await this.#release(owner).catch(() => {});
    }
  }

  async #acquire(owner: string): Promise<boolean> {
    const now = 'extract(epoch FROM clock_timestamp())::float8 * 1000';
    const rows = await this.#database.write((statements) =>
      statements.query(
        `INSERT INTO ${this.#table} AS held
         VALUES ($1, json_build_object('owner', $2::text, 'until', ${now} + ${leaseMilliseconds})::text)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value
         WHERE held.value::json ->> 'owner' = $2 OR (held.value::json ->> 'until')::float8 <= ${now} RETURNING 1`,
        [this.#name, owner],
      ),
    );
    return rows.length > 0;
  }

  #release(owner: string): Promise<unknown> {
    return this.#database.write((statements) =>
      statements.query(`DELETE FROM ${this.#table} WHERE name = $1 AND value::json ->> 'owner' = $2`, [
        this.#name,
        owner,
      ]),
    );
  }
}
