// How well words find documents in several languages: npx tsx bench/languages.ts --help
import { type JudgedQuestion, SemanticIndex } from 'semantic-index';
import { measuresOf } from '../src/operations/evaluate/measures.js';
import { bootstrap, randomizationTest } from '../src/operations/evaluate/resampling.js';
import { Random } from '../src/random.js';
import { benchFlags } from './flags.js';
import { cisi, medicalAnswers, squad, type TestSet } from './search/judged-sets.js';
import { manualPages } from './search/manual-pages.js';
import { porterRanking } from './search/porter-search.js';

const flags = benchFlags(
  `Compares searches by text with the analysis of a language to those of SQLite's FTS5 with Porter's stemmer and BM25, which is made for
English: nDCG@10 of both, with the interval of the difference and the p of the paired test. Beside them: searches by text with the analysis
of English, and hybrid ones and those by vector.

Manual pages: the translated pages of Debian, in the order of their names. The description of a page in its NAME section is the question,
the rest of it, up to 6,000 characters, the document. Of pages with the same description the first is taken; pages with less than 200
characters, or a description of one word, are left out. PAGES is a folder with the unpacked packages:
    apt-get download manpages-de manpages-fr manpages-es manpages-ru
    for f in manpages-*.deb; do dpkg-deb -x $f PAGES; done
English: SQuAD 1.1 dev (every so many-th question, all paragraphs), CISI (all judged queries), and MedQuAD (the first answers of
medical questions, which name what they ask about).`,
  {
    languages: ['de,fr,es,ru', 'languages of the pages'],
    most: [1000, 'most pages, and medical questions'],
    data: [
      undefined,
      'folder with eval/squad, eval/cisi and train/medquad.jsonl for the English sets; none without it',
    ],
    every: [10, 'of so many questions of SQuAD one is asked'],
  },
  { operands: 'PAGES' },
);
const [folder = ''] = flags.operands;
const k = 10;
const signed = (number: number): string => `${number < 0 ? '' : '+'}${number.toFixed(4)}`;

/** nDCG of each question by Porter's stemmer. */
function porterValues(set: TestSet): number[] {
  return porterRanking(set, k).map((found, place) => {
    const { relevant } = set.questions[place] as JudgedQuestion;
    const grades = new Map(Array.isArray(relevant) ? relevant.map((id) => [id, 1]) : (relevant as Map<string, number>));
    return measuresOf(found, grades, k).ndcg;
  });
}

console.log(
  '| set | questions | Porter (FTS5) | own analysis | difference | interval | p | English analysis | hybrid | vector |\n' +
    '|---|---|---|---|---|---|---|---|---|---|',
);
async function measure(set: TestSet, language: string): Promise<void> {
  const porter = porterValues(set);
  const measured = async (code: string, compared: readonly ('text' | 'hybrid' | 'vector')[]) => {
    await using index = await SemanticIndex.open(':memory:', { language: code });
    await index.addDocuments(set.documents);
    const compare = compared.map((mode) => ({ name: mode, mode }));
    return (await index.evaluate(set.questions, { k, compare })).variants;
  };
  const [text, hybrid, vector] = await measured(language, ['text', 'hybrid', 'vector']);
  const [english] = language === 'en' ? [text] : await measured('en', ['text']);
  const differences = (text?.questions ?? []).map(({ measures }, place) => measures.ndcg - (porter[place] as number));
  const resampling = { resamples: 2000, confidence: 0.95, signal: undefined };
  const { mean, low, high } = await bootstrap(differences, new Random(0), resampling);
  const p = await randomizationTest(differences, new Random(0), resampling);
  const figure = (of: typeof text): string => of?.measures.ndcg.mean.toFixed(4) ?? '';
  const reference = (porter.reduce((sum, one) => sum + one, 0) / porter.length).toFixed(4);
  console.log(
    `| ${set.name} | ${set.questions.length} | ${reference} | ${figure(text)} | ${signed(mean)} | ${signed(low)} to ${signed(high)} | ` +
      `${p.toFixed(4)} | ${figure(english)} | ${figure(hybrid)} | ${figure(vector)} |`,
  );
}

for (const language of flags.languages.split(',')) await measure(manualPages(folder, language, flags.most), language);
if (flags.data !== undefined) {
  for (const set of [squad(flags.data, flags.every), cisi(flags.data), medicalAnswers(flags.data, flags.most)]) {
    await measure(set, 'en');
  }
}
