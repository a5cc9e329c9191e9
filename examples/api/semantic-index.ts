// Examples of docs/api/semantic-index.md. scripts/api-pages.mjs copies each part into the page; a test compares the output.
import { SemanticIndex, SemanticIndexError, salvage } from 'semantic-index';
import { deterministicProvider } from 'semantic-index/testing';

//# SemanticIndex.open
type Book = { year: number; author: string };

await using index = await SemanticIndex.open<Book>('library', { fields: { year: 'number' } });
console.log(await index.count()); // => 0
//# SemanticIndex.addDocuments
const result = await index.addDocuments([
  { id: 'moby', text: 'A captain hunts a white whale.', metadata: { year: 1851, author: 'Melville' } },
  { id: 'pip', text: 'An orphan meets a convict on the marshes.', metadata: { year: 1861, author: 'Dickens' } },
  { id: 'marlow', text: 'A steamboat goes up a river to find a man.', metadata: { year: 1899, author: 'Conrad' } },
]);
console.log(result.added, result.unchanged, result.embedded); // => 3 0 3
const again = await index.addDocuments([
  { id: 'pip', text: 'An orphan meets a convict on the marshes.', metadata: { year: 1861, author: 'Dickens' } },
]);
console.log(again.added, again.unchanged, again.embedded); // => 0 1 0
//# SemanticIndex.search
const { hits, next } = await index.search('a voyage by boat', { k: 2, where: { year: { $lt: 1900 } } });
console.log(hits.length, hits[0]?.id, hits[0]?.metadata.author); // => 2 marlow Conrad
const page2 = await index.search('a voyage by boat', { k: 2, where: { year: { $lt: 1900 } }, after: next });
console.log(page2.hits.length, page2.next); // => 1 undefined
const { explanation } = await index.search('a voyage by boat', { explain: true });
console.log(explanation?.exact); // => true
//# SemanticIndex.searchMany
const [whales, convicts] = await index.searchMany(['whale hunting', 'escaped prisoner'], { k: 1 });
console.log(whales?.hits[0]?.id, convicts?.hits[0]?.id); // => moby pip
//# SemanticIndex.suggest
console.log((await index.suggest('a white wh')).map(({ text }) => text)); // => [ 'a white whale', 'a white white' ]
//# SemanticIndex.facets
const { facets } = await index.facets({ fields: { year: { ranges: [{ to: 1860 }, { from: 1860 }] } } });
console.log(facets.year?.counts); // => [ { to: 1860, count: 1 }, { from: 1860, count: 2 } ]
//# SemanticIndex.getDocument
const book = await index.getDocument('moby');
console.log(book?.text, book?.metadata.year); // => A captain hunts a white whale. 1851
//# SemanticIndex.getDocuments
const [pip, unknown] = await index.getDocuments(['pip', 'nothing']);
console.log(pip?.id, unknown); // => pip undefined
//# SemanticIndex.getVectors
const [vector] = await index.getVectors(['moby']);
console.log(vector?.length); // => 384
//# SemanticIndex.knownWords
console.log(await index.knownWords(['The whale, 1851'])); // => [ 'the whale' ]
//# SemanticIndex.listDocuments
const { documents } = await index.listDocuments({ limit: 10, where: { author: { $in: ['Melville', 'Conrad'] } } });
console.log(documents.map(({ id }) => id)); // => [ 'moby', 'marlow' ]
//# SemanticIndex.count
console.log(await index.count({ where: { year: { $gte: 1860 } } })); // => 2
//# SemanticIndex.documents
for await (const { id, vector } of index.documents()) console.log(id, vector.length);
// => moby 384
// => pip 384
// => marlow 384
//# SemanticIndex.plan
const plan = await index.plan(['A text that the index does not have.'], { pricePerMillionTokens: 0.02 });
console.log(plan.documents, plan.new, plan.embed); // => 1 1 1
//# SemanticIndex.updateMetadata
console.log(await index.updateMetadata([{ id: 'pip', metadata: { year: 1860, author: 'Dickens' } }])); // => 1
//# SemanticIndex.stats
const stats = await index.stats();
console.log(stats.documents, stats.dimensions, stats.tail); // => 3 384 3
//# SemanticIndex.optimize
const { segments, bytesBefore, bytesAfter } = await index.optimize({ full: true });
console.log(segments, bytesBefore > 0, bytesAfter > 0); // => 1 true true
//# SemanticIndex.tune
const { tuning } = await index.tune({ recall: 0.9, k: 1 });
console.log(tuning.recall >= 0.9); // => true
//# SemanticIndex.evaluate
const questions = [
  { query: 'whale hunting', relevant: ['moby'] },
  { query: 'escaped prisoner', relevant: ['pip'] },
];
const { variants } = await index.evaluate(questions, { k: 1 });
console.log(variants[0]?.measures.hitRate.mean); // => 1
//# SemanticIndex.validate
const { valid, checks } = await index.validate({ level: 'full' });
console.log(valid, checks.length > 0); // => true true
//# SemanticIndex.rebuild
await index.rebuild();
console.log(await index.count()); // => 3
//# SemanticIndex.backup
await index.backup('library-backup');
await using copy = await SemanticIndex.open('library-backup', { readonly: true });
console.log(await copy.count()); // => 3
//# SemanticIndex.exportTo
const exported = await index.exportTo('library-export');
console.log(exported.documents, exported.lost.length); // => 3 0
//# SemanticIndex.importFrom
await using imported = await SemanticIndex.open('library-imported');
console.log((await imported.importFrom('library-export')).added); // => 3
//# SemanticIndex.migrate
const provider = deterministicProvider({ dimensions: 64 });
const { embedded, cutOver } = await imported.migrate(provider);
console.log(embedded, cutOver); // => 3 true
//# SemanticIndex.deleteDocuments
console.log(await index.deleteDocuments(['moby', 'nothing'])); // => 1
console.log(await index.deleteDocuments({ where: { year: { $lt: 1880 } } })); // => 1
console.log(await index.deleteDocuments({ all: true })); // => 1
//# SemanticIndex.close
await index.close();
await index.count().catch((error: unknown) => console.log(SemanticIndexError.is(error) && error.code)); // => CLOSED
//# salvage
const report = await salvage('library-backup', 'library-saved');
console.log(report.documents, report.lost.length); // => 3 0
//# new SemanticIndexError, SemanticIndexError
const error = new SemanticIndexError('PROVIDER_FAILED', 'The service is down', { hint: 'Try again later.' });
console.log(error.code, error.hint); // => PROVIDER_FAILED Try again later.
//# SemanticIndexError.is
try {
  await SemanticIndex.open('no-such-index', { create: false });
} catch (error) {
  if (SemanticIndexError.is(error)) console.log(error.code, error.details); // => NOT_AN_INDEX {}
}
