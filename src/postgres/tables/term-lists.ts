import { TimeSlice } from '../../time-slice.js';
import { CopyRows } from '../connection/copy.js';
import type { Database, Statements, WriteTransaction } from '../connection/database.js';
import { MessageWriter } from '../connection/message-writer.js';
import type { SchemaNames } from '../connection/schema.js';
import type { TermArrays } from './document-terms.js';
import { invertTerms } from './inverted-terms.js';
import { encodePostings, type Postings, sliceOf } from './postings.js';

/** Rows that this process appends before it joins them, at least. */
const minAppended = 400_000;
/** Bytes of postings from which a row is not joined with others any more. */
const maxJoined = 65_536;
/** Documents whose postings are written at a time when all are written again. */
const documentsPerWrite = 4_000;
/** Share of deleted documents from which postings are written again. */
const maxDeletedShare = 0.1;

/** Rows of terms as they are written: for COPY, or as the columns of a statement. */
export interface ListRows {
  readonly count: number;
  readonly copied?: Buffer;
  readonly columns?: readonly [readonly string[], readonly number[], readonly number[], readonly Buffer[]];
}

/**
 * The inverted index: rows of terms with a number of documents and their postings, in the order of keys. Writers append rows; deletions
 * append negative numbers and the keys that are gone. From time to time, rows of the same term are joined.
 */
export class TermLists {
  readonly #database: Database;
  readonly #names: SchemaNames;
  #appended = 0;
  /** Rows that were left by the last time: joining costs as much as these. */
  #kept = 0;
  #folding: Promise<void> | undefined;

  constructor(database: Database, names: SchemaNames) {
    this.#database = database;
    this.#names = names;
  }

  /** The rows of documents, by their keys. @param isCopied whether they are written by COPY. */
  async encode(keys: readonly number[], documents: readonly TermArrays[], isCopied: boolean): Promise<ListRows> {
    const { terms, starts, postings } = await invertTerms(keys, documents);
    const slice = new TimeSlice();
    const listOf = (term: number): Postings => sliceOf(postings, starts[term] as number, starts[term + 1] as number);
    if (isCopied) {
      const rows = new CopyRows(64 * terms.length + 8 * postings.keys.length);
      for (const [term, name] of terms.entries()) {
        const list = listOf(term);
        rows.row(4);
        rows.text(name);
        rows.int8(list.keys.at(-1) as number);
        rows.int4(list.keys.length);
        rows.bytea((bytes) => encodePostings(list, bytes));
        if (slice.due()) await slice.yieldIfDue();
      }
      return { count: terms.length, copied: rows.take() };
    }
    const columns: [readonly string[], number[], number[], Buffer[]] = [terms, [], [], []];
    for (const term of terms.keys()) {
      const list = listOf(term);
      const bytes = new MessageWriter(16 * (list.keys.length + 1));
      encodePostings(list, bytes);
      columns[1].push(list.keys.at(-1) as number);
      columns[2].push(list.keys.length);
      columns[3].push(bytes.view());
      if (slice.due()) await slice.yieldIfDue();
    }
    return { count: terms.length, columns };
  }

  /** Appends the rows of documents that a commit adds. Their keys are above all earlier ones. */
  async append(statements: WriteTransaction, documents: readonly TermArrays[], rows: ListRows): Promise<void> {
    const length = documents.reduce((sum, one) => sum + one.length, 0);
    await statements.query(`INSERT INTO ${this.#names.table('sizes')} VALUES ($1, $2)`, [documents.length, length]);
    await this.#write(statements, rows);
  }

