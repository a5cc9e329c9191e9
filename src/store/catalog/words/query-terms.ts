import type { Database, Statement } from 'better-sqlite3';
import { termTokenizer } from '../schema.js';

/** How rare the words of a query are. */
export interface QueryWeights {
  readonly documents: number;
  /** The sum of the inverse document frequencies of all words, as FTS5 weighs them. */
  readonly total: number;
  /** The weight of each word; undefined where words are not stems, one to one. */
  readonly each: readonly number[] | undefined;
}

/** Knows how rare the stems of a query are. Lives in temporary tables of the connection. */
export class QueryTerms {
  readonly #clear: Statement<[]>;
  readonly #insert: Statement<[string]>;
  readonly #terms: Statement<[]>;
  readonly #documentsWith: Statement<[string]>;
  readonly #count: Statement<[]>;

  constructor(db: Database) {
    db.exec(`
      CREATE VIRTUAL TABLE IF NOT EXISTS temp.query_words USING fts5 (text, tokenize = "${termTokenizer}");
      CREATE VIRTUAL TABLE IF NOT EXISTS temp.query_terms USING fts5vocab (temp, query_words, instance);
      CREATE VIRTUAL TABLE IF NOT EXISTS temp.word_counts USING fts5vocab (main, words, row);
    `);
    this.#clear = db.prepare('DELETE FROM temp.query_words');
    this.#insert = db.prepare('INSERT INTO temp.query_words VALUES (?)');
    this.#terms = db.prepare<[]>('SELECT term FROM temp.query_terms ORDER BY offset').pluck();
    this.#documentsWith = db.prepare<[string]>('SELECT doc FROM temp.word_counts WHERE term = ?').pluck();
    this.#count = db.prepare<[]>('SELECT count(*) FROM documents').pluck();
  }

  weigh(words: readonly string[]): QueryWeights {
    this.#clear.run();
    this.#insert.run(words.join(' '));
    const documents = this.#count.get() as number;
    const weights = (this.#terms.all() as string[]).map((term) => {
      const having = (this.#documentsWith.get(term) as number | undefined) ?? 0;
      return Math.max(1e-6, Math.log((documents - having + 0.5) / (having + 0.5)));
    });
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { documents, total, each: weights.length === words.length ? weights : undefined };
  }
}
