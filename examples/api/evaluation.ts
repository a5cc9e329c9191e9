// Examples of docs/api/evaluation.md. scripts/api-pages.mjs copies each part into the page; a test compares the output.
import { writeFileSync } from 'node:fs';
import { adviseMinScore, plotEvaluation, questionsFrom, readQuestions, SemanticIndex } from 'semantic-index';

await using index = await SemanticIndex.open(':memory:');
await index.addDocuments([
  { id: 'returns', text: 'Send the parcel back within 30 days and we refund the price.' },
  { id: 'delivery', text: 'Orders leave our warehouse the next morning.' },
  { id: 'warranty', text: 'Lamps are repaired free of charge for two years.' },
]);
writeFileSync('topics.tsv', '1\tCan I get my money back?\n2\tMy lamp is broken\n3\tDo you sell tea?\n');
writeFileSync('qrels.txt', '1 0 returns 1\n2 0 warranty 1\n');

//# readQuestions
const { questions, unjudged } = await readQuestions('topics.tsv', { qrels: 'qrels.txt' });
console.log(questions.length, unjudged); // => 2 [ '3' ]
const { variants, comparisons } = await index.evaluate(questions, {
  k: 2,
  compare: [{ mode: 'hybrid' }, { mode: 'text' }],
});
console.log(variants[0]?.measures.recall.mean, comparisons[0]?.winner); // => 1 undefined
//# questionsFrom
const proposed = await questionsFrom(index.documents(), { count: 2 });
console.log(proposed.questions.length); // => 2
//# adviseMinScore
const { minScore, kept } = await adviseMinScore(index, questions, { unanswerable: ['Who composed Carmen?'] });
const nothing = await index.search('Who composed Carmen?', { minScore });
console.log(kept, nothing.hits.length); // => 1 0
//# plotEvaluation
const svg = await plotEvaluation(await index.evaluate(questions));
console.log(svg.startsWith('<svg')); // => true
