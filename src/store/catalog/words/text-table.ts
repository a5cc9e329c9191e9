import type { Database, Statement } from 'better-sqlite3';
import { queryTermsOf, termsOf } from '../../../analysis/terms.js';
import type { TextMatches, TextSearch } from '../../../backend/read-snapshot.js';
import { checkWanted } from '../../sqlite/cancelling.js';
import type { SqlFilter } from '../document-table.js';
import { QueryTerms } from './query-terms.js';
import { anyOf, rareTermMatch } from './rare-terms.js';

/** Matches of a text query in a form that is cheap to send between threads. */
export interface PackedMatches {
  readonly keys: Float64Array;
  /** BM25, large is good. */
  readonly scores: Float64Array;
  /** Upper bound of the scores of this query. */
  readonly maxScore: number;
}

export function unpackMatches({ keys, scores, maxScore }: PackedMatches): TextMatches {
  return { ranked: Array.from(keys, (key, position) => ({ key, score: scores[position] as number })), maxScore };
}

const maxQueryWords = 256;
// No new query of a batch is begun after so long: other readings of the thread come in between.
const batchMilliseconds = 50;
/** Words from which on repeated ones count once: the time for each document grows with the square of their number. */
const manyWords = 24;
// FTS5's own constant: a word however often repeated counts at most k1 + 1 times its weight.
const k1 = 1.2;

/**
 * The index of words (SQLite FTS5, Porter stemmer, without a copy of the texts), ranked by BM25 (Robertson, Zaragoza
 * 2009) with FTS5's k1 = 1.2 and b = 0.75.
 */
export class TextTable {
  readonly #db: Database;
  readonly #insert: Statement<[number | bigint, string]>;
  readonly #delete: Statement<[number]>;
  #terms: QueryTerms | undefined;

  constructor(db: Database) {
    this.#db = db;
    this.#insert = db.prepare('INSERT INTO words (rowid, text) VALUES (?, ?)');
    this.#delete = db.prepare('DELETE FROM words WHERE rowid = ?');
  }

  /** Part of the caller's transaction. */
  insert(key: number | bigint, text: string): void {
    this.#insert.run(key, termsOf(text).join(' '));
  }

  /** Part of the caller's transaction. */
  delete(key: number): void {
    this.#delete.run(key);
  }

  /** Merges the index of words into one piece, without deleted documents. */
  optimize(): void {
    this.#db.exec("INSERT INTO words (words) VALUES ('optimize')");
  }

  /** As `search`, for each query in turn until their time is up; for the first one in any case. */
  searchEach({ queries, limit }: TextSearch, filter?: SqlFilter): PackedMatches[] {
    const found: PackedMatches[] = [];
    const began = performance.now();
    for (const query of queries) {
      if (found.length > 0 && performance.now() - began > batchMilliseconds) break;
      checkWanted();
      found.push(this.search(query, limit, filter));
    }
    return found;
  }

  /**
   * At most `limit` documents with at least one word of the query, none with a higher key than `lastKey`. Nothing in a
   * query is an operator. In a large collection those without a telling word come only when the others are too few.
   */
  search(query: string, limit: number, filter?: SqlFilter, lastKey = Number.MAX_SAFE_INTEGER): PackedMatches {
    const words = countedWords(queryTermsOf(query));
    if (words.length === 0) return { keys: new Float64Array(0), scores: new Float64Array(0), maxScore: 0 };
    const condition = filter === undefined ? '' : `AND ${filter.sql}`;
    // To ask whether the answer is still wanted takes less than to rank a document by so many words.
    const stop = words.length > manyWords || filter !== undefined ? 'AND is_wanted(w.rowid)' : '';
    const join = filter === undefined ? '' : 'JOIN documents d ON d.key = w.rowid';
    const statement = this.#db.prepare(
      `SELECT w.rowid AS key, -w.rank AS score FROM words w ${join}
       WHERE words MATCH ? AND w.rowid <= ? ${stop} ${condition} ORDER BY w.rank, w.rowid LIMIT ?`,
    );
    const find = (match: string) =>
      statement.all(match, lastKey, ...(filter?.parameters ?? []), limit) as { key: number; score: number }[];
    this.#terms ??= new QueryTerms(this.#db);
    const weights = this.#terms.weigh(words);
    const telling = rareTermMatch(words, weights);
    let rows = telling === undefined ? [] : find(telling).map(({ key, score }) => ({ key, score: score / 2 }));
    if (rows.length < limit) rows = find(anyOf(words));
    return {
      keys: Float64Array.from(rows, ({ key }) => key),
      scores: Float64Array.from(rows, ({ score }) => score),
      maxScore: rows.length === 0 ? 0 : (k1 + 1) * weights.total,
    };
  }
}

/** The words that are looked for: repeated ones count twice, but in a long query. */
function countedWords(words: readonly string[]): readonly string[] {
  if (words.length <= manyWords) return words;
  const distinct = new Set<string>();
  for (const word of words) {
    distinct.add(word);
    if (distinct.size === maxQueryWords) break;
  }
  return [...distinct];
}
