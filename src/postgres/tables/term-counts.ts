import type { Database, Statements } from '../connection/database.js';
import type { SchemaNames } from '../connection/schema.js';

/** Rows that this process appends before it sums them up, at least. */
const minAppended = 100_000;

/**
 * Numbers of documents by term. Writers append differences, so they do not wait for each other's rows, and the sum counts; from time to
 * time, differences of the same term are replaced by their sum.
 */
export class TermCounts {
  readonly #database: Database;
  readonly #names: SchemaNames;
  #appended = 0;
  /** Rows that were left by the last sum: summing up costs as much as these. */
  #kept = 0;
  #folding: Promise<void> | undefined;

  constructor(database: Database, names: SchemaNames) {
    this.#database = database;
    this.#names = names;
  }

  /** Appends what a commit has added. */
  async append(
    statements: Statements,
    counts: ReadonlyMap<string, number>,
    documents: number,
    length: number,
  ): Promise<void> {
    if (documents === 0) return;
    await statements.query(
      `WITH sizes AS (INSERT INTO ${this.#names.table('sizes')} VALUES ($3, $4))
       INSERT INTO ${this.#names.table('term_counts')} SELECT * FROM unnest($1::text[], $2::int[])`,
      [[...counts.keys()], [...counts.values()], documents, length],
    );
    this.#appended += counts.size;
  }

  /** Deletes the terms of documents, and appends that. */
  async remove(statements: Statements, keys: readonly number[]): Promise<void> {
    await statements.query(
      `WITH gone AS (DELETE FROM ${this.#names.table('postings')} WHERE key = ANY($1::bigint[]) RETURNING terms, length),
       sizes AS (INSERT INTO ${this.#names.table('sizes')} SELECT -count(*), -sum(length) FROM gone HAVING count(*) > 0)
       INSERT INTO ${this.#names.table('term_counts')} SELECT term, -count(*) FROM gone, unnest(gone.terms) AS term GROUP BY term`,
      [keys],
    );
    this.#appended += 20 * keys.length;
  }

  /** Sums up in the background if many differences were appended. */
  foldIfDue(): void {
    if (this.#folding !== undefined || this.#appended < Math.max(minAppended, this.#kept)) return;
    this.#folding = this.fold()
      // Nothing depends on it: the next commit tries again.
      .catch(() => {})
      .finally(() => {
        this.#folding = undefined;
      });
  }

  /** Replaces differences by their sums. Two that do so at once take each row once: the second one finds it gone. */
  async fold(): Promise<void> {
    this.#appended = 0;
    await this.#database.write(async (statements) => {
      const [lock] = await statements.query('SELECT pg_try_advisory_xact_lock(hashtext($1)) AS free', [
        `semantic-index-counts:${this.#names.schema}`,
      ]);
      if (lock?.free !== true) return;
      const [row] = await statements.query(
        `WITH gone AS (DELETE FROM ${this.#names.table('term_counts')} RETURNING term, documents),
         sums AS (INSERT INTO ${this.#names.table('term_counts')}
           SELECT term, sum(documents) FROM gone GROUP BY term HAVING sum(documents) <> 0 RETURNING 1)
         SELECT count(*)::int AS kept FROM sums`,
      );
      await statements.query(
        `WITH gone AS (DELETE FROM ${this.#names.table('sizes')} RETURNING documents, length)
         INSERT INTO ${this.#names.table('sizes')} SELECT sum(documents), sum(length) FROM gone HAVING count(*) > 0`,
      );
      this.#kept = row?.kept as number;
    });
  }

  async settle(): Promise<void> {
    await this.#folding;
  }
}
