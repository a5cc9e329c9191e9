// What `evaluate` says about judged sets: npx tsx bench/evaluate.ts --help
import { type EvaluateVariant, type JudgedQuestion, SemanticIndex } from 'semantic-index';
import { Random, sampleNumbers } from '../src/random.js';
import { benchFlags } from './flags.js';
import { cisi, squad, type TestSet } from './search/judged-sets.js';
import { manualPages } from './search/manual-pages.js';

const flags = benchFlags(
  `Compares hybrid searches with searches by vector and by text on SQuAD 1.1 dev, CISI and manual pages, with the interval of the difference
and the p of the paired test. Then fits weights on a half of the questions, drawn at random, and asks the other half before and after, for
several halves, each in a new index.`,
  {
    every: [10, 'of so many questions of SQuAD one is asked'],
    halves: [8, 'halves of the questions that weights are fitted on'],
    pages: [undefined, 'folder of unpacked packages manpages-*, as for bench/languages.ts'],
    languages: ['de,fr,es,ru', 'languages of these pages'],
    most: [400, 'most pages of a language'],
  },
  { operands: 'DATA', notes: 'DATA holds eval/squad and eval/cisi.' },
);
const [data = ''] = flags.operands;
const signed = (number: number): string => `${number < 0 ? '' : '+'}${number.toFixed(4)}`;
const mean = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

async function indexOf({ documents, language = 'en' }: BenchSet): Promise<SemanticIndex> {
  const index = await SemanticIndex.open(':memory:', { language });
  await index.addDocuments(documents);
  return index;
}

interface BenchSet extends TestSet {
  readonly language?: string;
}

/** Prints how modes compare. */
async function compareModes(set: BenchSet): Promise<void> {
  await using index = await indexOf(set);
  const { variants, comparisons } = await index.evaluate(set.questions, {
    compare: [{ name: 'hybrid' }, { name: 'vector', mode: 'vector' }, { name: 'text', mode: 'text' }],
  });
  for (const [place, { name, measures }] of variants.entries()) {
    const against = comparisons[place - 1];
    const cells =
      against === undefined
        ? ' | | '
        : `${signed(against.difference.mean)} | ${signed(against.difference.low)} to ${signed(against.difference.high)} | ${against.p.toFixed(4)}`;
    console.log(`| ${set.name} | ${set.questions.length} | ${name} | ${measures.ndcg.mean.toFixed(4)} | ${cells} |`);
  }
}

/** nDCG@10 of the other half before and after `fit` on one, and whether `fit` kept its weights. */
async function fitOnHalf(set: BenchSet, fit: true | 'rerank', seed: number) {
  await using index = await indexOf(set);
  const count = set.questions.length;
  const half = new Set(sampleNumbers(Math.floor(count / 2), count, new Random(seed)));
  const [own, others]: [JudgedQuestion[], JudgedQuestion[]] = [[], []];
  for (const [place, question] of set.questions.entries()) (half.has(place) ? own : others).push(question);
  const options: EvaluateVariant = fit === 'rerank' ? { rerank: 'tokens' } : {};
  const ndcg = async (): Promise<number> => {
    const [only] = (await index.evaluate(others, { compare: [options], resamples: 1 })).variants;
    return only?.measures.ndcg.mean ?? Number.NaN;
  };
  const before = await ndcg();
  const { fitted } = await index.evaluate(own, { fit });
  const after = await ndcg();
  return { before, after, promised: fitted?.gain.mean ?? Number.NaN, isKept: fitted?.kept === true };
}

const sets: BenchSet[] = [squad(data, flags.every), cisi(data)];
if (flags.pages !== undefined) {
  for (const language of flags.languages.split(',')) {
    sets.push({ ...manualPages(flags.pages, language, flags.most), language });
  }
}
console.log('| set | questions | compared | nDCG@10 | against hybrid | interval | p |\n|---|---|---|---|---|---|---|');
for (const set of sets) await compareModes(set);
console.log(
  '\n| set | fit | halves | kept | gain on a half, cross-validated | nDCG@10 of the others before | after | gain | interval | least, greatest |\n' +
    '|---|---|---|---|---|---|---|---|---|---|',
);
for (const set of sets) {
  for (const fit of [true, 'rerank'] as const) {
    const tried: Awaited<ReturnType<typeof fitOnHalf>>[] = [];
    for (let seed = 1; seed <= flags.halves; seed++) tried.push(await fitOnHalf(set, fit, seed));
    const gains = tried.map(({ before, after }) => after - before);
    const gain = mean(gains);
    const deviation = Math.sqrt(mean(gains.map((one) => (one - gain) ** 2)) / Math.max(1, gains.length - 1));
    const cells = [
      signed(mean(tried.map(({ promised }) => promised))),
      mean(tried.map(({ before }) => before)).toFixed(4),
      mean(tried.map(({ after }) => after)).toFixed(4),
      signed(gain),
      `${signed(gain - 1.96 * deviation)} to ${signed(gain + 1.96 * deviation)}`,
      `${signed(Math.min(...gains))}, ${signed(Math.max(...gains))}`,
    ];
    const kept = tried.filter(({ isKept }) => isKept).length;
    console.log(
      `| ${set.name} | ${fit === true ? 'weight' : 'rerank'} | ${flags.halves} | ${kept} | ${cells.join(' | ')} |`,
    );
  }
}
