import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyzeDocument, analyzeQuery } from '../../src/analysis/analyze.js';
import { estimateTokens } from '../../src/embed/estimate-tokens.js';
import type { ChunkMetadata } from '../../src/rag/chunking/chunk-documents.js';
import { Retriever } from '../../src/rag/retriever.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import { SnippetMaker, type SnippetSettings } from '../../src/snippets/snippet-maker.js';
import type { Snippet } from '../../src/types.js';
import '../property-seed.js';

const termsOf = (text: string): Iterable<string> => analyzeDocument(text).terms.keys();
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** `SNIPPET_RUNS=1000` for more. */
const numRuns = Number(process.env.SNIPPET_RUNS ?? 150);

function maker(query: string, settings: Partial<SnippetSettings> = {}): SnippetMaker {
  return new SnippetMaker(
    {
      terms: analyzeQuery(query).terms.map((term) => ({ forms: [term], weight: 1 })),
      termsOf,
      similarityOf: undefined,
    },
    { maxTokens: 64, highlight: ['[', ']'], countTokens: estimateTokens, ...settings },
  );
}

const snippetOf = (text: string, query: string, settings?: Partial<SnippetSettings>): Promise<Snippet> =>
  maker(query, settings).snippetOf(text, undefined);

/** Words in several forms and scripts, names, identifiers, composite emoji, and marks of all kinds. */
const words = [
  ...[
    'harbour',
    'harbours',
    'HARBOURS,',
    'har\u00ADbour',
    'connected',
    'connection.',
    '(connections)',
    'the',
    'night!',
  ],
  ...['addDocuments', 'max_size', 'C++', 'c++20', '10.0.0.1:80', '.NET', '$100', 'v1.2.3', 'HTTPServer2', 'a/b/c'],
  ...[
    '東京都',
    '東京で会いましょう。',
    '京都の寺',
    'สวัสดีครับ',
    '안녕하세요',
    'मेरा नमस्ते',
    'Ба\u0301йкал',
    'байкал',
    'йод',
  ],
  ...['cafe\u0301', 'café', 'ﬁsh', 'Straße', 'STRASSE', 'x\u0301\u0302\u0303', '\u0301mark', '\u0600٣', '½', '10²'],
  ...['👩‍🚀', '🇩🇪🇫🇷', '👍🏽', '❤️', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🙂🙂', '--------', '…', '\uFEFFquiet', 'e\u200Dz', `z${'\u0300'.repeat(40)}`],
  ...['x'.repeat(90), '字'.repeat(70), 'https://example.com/harbour/at-night?q=tokyo&lang=ja'],
];
const gaps = [' ', ' ', ' ', '. ', '\n', '\n\n', '\r\n', '  ', '\u00A0', '\t'];
const document = fc
  .array(fc.tuple(fc.constantFrom(...words), fc.constantFrom(...gaps)), { minLength: 1, maxLength: 120 })
  .map((parts) => parts.flat().join(''));
const query = fc
  .array(fc.constantFrom(...words, 'tokyo', '東京', '京都', '寺', 'connect', 'documents', 'size', 'english'), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) => parts.join(' '));

describe('snippet', () => {
  it('stays in its budget, on boundaries of graphemes, and marks matches and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(document, query, fc.integer({ min: 1, max: 80 }), async (text, asked, maxTokens) => {
        const snippet = await snippetOf(text, asked, { maxTokens });
        const { start, end, ranges } = snippet;
        expect(snippet.text).toBe(text.slice(start, end));
        expect(estimateTokens(snippet.text)).toBeLessThanOrEqual(maxTokens);
        const boundaries = new Set([...graphemes.segment(text)].map(({ index }) => index)).add(text.length);
        expect(
          [start, end, ...ranges.flatMap((range) => [range.start, range.end])].filter((at) => !boundaries.has(at)),
        ).toEqual([]);
        const terms = new Set(analyzeQuery(asked).terms);
        const found = new Set<string>();
        let before = start;
        for (const range of ranges) {
          expect(range.start).toBeGreaterThanOrEqual(before);
          expect(range.end).toBeGreaterThan(range.start);
          expect(text.slice(range.start, range.end)).toBe(snippet.text.slice(range.snippetStart, range.snippetEnd));
          const own = [...termsOf(text.slice(range.start, range.end))].filter((term) => terms.has(term));
          expect(own).not.toEqual([]);
          for (const term of own) found.add(term);
          before = range.end;
        }
        expect(before).toBeLessThanOrEqual(end);
        // Whatever of the snippet the index finds by the query is marked, unless the budget is less than a word.
        const cutsWord = /^[\p{L}\p{N}]{2}$/u.test(text.slice(end - 1, end + 1));
        const missed = [...termsOf(cutsWord ? '' : snippet.text)].filter((term) => terms.has(term) && !found.has(term));
        expect(missed).toEqual([]);
        const lines = (part: string): number => part.match(/\r\n|\n|\r/g)?.length ?? 0;
        expect([snippet.startLine, snippet.endLine]).toEqual([
          1 + lines(text.slice(0, start)),
          1 + lines(text.slice(0, end)),
        ]);
        expect(snippet.basis).toBe(ranges.length > 0 ? 'words' : 'beginning');
      }),
      { numRuns },
    );
  });

  it('prefers windows with more, rarer and neighboring words', async () => {
    const filler = 'Nothing of interest happens here. '.repeat(20);
    const text = `A harbour. ${filler}The quiet harbour at night. ${filler}Harbour, harbour and harbour. ${filler}`;
    const snippet = await snippetOf(text, 'quiet harbour', { maxTokens: 12 });
    expect(snippet.highlighted).toContain('The [quiet] [harbour] at night.');
    expect(snippet.start).toBe(text.indexOf('The quiet'));
  });

  it('highlights forms of words, identifiers, names, pairs of letters and emoji', async () => {
    const highlighted = async (text: string, query: string) => (await snippetOf(text, query)).highlighted;
    expect(await highlighted('We connected the pools.', 'connection pool')).toBe('We [connected] the [pools].');
    expect(await highlighted('call getConnection(max_size)', 'connections size')).toBe(
      'call get[Connection](max_[size])',
    );
    expect(await highlighted('C++20, C and C#', 'c++')).toBe('[C++]20, [C] and [C]#');
    expect(await highlighted('東京都の夜', '東京')).toBe('[東京]都の夜');
    expect(await highlighted('Cafe\u0301 👩‍🚀!', 'café 👩‍🚀')).toBe('[Cafe\u0301] [👩‍🚀]!');
    expect(await highlighted('The har\u00ADbour', 'harbour')).toBe('The [har\u00ADbour]');
  });

  it('never exceeds the budget of a tokenizer that counts more than words', async () => {
    const countTokens = (text: string): number => text.length;
    const text = 'A quiet harbour. '.repeat(30);
    const snippet = await snippetOf(text, 'harbour', { maxTokens: 21, countTokens });
    expect(snippet.text.length).toBeLessThanOrEqual(21);
    expect(snippet.ranges).toHaveLength(1);
  });

  it('reads a long text in linear time', { timeout: 60_000 }, async () => {
    const text = `${'The fox crossed a field, and then another one. '.repeat(20_000)}A walrus sings. ${'東京都'.repeat(100_000)}`;
    const { user } = process.cpuUsage();
    const snippet = await snippetOf(text, 'walrus singing');
    expect(snippet.highlighted).toContain('A [walrus] [sings].');
    expect((process.cpuUsage().user - user) / 1000).toBeLessThan(4000);
    const controller = new AbortController();
    setImmediate(() => controller.abort(new Error('enough')));
    await expect(maker('walrus').snippetOf(text, controller.signal)).rejects.toThrow('enough');
  });
});

