// Examples of docs/api/frameworks.md that need @mastra/core: scripts/check-mastra.mjs runs them, and compares the output.
import { SemanticIndexVector } from 'semantic-index/mastra';

//# new SemanticIndexVector
const vectors = new SemanticIndexVector({ id: 'vectors', directory: 'vectors', open: { fields: { year: 'number' } } });
//# SemanticIndexVector.createIndex
await vectors.createIndex({ indexName: 'docs', dimension: 3, metric: 'cosine' });
//# SemanticIndexVector.upsert
const ids = await vectors.upsert({
  indexName: 'docs',
  vectors: [
    [1, 0, 0],
    [0, 1, 0],
  ],
  metadata: [
    { text: 'Shops open at nine.', year: 2025 },
    { text: 'Orders leave in the morning.', year: 2026 },
  ],
  ids: ['hours', 'orders'],
});
console.log(ids); // => [ 'hours', 'orders' ]
//# SemanticIndexVector.query
const filter = { year: { $gte: 2026 } };
const [found] = await vectors.query({ indexName: 'docs', queryVector: [0, 2, 0], topK: 1, filter });
console.log(found?.id, found?.score, found?.document); // => orders 1 Orders leave in the morning.
//# SemanticIndexVector.index
const { hits } = await (await vectors.index('docs')).search('shops', { mode: 'text' });
console.log(hits[0]?.id); // => hours
//# SemanticIndexVector.updateVector
await vectors.updateVector({ indexName: 'docs', id: 'hours', update: { metadata: { text: 'Closed.', year: 2026 } } });
//# SemanticIndexVector.listIndexes
console.log(await vectors.listIndexes()); // => [ 'docs' ]
//# SemanticIndexVector.describeIndex
console.log(await vectors.describeIndex({ indexName: 'docs' })); // => { dimension: 3, count: 2, metric: 'cosine' }
//# SemanticIndexVector.deleteVector
await vectors.deleteVector({ indexName: 'docs', id: 'orders' });
//# SemanticIndexVector.deleteVectors
await vectors.deleteVectors({ indexName: 'docs', filter: { year: { $lt: 2027 } } });
//# SemanticIndexVector.deleteIndex
await vectors.deleteIndex({ indexName: 'docs' });
console.log(await vectors.listIndexes()); // => []
//# SemanticIndexVector.close
await vectors.close();
