// Conditions on metadata: which documents may be found at all.
//
//   npx tsx examples/filters.ts
import { SemanticIndex } from 'semantic-index';

type Book = { year: number; author: string; tags: string[]; shelf?: { room: number } };

await using index = await SemanticIndex.open<Book>(':memory:');
await index.addDocuments([
  { id: 1, text: 'A whale and the captain who hunts it.', metadata: { year: 1851, author: 'Melville', tags: ['sea'] } },
  { id: 2, text: 'An orphan meets a convict.', metadata: { year: 1861, author: 'Dickens', tags: ['london'] } },
  { id: 3, text: 'A boat goes up a river to find a man.', metadata: { year: 1899, author: 'Conrad', tags: ['river'] } },
  {
    id: 4,
    text: 'Two friends sail round an island.',
    metadata: { year: 1903, author: 'Childers', tags: ['sea', 'spies'], shelf: { room: 2 } },
  },
]);

const ids = async (where: Parameters<typeof index.count>[0]) => {
  const { hits } = await index.search('a voyage on water', { k: 10, where: where?.where });
  return hits.map(({ id }) => id).sort();
};
console.log('after 1860:        ', await ids({ where: { year: { $gt: 1860 } } }));
console.log('at sea:            ', await ids({ where: { tags: { $contains: 'sea' } } }));
console.log('two authors:       ', await ids({ where: { author: { $in: ['Conrad', 'Dickens'] } } }));
console.log('nested:            ', await ids({ where: { 'shelf.room': 2 } }));
console.log('no shelf:          ', await ids({ where: { shelf: { $exists: false } } }));
console.log(
  'old, or of spies:  ',
  await ids({ where: { $or: [{ year: { $lt: 1855 } }, { tags: { $contains: 'spies' } }] } }),
);
console.log('how many are of it:', await index.count({ where: { year: { $gte: 1850, $lt: 1900 } } }));
