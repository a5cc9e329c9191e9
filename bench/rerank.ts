// What a cross-encoder adds to a search: nDCG@10 and time with and without it, on questions that it was not trained on.
// Run: npx tsx bench/rerank.ts DATA MODEL [--every 10], where DATA holds eval/squad and eval/cisi, and MODEL is a folder with an ONNX
// cross-encoder, such as the one that models/training/reranker makes.
import { type Rerank, SemanticIndex, transformersReranker } from 'semantic-index';
import { Random, sampleNumbers } from '../src/random.js';
import { benchFlags } from './flags.js';
import { quantile } from './quantile.js';
import { cisi, squad, type TestSet } from './search/judged-sets.js';

const flags = benchFlags(
  'Compares rerankers by what people judged relevant. DATA holds eval/squad and eval/cisi, MODEL a cross-encoder.',
  {
    every: [10, 'of so many questions of SQuAD one is asked'],
    offset: [0, 'the first of these questions'],
    depth: [12, 'hits that are reranked'],
    weight: [0.06, 'share of the score of the cross-encoder'],
    depths: ['8,12,20,30', 'depths that are compared, separated by commas'],
    weights: ['0.03,0.06,0.12', 'shares that are compared with each of them'],
    halves: [20, 'halves of the questions, drawn at random, that depth and share are chosen on, for the other half'],
    budgets: ['50,150,400', 'milliseconds that reranking may take, separated by commas'],
    asked: [60, 'questions of each set that are asked with each budget'],
  },
  { operands: 'DATA MODEL' },
);
const [data = '', model = ''] = flags.operands;
const rerank = transformersReranker({ model });
const signed = (number: number): string => `${number < 0 ? '' : '+'}${number.toFixed(4)}`;
const mean = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

/** Passes only texts to a reranker that it has not judged for the same query. */
function remembering(judge: Rerank): Rerank {
  const known = new Map<string, number>();
  return async (query, hits, options) => {
    const keyOf = ({ id }: { readonly id: unknown }): string => JSON.stringify([query, id]);
    const others = hits.filter((hit) => !known.has(keyOf(hit)));
    const scores = others.length === 0 ? [] : await judge(query, others, options);
    for (const [place, hit] of others.entries()) known.set(keyOf(hit), scores[place] as number);
    return hits.map((hit) => known.get(keyOf(hit)) as number);
  };
}

/** Chooses depth and share on halves of the questions, and prints what they gain on the other halves. */
async function chooseOnHalves(index: SemanticIndex, { name, questions }: TestSet): Promise<void> {
  const judge = remembering(rerank);
  const [depths, shares] = [flags.depths, flags.weights].map((list) => list.split(',').map(Number)) as [
    number[],
    number[],
  ];
  // The deepest first: it asks for what the others need.
  const options = depths
    .toSorted((left, right) => right - left)
    .flatMap((depth) => shares.map((share) => ({ depth, share })));
  const { variants } = await index.evaluate(questions, {
    resamples: 1,
    compare: [
      { name: 'none' },
      ...options.map(({ depth, share }) => ({
        name: `${depth} hits, ${share}`,
        rerank: judge,
        rerankDepth: depth,
        rerankWeight: share,
      })),
    ],
  });
  const gains = variants.map((variant) =>
    variant.questions.map(
      ({ measures }, place) => measures.ndcg - (variants[0]?.questions[place]?.measures.ndcg as number),
    ),
  );
  const onHalves = Array.from({ length: flags.halves }, (_, seed) => {
    const half = new Set(sampleNumbers(Math.floor(questions.length / 2), questions.length, new Random(seed)));
    const [own, others] = [true, false].map((isOwn) =>
      gains.map((ofVariant) => mean(ofVariant.filter((_, place) => half.has(place) === isOwn))),
    ) as [number[], number[]];
    return { chosen: own.indexOf(Math.max(...own)), others };
  });
  for (const [place, { name: variant }] of variants.entries()) {
    const others = onHalves.map((half) => half.others[place] as number);
    const chosen = onHalves.filter((half) => half.chosen === place).length;
    const figures = `${signed(mean(gains[place] as number[]))}; on halves ${signed(Math.min(...others))} to ${signed(Math.max(...others))}`;
    console.log(`${name}, ${variant}: ${figures}; chosen on ${chosen} of ${flags.halves}`);
  }
  const held = onHalves.map(({ chosen, others }) => others[chosen] as number);
  const gained = held.filter((gain) => gain > 0).length;
  console.log(
    `${name}, chosen on a half: ${signed(mean(held))} on the other one, ${signed(Math.min(...held))} to ${signed(Math.max(...held))}, above 0 on ${gained} of ${flags.halves}`,
  );
}

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
    await chooseOnHalves(index, set);
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
