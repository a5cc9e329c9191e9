// Whether snippets keep what they promise, and how they look: npx tsx bench/snippets.ts --help
import { SemanticIndex } from 'semantic-index';
import { analyzeDocument, analyzeQuery } from '../dist/analysis/analyze.js';
import { estimateTokens } from '../dist/embed/estimate-tokens.js';
import { Random } from '../src/random.js';
import { benchFlags } from './flags.js';
import { squad } from './search/judged-sets.js';

const flags = benchFlags(
  `Asks for snippets of paragraphs of SQuAD 1.1 dev with budgets at random, and counts those that exceed the budget, mark what is not a match,
or cut a grapheme. Some of the texts have emoji, combining marks and other scripts put between their words. Then prints some.`,
  {
    snippets: [1_000, 'snippets, at least'],
    shown: [10, 'of them that are printed'],
    seed: [1, 'of the random choices'],
  },
  { operands: 'DATA', notes: 'DATA holds eval/squad.' },
);
const [data = ''] = flags.operands;
const random = new Random(flags.seed);
const set = squad(data, 5);
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const between = ['👩‍🚀', '🇩🇪🇫🇷', 'e\u0301te\u0301', '東京都', 'สวัสดี', 'नमस्ते', '👍🏽', '\u00ad', 'ﬁn', '10²'];
const documents = set.documents.map(({ id, text }) => ({
  id,
  text: random.chance(0.5)
    ? text
    : text
        .split(' ')
        .flatMap((word) => (random.chance(0.1) ? [word, random.pick(between)] : [word]))
        .join(' '),
}));
await using index = await SemanticIndex.open(':memory:');
await index.addDocuments(documents);

const found = { snippets: 0, ranges: 0, 'over budget': 0, 'wrong ranges': 0, 'broken graphemes': 0 };
const shown: string[] = [];
while (found.snippets < flags.snippets) {
  const { query } = random.pick(set.questions);
  const maxTokens = 8 + random.integer(60);
  const terms = new Set(analyzeQuery(query as string).terms);
  const { hits } = await index.search(query, { k: 3, typos: false, snippet: { maxTokens, highlight: ['[', ']'] } });
  for (const { text, snippet } of hits) {
    if (snippet === undefined) continue;
    found.snippets++;
    const { start, end, ranges } = snippet;
    if (estimateTokens(snippet.text) > maxTokens || snippet.text !== text.slice(start, end)) found['over budget']++;
    const boundaries = new Set(Array.from(graphemes.segment(text), (segment) => segment.index)).add(text.length);
    if ([start, end, ...ranges.flatMap((range) => [range.start, range.end])].some((at) => !boundaries.has(at))) {
      found['broken graphemes']++;
    }
    for (const range of ranges) {
      found.ranges++;
      const own = analyzeDocument(text.slice(range.start, range.end)).terms.keys();
      if (![...own].some((term) => terms.has(term))) found['wrong ranges']++;
    }
    if (shown.length < flags.shown && random.chance(0.1)) {
      shown.push(`${query} (at most ${maxTokens} tokens)\n  ${snippet.highlighted?.replaceAll('\n', ' ')}`);
    }
  }
}
console.log(
  Object.entries(found)
    .map(([name, count]) => `${count} ${name}`)
    .join(', '),
);
console.log(`\n${shown.join('\n\n')}`);
const { 'over budget': over, 'wrong ranges': wrong, 'broken graphemes': broken } = found;
process.exit(over + wrong + broken === 0 ? 0 : 1);
