// What `evaluate` says about SQuAD and CISI: npx tsx bench/evaluate.ts --help
import { type EvaluateVariant, SemanticIndex } from 'semantic-index';
import { benchFlags } from './flags.js';
import { cisi, squad } from './search/judged-sets.js';

const flags = benchFlags(
  `Compares hybrid searches with searches by vector and by text on SQuAD 1.1 dev and CISI, with the interval of the difference and the p of
the paired test. Then fits the hybrid weight, and that of reranking by tokens, on every second question, and asks the others before and
after: as the index searches then, and in rows with a rerankWeight with rerank 'tokens'.`,
  { every: [10, 'of so many questions of SQuAD one is asked'] },
  { operands: 'DATA', notes: 'DATA holds eval/squad and eval/cisi.' },
);
const [data = ''] = flags.operands;
const signed = (number: number): string => `${number < 0 ? '' : '+'}${number.toFixed(4)}`;

console.log('| set | questions | compared | nDCG@10 | against hybrid | interval | p |\n|---|---|---|---|---|---|---|');
const fits: string[] = [];
for (const set of [squad(data, flags.every), cisi(data)]) {
  await using index = await SemanticIndex.open(':memory:');
  await index.addDocuments(set.documents);
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
  const half = set.questions.filter((_, place) => place % 2 === 0);
  const others = set.questions.filter((_, place) => place % 2 === 1);
  const ndcgOf = async (options: EvaluateVariant): Promise<number> => {
    const [only] = (await index.evaluate(others, { compare: [options] })).variants;
    return only?.measures.ndcg.mean ?? Number.NaN;
  };
  const before = await ndcgOf({});
  for (const fit of [true, 'rerank'] as const) {
    const { fitted } = await index.evaluate(half, { fit });
    if (fitted === undefined) throw new Error('nothing was fitted');
    const { vectorWeight, rerankWeight, gain, p, kept } = fitted;
    const after = await ndcgOf(fit === 'rerank' ? { rerank: 'tokens' } : {});
    const weights = `vectorWeight ${vectorWeight.toFixed(2)}${rerankWeight === undefined ? '' : `, rerankWeight ${rerankWeight.toFixed(2)}`}`;
    fits.push(
      `| ${set.name} | ${weights} | ${signed(gain.mean)} | ${signed(gain.low)} to ${signed(gain.high)} | ${p.toFixed(4)} | ` +
        `${kept ? 'yes' : 'no'} | ${before.toFixed(4)} | ${after.toFixed(4)} |`,
    );
  }
}
console.log(
  '\n| set | fitted on every second question | gain, cross-validated | interval | p | kept | nDCG@10 of the others before | after |\n' +
    `|---|---|---|---|---|---|---|---|\n${fits.join('\n')}`,
);
