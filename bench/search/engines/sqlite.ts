import { join } from 'node:path';
import Database from 'better-sqlite3';
import { loadPeer, versionOf } from '../../speed/engine.js';
import { type Filter, type Found, reciprocalRankFusion, rowOf, type SearchEngine } from '../engine.js';

const fusedDepth = 50;

function bytesOf(row: Float32Array): Buffer {
  return Buffer.from(row.buffer, row.byteOffset, row.byteLength);
}

export const engine: SearchEngine = {
  library: `SQLite FTS5 + ${versionOf('sqlite-vec')}`,
  modes: ['text', 'vector', 'hybrid'],
  fusion: 'reciprocal ranks',
  batchSize: 20_000,
  persistent: true,
  async open(folder, dimensions) {
    const vec = await loadPeer<{ load(db: unknown): void }>('sqlite-vec');
    const db = new Database(join(folder, 'index.db'));
    vec.load(db);
    db.pragma('journal_mode = WAL');
    db.exec(`
      CREATE TABLE IF NOT EXISTS items (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, text TEXT NOT NULL, bucket INTEGER NOT NULL);
      CREATE INDEX IF NOT EXISTS items_by_bucket ON items (bucket);
      CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (text, content = 'items', content_rowid = 'key', tokenize = 'porter unicode61');
      CREATE VIRTUAL TABLE IF NOT EXISTS vectors USING vec0 (embedding float[${dimensions}] distance_metric = cosine, bucket integer);
    `);
    const insert = db.prepare('INSERT INTO items (id, text, bucket) VALUES (?, ?, ?)');
    const insertWords = db.prepare('INSERT INTO words (rowid, text) VALUES (?, ?)');
    const insertVector = db.prepare('INSERT INTO vectors (rowid, embedding, bucket) VALUES (?, ?, ?)');
    const byWords = (filter: Filter | undefined) =>
      db.prepare(
        `SELECT i.id, i.text FROM words w JOIN items i ON i.key = w.rowid WHERE words MATCH ?
         ${filter === undefined ? '' : `AND i.bucket < ${filter.below}`} ORDER BY w.rank LIMIT ?`,
      );
    const byVector = (filter: Filter | undefined) =>
      db.prepare(
        `SELECT i.id, i.text FROM vectors v JOIN items i ON i.key = v.rowid WHERE v.embedding MATCH ? AND k = ?
         ${filter === undefined ? '' : `AND v.bucket < ${filter.below}`} ORDER BY v.distance`,
      );
    const match = (text: string): string =>
      (text.match(/[\p{L}\p{N}]+/gu) ?? ['']).map((word) => `"${word}"`).join(' OR ');
    const statements = new Map<string, Database.Statement>();
    const prepared = (mode: 'text' | 'vector', filter: Filter | undefined): Database.Statement => {
      const name = `${mode} ${filter?.below}`;
      const known = statements.get(name) ?? (mode === 'text' ? byWords : byVector)(filter);
      statements.set(name, known);
      return known;
    };
    return {
      async add({ paragraphs, vectors }) {
        db.transaction(() => {
          paragraphs.forEach(({ id, text, bucket }, row) => {
            const key = insert.run(id, text, bucket).lastInsertRowid;
            insertWords.run(key, text);
            insertVector.run(BigInt(key), bytesOf(rowOf(vectors, row, dimensions)), BigInt(bucket));
          });
        })();
      },
      async build() {
        db.exec("INSERT INTO words (words) VALUES ('optimize')");
      },
      async search(mode, text, vector, k, filter) {
        const depth = mode === 'hybrid' ? fusedDepth : k;
        const lists: Found[][] = [];
        if (mode !== 'vector') lists.push(prepared('text', filter).all(match(text), depth) as Found[]);
        if (mode !== 'text') lists.push(prepared('vector', filter).all(bytesOf(vector), depth) as Found[]);
        return mode === 'hybrid' ? reciprocalRankFusion(lists, k) : (lists[0] as Found[]);
      },
      close: async () => void db.close(),
    };
  },
};
