import { describe, expect, it } from 'vitest';
import { Catalog } from '../../src/store/catalog.js';
import { queryWordsOf, wordsOf } from '../../src/store/words.js';

describe('wordsOf', () => {
  it.each<[string, string[]]>([
    ['Hello, world!', ['Hello', 'world']],
    ['addDocuments max_size', ['addDocuments', 'add', 'Documents', 'maxsize', 'max', 'size']],
    ['HTTPServer2', ['HTTPServer2', 'HTTP', 'Server', '2']],
    ['向量数据库', ['向量', '量数', '数据', '据库']],
    ['猫', ['猫']],
    ['プログラム', ['プロ', 'ログ', 'グラ', 'ラム']],
    ['데이터', ['데이', '이터']],
    ['用SQLite存储', ['用', 'SQLite', 'SQ', 'Lite', '存储']],
    ['ﬁne', ['fine']],
    ['"); DROP TABLE', ['DROP', 'TABLE']],
    ['…', []],
  ])('cuts %s', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it('leaves out function words of a question unless there are no others', () => {
    expect(queryWordsOf('What is the capital of France?')).toEqual(['capital', 'France']);
    expect(queryWordsOf('to be or not to be')).toEqual(['to', 'be', 'or', 'not', 'to', 'be']);
  });
});

describe('search by words', () => {
  const texts = {
    en: 'The quick brown foxes were running over lazy dogs',
    zh: '向量数据库可以按照语义搜索文档',
    ja: 'ベクトル検索は意味の近い文書を見つけます',
    ko: '벡터 데이터베이스는 의미로 문서를 검색합니다',
    code: 'call index.addDocuments(texts) before searching',
  };
  const catalog = Catalog.open({ path: ':memory:', readonly: false, durability: 'process', busyTimeout: 0 });
  catalog.initialize('angular');
  const space = catalog.chooseSpace('test', 1, null);
  const hashes = Object.keys(texts).map((id) => Buffer.from(id.padEnd(16)).toString('base64url'));
  const vectors = catalog.vectors.put(space.space, 'document', hashes, new Float32Array(hashes.length).fill(1));
  catalog.documents.commit(
    Object.entries(texts).map(([id, text], n) => ({ id, text, hash: hashes[n]!, metadata: null, vector: vectors[n]! })),
  );
  const find = (query: string): unknown[] =>
    catalog.documents.byKeys([...catalog.texts.search(query, 10).keys]).map((document) => document?.id);

  it.each<[string, string]>([
    ['fox runs', 'en'],
    ['数据库', 'zh'],
    ['语义', 'zh'],
    ['検索', 'ja'],
    ['文書', 'ja'],
    ['데이터베이스', 'ko'],
    ['검색', 'ko'],
    ['documents add', 'code'],
    ['adddocuments', 'code'],
  ])('finds %s', (query, id) => {
    expect(find(query)[0]).toBe(id);
  });

  it('takes everything in a query for a word', () => {
    for (const query of [
      '"',
      '" OR *',
      'NEAR(a b)',
      'text:fox',
      'fox*',
      '^fox',
      '-fox',
      'a AND',
      ')(',
      "'; DROP TABLE words; --",
    ]) {
      expect(() => find(query)).not.toThrow();
    }
    expect(find('"" OR *')).toEqual([]);
  });

  it('forgets the words of a deleted document', () => {
    expect(find('lazy')).toEqual(['en']);
    catalog.documents.deleteByIds(['en']);
    expect(find('lazy')).toEqual([]);
  });
});
