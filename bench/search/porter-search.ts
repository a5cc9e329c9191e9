import Database from 'better-sqlite3';
import type { TestSet } from './judged-sets.js';

/**
 * Searches with the full-text search of SQLite, which stems words by Porter's rules for English whatever their language: the ids of the
 * best documents for each question of a set, by BM25, of those with any of its words.
 */
export function porterRanking({ documents, questions }: TestSet, k: number): string[][] {
  const db = new Database(':memory:');
  try {
    db.exec("CREATE VIRTUAL TABLE texts USING fts5(id UNINDEXED, text, tokenize = 'porter unicode61')");
    const add = db.prepare<[string, string]>('INSERT INTO texts VALUES (?, ?)');
    db.transaction(() => {
      for (const { id, text } of documents) add.run(id, text);
    })();
    const find = db
      .prepare<[string, number]>('SELECT id FROM texts WHERE texts MATCH ? ORDER BY bm25(texts), rowid LIMIT ?')
      .pluck();
    return questions.map(({ query }) => {
      const words = new Set(String(query).match(/[\p{L}\p{N}\p{M}]+/gu));
      return words.size === 0 ? [] : (find.all([...words].map((word) => `"${word}"`).join(' OR '), k) as string[]);
    });
  } finally {
    db.close();
  }
}