  async #write(statements: WriteTransaction, { count, copied, columns }: ListRows): Promise<void> {
    const target = `${this.#names.table('term_lists')} (term, last_key, documents, data)`;
    if (copied !== undefined) {
      await statements.copy?.(target, copied);
    } else {
      await statements.query(
        `INSERT INTO ${target} SELECT * FROM unnest($1::text[], $2::bigint[], $3::int[], $4::bytea[])`,
        columns,
      );
    }
    this.#appended += count;
  }

  /** Deletes the terms of documents, and appends that. */
  async remove(statements: Statements, keys: readonly number[]): Promise<void> {
    await statements.query(
      `WITH gone AS (DELETE FROM ${this.#names.table('postings')} WHERE key = ANY($1::bigint[]) RETURNING key, terms, length),
       sizes AS (INSERT INTO ${this.#names.table('sizes')} SELECT -count(*), -sum(length) FROM gone HAVING count(*) > 0),
       deleted AS (INSERT INTO ${this.#names.table('deleted')} (key) SELECT key FROM gone)
       INSERT INTO ${this.#names.table('term_lists')} (term, last_key, documents, data)
       SELECT term, 0, -count(*), ''::bytea FROM gone, unnest(gone.terms) AS term GROUP BY term`,
      [keys],
    );
    this.#appended += 20 * keys.length;
  }

  /** Joins rows in the background if many were appended. */
  foldIfDue(): void {
    if (this.#folding !== undefined || this.#appended < Math.max(minAppended, this.#kept)) return;
    this.#folding = this.fold()
      // Nothing depends on it: the next commit tries again.
      .catch(() => {})
      .finally(() => {
        this.#folding = undefined;
      });
  }

  /** Joins rows of the same term. Two that do so at once take each row once: the second one finds it gone. */
  async fold(): Promise<void> {
    this.#appended = 0;
    await this.#database.write(async (statements) => {
      const [lock] = await statements.query('SELECT pg_try_advisory_xact_lock(hashtext($1)) AS free', [
        `semantic-index-counts:${this.#names.schema}`,
      ]);
      if (lock?.free === true) await this.#join(statements);
    });
  }

  async #join(statements: Statements): Promise<void> {
    const [lists, sizes] = [this.#names.table('term_lists'), this.#names.table('sizes')];
    const [row] = await statements.query(
      `WITH gone AS (DELETE FROM ${lists} WHERE octet_length(data) < ${maxJoined} RETURNING term, last_key, documents, data),
       joined AS (INSERT INTO ${lists} (term, last_key, documents, data)
         SELECT term, max(last_key), sum(documents), string_agg(data, ''::bytea ORDER BY last_key) FROM gone
         GROUP BY term HAVING sum(documents) <> 0 OR sum(octet_length(data)) > 0 RETURNING 1)
       SELECT count(*)::int AS kept FROM joined`,
    );
    await statements.query(
      `WITH gone AS (DELETE FROM ${sizes} RETURNING documents, length)
       INSERT INTO ${sizes} SELECT sum(documents), sum(length) FROM gone HAVING count(*) > 0`,
    );
    this.#kept = row?.kept as number;
  }

  /** Whether so many documents were deleted that postings should be written again. */
  async hasManyDeleted(statements: Statements): Promise<boolean> {
    const [row] = await statements.query(
      `SELECT (SELECT count(*)::float8 FROM ${this.#names.table('deleted')}) AS deleted,
         (SELECT coalesce(sum(documents), 0)::float8 FROM ${this.#names.table('sizes')}) AS documents`,
    );
    return (row?.deleted as number) > maxDeletedShare * (row?.documents as number);
  }

  /** Writes all postings and sums again, from the terms of the documents. Part of a transaction that holds the lock of writers. */
  async rewrite(statements: WriteTransaction): Promise<void> {
    const { table } = { table: (name: Parameters<SchemaNames['table']>[0]) => this.#names.table(name) };
    await statements.query('SELECT pg_advisory_xact_lock(hashtext($1))', [
      `semantic-index-counts:${this.#names.schema}`,
    ]);
    await statements.query(`DELETE FROM ${table('term_lists')}`);
    await statements.query(`DELETE FROM ${table('deleted')}`);
    await statements.query(`DELETE FROM ${table('sizes')}`);
    await statements.query(
      `INSERT INTO ${table('sizes')} SELECT count(*), sum(length) FROM ${table('postings')} HAVING count(*) > 0`,
    );
    for (let after = 0; ; ) {
      const rows = await statements.query(
        `SELECT key::float8, length, terms, frequencies FROM ${table('postings')} WHERE key > $1 ORDER BY key LIMIT ${documentsPerWrite}`,
        [after],
      );
      if (rows.length === 0) break;
      const keys = rows.map(({ key }) => key as number);
      const isCopied = statements.copy !== undefined;
      await this.#write(statements, await this.encode(keys, rows as unknown as TermArrays[], isCopied));
      after = keys.at(-1) as number;
    }
    await this.#join(statements);
    // What readers have in memory is void.
    await statements.query(`UPDATE ${table('position')} SET epoch = epoch + 1`);
  }

  async settle(): Promise<void> {
    await this.#folding;
  }
}
