// What a cross-encoder adds to a search: nDCG@10 and time with and without it, on questions that it was not trained on.
// Run: npx tsx bench/rerank.ts DATA MODEL [--every 10], where DATA holds eval/squad and eval/cisi, and MODEL is a folder with an ONNX
// cross-encoder, such as the one that models/training/reranker makes.
import { type Rerank, SemanticIndex, transformersReranker } from 'semantic-index';
import { benchFlags } from './flags.js';
import { quantile } from './quantile.js';
import { cisi, squad } from './search/judged-sets.js';

const flags = benchFlags(
  'Compares rerankers by what people judged relevant. DATA holds eval/squad and eval/cisi, MODEL a cross-encoder.',
  {
    every: [10, 'of so many questions of SQuAD one is asked'],
    offset: [0, 'the first of these questions'],
    depth: [20, 'hits that are reranked'],
    weight: [0.06, 'share of the score of the cross-encoder'],
    budgets: ['50,150,400', 'milliseconds that reranking may take, separated by commas'],
    asked: [60, 'questions of each set that are asked with each budget'],
  },
  { operands: 'DATA MODEL' },
);
const [data = '', model = ''] = flags.operands;
const rerank = transformersReranker({ model });
const signed = (number: number): string => `${number < 0 ? '' : '+'}${number.toFixed(4)}`;
try {
  console.log(
    '| set | reranker | nDCG@10 | recall@10 | ms/query | difference | interval | p |\n|---|---|---|---|---|---|---|---|',
  );
  for (const set of [squad(data, flags.every, flags.offset), cisi(data)]) {
    await using index = await SemanticIndex.open(':memory:');
    await index.addDocuments(set.documents);
    const { variants, comparisons } = await index.evaluate(set.questions, {
      compare: [
        { name: 'none' },
        { name: 'tokens', rerank: 'tokens' },
        { name: 'cross-encoder', rerank, rerankDepth: flags.depth, rerankWeight: flags.weight },
      ],
    });
    for (const [place, { name, measures, milliseconds }] of variants.entries()) {
      const comparison = comparisons[place - 1];
      const difference =
        comparison === undefined
          ? ' | | '
          : `${signed(comparison.difference.mean)} | ${signed(comparison.difference.low)} to ${signed(comparison.difference.high)} | ${comparison.p.toFixed(4)}`;
      const figures = [measures.ndcg.mean.toFixed(4), measures.recall.mean.toFixed(4), milliseconds.toFixed(1)];
      console.log(`| ${set.name} | ${name} | ${figures.join(' | ')} | ${difference} |`);
    }
    for (const budget of flags.budgets.split(',').map(Number)) {
      const times: number[] = [];
      let [judged, within, cut] = [0, 0, 0];
      for (const { query } of set.questions.slice(0, flags.asked)) {
        let spent = 0;
        const timed: Rerank = async (...asked) => {
          const began = performance.now();
          const scores = await rerank(...asked);
          spent += performance.now() - began;
          return scores;
        };
        const { reranked } = await index.search(query as string, {
          rerank: timed,
          rerankDepth: 50,
          rerankBudget: budget,
        });
        times.push(spent);
        judged += reranked?.judged ?? 0;
        if (spent <= 1.2 * budget) within++;
        if ((reranked?.judged ?? 0) < 50) cut++;
      }
      const at = (share: number): string => quantile(times, share).toFixed(0);
      console.log(
        `${set.name}, budget ${budget} ms: p50 ${at(0.5)}, p95 ${at(0.95)}, longest ${at(1)} ms, ${within} of ${times.length} within 1.2 times; ` +
          `${(judged / times.length).toFixed(1)} of 50 judged, ${cut} searches cut short`,
      );
    }
  }
} finally {
  await rerank.close();
}
