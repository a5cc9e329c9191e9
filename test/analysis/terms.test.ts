import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queryTermsOf, termsOf } from '../../src/analysis/terms.js';
import { SemanticIndex } from '../../src/index.js';
import { deterministicProvider } from '../../src/testing.js';
import { randomText as text } from './random-text.js';
import { referenceWords } from './reference-words.js';

describe('termsOf', () => {
  it.each<[string, string[]]>([
    ['Hello, world!', ['hello', 'world']],
    ['addDocuments max_size', ['adddocuments', 'add', 'documents', 'maxsize', 'max', 'size']],
    ['HTTPServer2', ['httpserver2', 'http', 'server', '2']],
    ['数据库', ['数', '据', '数据', '库', '据库']],
    ['猫', ['猫']],
    ['グラム', ['グ', 'ラ', 'グラ', 'ム', 'ラム']],
    ['用SQLite', ['用', 'sqlite', 'sq', 'lite']],
    ['ﬁne', ['fine']],
    ['"); DROP TABLE', ['drop', 'table']],
    ['…', []],
    ['C++, C# (and .NET).', ['c', 'c++', 'c', 'c#', 'and', 'net', '.net']],
    ['net/.NET', ['net', 'net', 'net/.net', '.net']],
    ['1.2.3', ['1', '2', '3', '1.2.3']],
    ['v1.2', ['v1', 'v', '1', '2', 'v1.2', '1.2']],
    ['10.0.0.1:80', ['10', '0', '0', '1', '80', '10.0.0.1:80', '10.0.0.1']],
    ['C++20', ['c', '20', 'c++20', 'c++']],
    ['$100, −5 %', ['$', '100', '$100', '5', '-5']],
    ['AT&T @ada #tag', ['at', 't', 'at&t', 'ada', '@ada', 'tag', '#tag']],
    ['**bold** A*', ['bold', 'a', 'a*']],
    ['Straße STRAẞE Łódź', ['strasse', 'strasse', 'lodz']],
    ['كِتَابٌ שָׁלוֹם Αθήνα', ['كتاب', 'שלום', 'αθηνα']],
    ['Ǣ ǿ', ['ae', 'o']],
    ['зелёный мой за́мок', ['зеленый', 'мой', 'замок']],
    ['हिन्दी', ['हिन्दी']],
    ['🍐 € →→→', ['🍐', '€', '→']],
    ['👩🏽‍💻 🇩🇪 ❤️', ['👩🏽‍💻', '👩', '💻', '🇩🇪', '❤']],
    ['10² is not 102; 1½', ['10', '2', 'is', 'not', '102', '1', '1', '2', '1/2']],
  ])('gives %j as %j', (text, terms) => {
    expect(termsOf(text)).toEqual(terms);
  });

  it('keeps the parts of long names, and the whole as a hash', () => {
    const name = 'test_a_visitor_is_sent_to_the_login_page_when_the_session_has_expired_and_was_closed';
    const [whole, ...parts] = termsOf(name);
    expect(whole).toMatch(/^\uE000[0-9a-f]{16}$/);
    expect(parts).toEqual(name.split('_'));
    expect(termsOf(`${name}x`)[0]).not.toBe(whole);
    expect(termsOf('x'.repeat(7_000_000))).toHaveLength(1);
  });

  it('analyzes text of 200,000 marks without delay', () => {
    expect(termsOf(`a${'\u0301\u0323'.repeat(100_000)}`)).toEqual(['a']);
  });

  it('drops stop words of a question unless there are no other terms', () => {
    expect(queryTermsOf('What is the capital of France?')).toEqual(['capital', 'france']);
    expect(queryTermsOf('to be or not to be')).toEqual(['to', 'be', 'or', 'not', 'to', 'be']);
    expect(queryTermsOf('数据库')).toEqual(['数据', '据库']);
    expect(queryTermsOf('1.2')).toEqual(['1', '2', '1.2', '1.2']);
  });
});

const plainWord = /^[\p{L}\p{N}\p{M}]+$/u;

describe('terms of random Unicode', () => {
  it('hold the words of a slow reference, in order', () => {
    fc.assert(
      fc.property(text, (one) => {
        const words = termsOf(one).filter((term) => plainWord.test(term));
        expect(words).toEqual(referenceWords(one).filter((word) => plainWord.test(word)));
      }),
      { numRuns: 2000 },
    );
  });

  it('hold every term of the same text as a query', () => {
    fc.assert(
      fc.property(text, (one) => {
        const terms = new Set(termsOf(one));
        expect(queryTermsOf(one).filter((term) => !terms.has(term))).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it('do not depend on characters that do not show', () => {
    const letters = fc.array(fc.constantFrom('a', 'B', 'é', 'ж', 'م', '猫', '1', '.', ' '), { maxLength: 16 });
    const gap = fc.constantFrom('', '\u00AD', '\u200B', '\u200C', '\u2060', '\uFEFF', '\u200E', '\uFE0F');
    fc.assert(
      fc.property(letters, fc.array(gap, { minLength: 16, maxLength: 16 }), (list, gaps) => {
        expect(termsOf(list.map((letter, at) => letter + gaps[at]).join(''))).toEqual(termsOf(list.join('')));
      }),
      { numRuns: 1000 },
    );
  });

  it('are the same whether a text is ASCII only or not', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), (one) => {
        expect(termsOf(`${one} é`)).toEqual([...termsOf(one), 'e']);
      }),
      { numRuns: 1000 },
    );
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
  let index: SemanticIndex;
  beforeAll(async () => {
    index = await SemanticIndex.open(':memory:', { provider: deterministicProvider() });
    await index.addDocuments(Object.entries(texts).map(([id, text]) => ({ id, text })));
  });
  afterAll(() => index.close());
  const find = async (query: string): Promise<unknown[]> =>
    (await index.search(query, { mode: 'text' })).hits.map(({ id }) => id);

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
    ['据', 'zh'],
    ['近', 'ja'],
  ])('finds %s', async (query, id) => {
    expect((await find(query))[0]).toBe(id);
  });

  it('treats everything in a query as a term', async () => {
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
      await expect(find(query)).resolves.toBeDefined();
    }
    expect(await find('"" OR *')).toEqual([]);
  });

  it('does not find a deleted document', async () => {
    expect(await find('lazy')).toEqual(['en']);
    await index.deleteDocuments(['en']);
    expect(await find('lazy')).toEqual([]);
  });
});
