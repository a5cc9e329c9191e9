// What a cross-encoder adds to a search: nDCG@10 and time with and without it, on questions that it was not trained on.
// Run: npx tsx bench/rerank.ts DATA MODEL [--every 10], where DATA holds eval/squad and eval/cisi, and MODEL is a folder with an ONNX
// cross-encoder, such as the one that models/training/reranker makes.
import { SemanticIndex, transformersReranker } from 'semantic-index';
import { benchFlags } from './flags.js';
import { cisi, squad } from './search/judged-sets.js';

const flags = benchFlags(
  'Compares rerankers by what people judged relevant. DATA holds eval/squad and eval/cisi, MODEL a cross-encoder.',
  {
    every: [10, 'of so many questions of SQuAD one is asked'],
    offset: [0, 'the first of these questions'],
    depth: [20, 'hits that are reranked'],
    weight: [0.06, 'share of the score of the cross-encoder'],
    budget: [150, 'milliseconds of the search with a budget'],
  },
  { operands: 'DATA MODEL' },
);
const [data = '', model = ''] = flags.operands;
const rerank = transformersReranker({ model });
try {
  console.log('| set | reranker | nDCG@10 | recall@10 | ms/query | difference | p |\n|---|---|---|---|---|---|---|');
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
        comparison === undefined ? ' | ' : `${comparison.difference.mean.toFixed(4)} | ${comparison.p.toFixed(4)}`;
      const figures = [measures.ndcg.mean.toFixed(4), measures.recall.mean.toFixed(4), milliseconds.toFixed(1)];
      console.log(`| ${set.name} | ${name} | ${figures.join(' | ')} | ${difference} |`);
    }
    const times: { milliseconds: number; judged: number }[] = [];
    for (const { query } of set.questions.slice(0, 60)) {
      const began = performance.now();
      const { reranked } = await index.search(query as string, { rerank, rerankDepth: 50, rerankBudget: flags.budget });
      times.push({ milliseconds: performance.now() - began, judged: reranked?.judged ?? 0 });
    }
    times.sort((a, b) => a.milliseconds - b.milliseconds);
    const at = (share: number): string => (times[Math.floor(share * (times.length - 1))]?.milliseconds ?? 0).toFixed(0);
    const judged = times.reduce((sum, time) => sum + time.judged, 0) / times.length;
    console.log(
      `${set.name}, budget ${flags.budget} ms: p50 ${at(0.5)}, p95 ${at(0.95)}, longest ${at(1)} ms; ${judged.toFixed(1)} of 50 judged`,
    );
  }
} finally {
  await rerank.close();
}
