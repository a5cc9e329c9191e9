import { readFileSync } from 'node:fs';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { stemOf, uncachedStemOf } from '../../src/analysis/stem.js';
import { sqlite } from '../../src/store/sqlite/sqlite.js';

/** The stems of SQLite's `porter` tokenizer. */
function sqliteStems(words: readonly string[]): string[] {
  const db = new (sqlite())(':memory:');
  db.exec(`
    CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = 'porter ascii');
    CREATE VIRTUAL TABLE stems USING fts5vocab (words, instance);
  `);
  const insert = db.prepare('INSERT INTO words (rowid, text) VALUES (?, ?)');
  db.transaction(() => {
    for (const [position, word] of words.entries()) insert.run(position + 1, word);
  })();
  const stems = db.prepare('SELECT term FROM stems ORDER BY doc').pluck().all() as string[];
  db.close();
  return stems;
}

describe('stemOf', () => {
  it('stems words of plain letters, also those that it remembers', () => {
    for (const word of ['running', 'foxes', 'running']) expect(stemOf(word)).toBe(word === 'foxes' ? 'fox' : 'run');
  });

  it('leaves names, numbers and words of other scripts as they are', () => {
    for (const term of [
      'c++',
      'node.js',
      '10.0.0.1',
      'v8s',
      'as',
      'a',
      'кошки',
      '猫',
      '🍐',
      '\uE0000123456789abcdef',
    ]) {
      expect(stemOf(term)).toBe(term);
    }
  });

  it('replaces a lone surrogate, which UTF-8 does not have', () => {
    expect(stemOf('a\ud800')).toBe('a\ufffd');
  });

  it('stems the same without its cache', () => {
    const terms = ['running', 'foxes', 'running', 'c++', 'as', 'кошки', 'a\ud800'];
    expect(terms.map(uncachedStemOf)).toEqual(terms.map(stemOf));
    expect(uncachedStemOf('running')).toBe('run');
  });

  it('stems the words of our documentation as SQLite does', () => {
    const files = globSync(['*.md', 'docs/**/*.md', 'node_modules/*/README.md']).sort();
    const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');
    const words = [...new Set(text.match(/\b[a-z]{1,40}\b/g))];
    expect(words.length).toBeGreaterThan(5000);
    expect(words.map(stemOf)).toEqual(sqliteStems(words));
  });
});
