import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type BuildInput, type Built, type Engine, loadPeer, versionOf } from '../engine.js';

async function build({ vectors, count, dimensions, folder }: BuildInput): Promise<Built<Buffer>> {
  const vec = await loadPeer<{ load(db: unknown): void }>('sqlite-vec');
  const path = join(folder, 'index.db');
  const db = new Database(path);
  vec.load(db);
  db.exec(`CREATE VIRTUAL TABLE items USING vec0(embedding float[${dimensions}] distance_metric=cosine)`);
  const insert = db.prepare('INSERT INTO items (rowid, embedding) VALUES (?, ?)');
  const bytesOf = (row: Float32Array) => Buffer.from(row.buffer, row.byteOffset, row.byteLength);
  db.transaction(() => {
    for (let item = 0; item < count; item++) {
      insert.run(BigInt(item), bytesOf(vectors.subarray(item * dimensions, (item + 1) * dimensions)));
    }
  })();
  const select = db.prepare('SELECT rowid FROM items WHERE embedding MATCH ? AND k = ?').pluck();
  return {
    prepare: bytesOf,
    search: (query, k) => select.all(query, k) as number[],
    bytes: { file: statSync(path).size },
    close: () => void db.close(),
  };
}

export const engine: Engine = { build: build as Engine['build'], library: versionOf('sqlite-vec') };
