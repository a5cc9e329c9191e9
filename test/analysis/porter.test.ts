import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { porterStem } from '../../src/analysis/porter.js';
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

describe('porterStem', () => {
  // Examples of Porter 1980.
  it.each([
    ['caresses', 'caress'],
    ['ponies', 'poni'],
    ['cats', 'cat'],
    ['agreed', 'agre'],
    ['plastered', 'plaster'],
    ['motoring', 'motor'],
    ['sing', 'sing'],
    ['hopping', 'hop'],
    ['falling', 'fall'],
    ['filing', 'file'],
    ['happy', 'happi'],
    ['relational', 'relat'],
    ['vietnamization', 'vietnam'],
    ['electrical', 'electr'],
    ['adjustment', 'adjust'],
    ['adoption', 'adopt'],
    ['production', 'product'],
    ['controlling', 'control'],
    ['rate', 'rate'],
    ['cease', 'ceas'],
    ['as', 'as'],
  ])('stems %s to %s', (word, stem) => {
    expect(porterStem(word)).toBe(stem);
  });

  it('stems the words of our documentation as SQLite does', () => {
    const files = globSync(['*.md', 'docs/**/*.md', 'node_modules/*/README.md']).sort();
    const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');
    const words = [...new Set(text.match(/\b[a-z]{1,40}\b/g))];
    expect(words.length).toBeGreaterThan(5000);
    expect(words.map(porterStem)).toEqual(sqliteStems(words));
  });

  it('stems any letters as SQLite does', () => {
    const part = fc.constantFrom(
      ...'ational tional enci izer bli alli ousli ization ator iveness biliti logi icate ness ical'.split(' '),
      ...'ance er able ement ent ion sion tion ou ism ate ous ize eed ed ing ies sses s e ll y'.split(' '),
      ...'a e i o u y b l s t w x z st tr yy'.split(' '),
    );
    const word = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 200 }), (words) => {
        expect(words.map(porterStem)).toEqual(sqliteStems(words));
      }),
      { numRuns: 100 },
    );
  });
});