describe('search with snippets', () => {
  const filler = 'Invoices are sent at the end of each month by the accounting team. '.repeat(12);
  const text = `${filler}\n\nThe kitten sleeps on a warm pillow.\n\n${filler}`;
  let index: SemanticIndex<ChunkMetadata>;
  beforeAll(async () => {
    index = await SemanticIndex.open(':memory:');
    await index.addDocuments([{ id: 'a', text }, 'The harbour is quiet at night.']);
  });
  afterAll(() => index.close());

  it('adds nothing unless asked to', async () => {
    const { hits } = await index.search('kitten');
    expect(hits.some((hit) => 'snippet' in hit)).toBe(false);
  });

  it('finds the nearest window by meaning where no word occurs', async () => {
    const { hits, explanation } = await index.search('cats', { snippet: { maxTokens: 12 }, explain: true });
    expect(hits.find(({ id }) => id === 'a')?.snippet).toMatchObject({
      basis: 'meaning',
      text: 'The kitten sleeps on a warm pillow.',
      startLine: 3,
      endLine: 3,
    });
    expect(explanation?.milliseconds.snippet).toBeGreaterThan(0);
    const vectors = await index.getVectors(['a']);
    const byVector = await index.search(vectors[0] as Float32Array, { snippet: true, k: 1 });
    expect(byVector.hits[0]?.snippet).toMatchObject({ basis: 'meaning' });
    const byId = await index.search({ id: 'a' }, { snippet: true, k: 1 });
    expect(byId.hits[0]?.snippet).toMatchObject({
      basis: 'beginning',
      ranges: [],
      text: 'The harbour is quiet at night.',
    });
  });

  it('finds words as the language of each document inflects them', async () => {
    await using german = await SemanticIndex.open(':memory:', { language: 'auto' });
    await german.addDocuments([
      'Die alten Häuser am Hafen wurden im letzten Jahr verkauft, und die Stadt hat mit dem Geld eine neue Schule gebaut.',
      'The old houses of the harbour were sold last year, and the town has built a new school with the money.',
    ]);
    const { hits } = await german.search('das Haus und houses', { snippet: true });
    const marked = hits.flatMap(({ snippet }) => snippet?.highlighted.match(/\*\*.*?\*\*/g) ?? []);
    expect(marked.sort()).toEqual(['**Häuser**', '**houses**']);
  });

  it('gives the passages of a retriever their snippets', async () => {
    const { passages } = await new Retriever(index, { snippet: { maxTokens: 12 } }).retrieve('kitten');
    expect(passages[0]?.snippets).toMatchObject([{ id: 'a', highlighted: 'The **kitten** sleeps on a warm pillow.' }]);
    const bare = await new Retriever(index).retrieve('kitten');
    expect(bare.passages[0]).not.toHaveProperty('snippets');
  });

  it.each([
    [{ snippet: 1 }, 'INVALID_ARGUMENT', 'expected true or an object as snippet, got 1'],
    [{ snippet: { maxTokens: 0 } }, 'INVALID_ARGUMENT', 'snippet.maxTokens'],
    [{ snippet: { highlight: ['<b>'] } }, 'INVALID_ARGUMENT', 'snippet.highlight'],
    [{ snippet: { tokens: 5 } }, 'UNKNOWN_OPTION', 'tokens'],
  ])('refuses %j', async (options, code, message) => {
    await expect(index.search('x', options as never)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });
});
