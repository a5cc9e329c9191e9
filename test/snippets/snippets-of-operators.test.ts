import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyzeDocument, analyzeQuery } from '../../src/analysis/analyze.js';
import { Phrase } from '../../src/analysis/query/phrase.js';
import { estimateTokens } from '../../src/embed/estimate-tokens.js';
import { type SearchOptions, SemanticIndex } from '../../src/index.js';
import { Random } from '../../src/random.js';
import { deterministicProvider } from '../../src/testing.js';

const plain = 'connection connected pool pools harbour harbours the of quiet night is a it running yellow library';
const words = [
  ...plain.split(' '),
  ...[
    'Pool,',
    'C++',
    'C',
    'addDocuments',
    'state-of-the-art',
    '東京都',
    '東京で会いましょう。',
    'cafe\u0301',
    'har\u00ADbour',
  ],
  ...['👩‍🚀', '👍🏽', '(the', 'pool)', 'HTTPServer2', 'x\u0301\u0302', '½'],
];
const gaps = [' ', ' ', ' ', '. ', '\n', '\r\n', '  ', '\u00A0', ' — '];
const phrases = [
  ...[
    'connection pool',
    'of the',
    'it is a',
    'quiet harbour',
    'the pool',
    'C++ C',
    'add documents',
    '東京',
    '京都 東京',
    'the of the',
  ],
  ...['state of the art', 'harbour night', 'the yellow library is quiet'],
];
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

let index: SemanticIndex;
beforeAll(async () => {
  index = await SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions: 8 }) });
});
afterAll(() => index.close());

/** The ends of the shortest runs of words in which a phrase occurs, found by trying all. */
function occurrences(text: string, phrase: Phrase): number {
  let count = 0;
  const boundaries = [...graphemes.segment(text)].map(({ index }) => index).concat(text.length);
  for (let from = 0; from < text.length; ) {
    const end = boundaries.find((end) => end > from && phrase.isIn(text.slice(from, end)));
    if (end === undefined) break;
    count++;
    from = end;
  }
  return count;
}

describe('snippets of queries with operators', () => {
  it('mark words, prefixes and whole phrases, and nothing else, in 1,000 random texts', async () => {
    const random = new Random(5);
    const documents = Array.from({ length: 1000 }, (_, id) => ({
      id,
      text: Array.from({ length: 1 + random.integer(60) }, () => random.pick(words) + random.pick(gaps)).join(''),
    }));
    await index.addDocuments(documents);
    let [shown, ofPhrases] = [0, 0];
    while (shown < 1000) {
      const own = Array.from({ length: random.integer(3) }, () => random.pick(phrases));
      const prefix = random.chance(0.4) ? random.pick(['har', 'con', 'run', 'ye', 'libr']) : undefined;
      const word =
        own.length === 0 || random.chance(0.4) ? random.pick(['harbours', 'pool', '東京', 'connect']) : undefined;
      const query = [
        ...own.map((phrase) => `"${phrase}"`),
        ...(prefix === undefined ? [] : [`${prefix}*`]),
        word ?? '',
        '-redis',
      ].join(' ');
      const maxTokens = 1 + random.integer(50);
      const options: SearchOptions = {
        mode: random.pick(['text', 'hybrid', 'vector'] as const),
        syntax: 'operators',
        typos: false,
        k: 5,
      };
      const { hits } = await index.search(query, { ...options, snippet: { maxTokens } });
      const single = new Set(analyzeQuery(word ?? '').terms);
      const ofQuery = own.map((text) => new Phrase(text, 'en'));
      for (const { text, snippet } of hits) {
        if (snippet === undefined) throw new Error('no snippet');
        shown++;
        const { start, end, ranges } = snippet;
        const problem = `${JSON.stringify(text.slice(start, end))} for ${query}`;
        expect(snippet.text, problem).toBe(text.slice(start, end));
        expect(estimateTokens(snippet.text), problem).toBeLessThanOrEqual(maxTokens);
        const boundaries = new Set([...graphemes.segment(text)].map(({ index }) => index)).add(text.length);
        const places = [start, end, ...ranges.flatMap((range) => [range.start, range.end])];
        expect(
          places.filter((at) => !boundaries.has(at)),
          problem,
        ).toEqual([]);
        for (const range of ranges) {
          const marked = text.slice(range.start, range.end);
          const terms = [...analyzeDocument(marked).terms.keys()];
          const isWord = terms.some((term) => single.has(term) || (prefix !== undefined && term.startsWith(prefix)));
          const isPhrase = ofQuery.some((phrase) => phrase.isIn(marked));
          if (isPhrase) ofPhrases++;
          expect(isWord || isPhrase, `${marked} in ${problem}`).toBe(true);
        }
        // In a snippet of the whole text every occurrence of a phrase is marked.
        if (start > 0 || end < text.trimEnd().length || ofQuery.length !== 1) continue;
        const marked = ranges.map((range) => text.slice(range.start, range.end));
        const found = marked.reduce((sum, part) => sum + occurrences(part, ofQuery[0] as Phrase), 0);
        expect(found, `${marked} in ${problem}`).toBe(occurrences(text, ofQuery[0] as Phrase));
      }
    }
    expect(ofPhrases).toBeGreaterThan(300);
  }, 120_000);

  it('mark what was searched for', async () => {
    await using own = await SemanticIndex.open(':memory:', {
      provider: deterministicProvider({ dimensions: 8 }),
      textFields: { title: 2, body: 1 },
    });
    await own.addDocuments([
      { id: 'a', text: 'It is the case of the state: one of the configured pools is a connection pool.' },
      { id: 'b', text: { title: 'One of', body: 'the harbours, and one of the boats.' } },
      { id: 'c', text: 'Configuration of a harbour.' },
    ]);
    const marked = async (query: string, options: SearchOptions = {}): Promise<string[]> => {
      const { hits } = await own.search(query, {
        mode: 'text',
        syntax: 'operators',
        snippet: { highlight: ['[', ']'] },
        ...options,
      });
      return hits.map(({ snippet }) => snippet?.highlighted as string).sort((a, b) => a.localeCompare(b, 'en'));
    };
    expect(await marked('"one of the"', { where: {} })).toEqual([
      'It is the case of the state: [one of the] configured pools is a connection pool.',
      expect.stringMatching(/^One of\n+the harbours, and \[one of the\] boats\.$/),
    ]);
    expect(await marked('config* pool')).toEqual([
      '[Configuration] of a harbour.',
      'It is the case of the state: one of the [configured] [pools] is a connection [pool].',
    ]);
    expect(await marked('config* -boats harbuor', { syntax: 'plain' })).toContain('Configuration of a [harbour].');
    expect(await marked('harbuor -boats')).toEqual(['Configuration of a [harbour].']);
    expect(await marked('"pool is"')).toEqual([
      'It is the case of the state: one of the configured [pools is] a connection pool.',
    ]);
  });

  it('choose the window with the word that is rare in the index', async () => {
    await using own = await SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions: 8 }) });
    const filler = 'Nothing of interest happens here at all today. '.repeat(12);
    await own.addDocuments([
      { id: 'a', text: `A report appears. ${filler}The walrus, walrus and walrus. ${filler}` },
      ...Array.from({ length: 30 }, (_, number) => ({ id: number, text: `The report number ${number}.` })),
    ]);
    const { hits } = await own.search('report walrus', {
      mode: 'text',
      k: 1,
      snippet: { maxTokens: 12, highlight: ['[', ']'] },
    });
    expect(hits[0]?.snippet?.highlighted).toContain('The [walrus], [walrus] and [walrus].');
  });
});
