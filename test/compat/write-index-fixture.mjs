// node test/compat/write-index-fixture.mjs FOLDER: writes the index that is kept as fixture of a format, with the version
// that is in dist/. Run it before the format changes.
import { deterministicProvider } from '../../dist/embed/testing/deterministic-provider.js';
import { SemanticIndex } from '../../dist/semantic-index.js';

const provider = deterministicProvider({ dimensions: 8 });
const options = { provider, ann: { background: false, trees: 2, threads: 1, seed: 1 } };
const index = await SemanticIndex.open(process.argv[2], options);
const documents = Array.from({ length: 60 }, (_, n) => ({
  id: n % 2 === 0 ? n : `name ${n}`,
  text: `text ${n} about word${n % 10} und Größe ${n % 4}`,
  ...(n % 5 !== 0 && { metadata: { n, tag: ['red', 'green'][n % 2], nested: { flag: n % 3 === 0 } } }),
}));
await index.addDocuments(documents.slice(0, 40));
await index.optimize({ full: true });
await index.addDocuments(documents.slice(40));
await index.addDocuments([{ id: 2, text: 'a text that was changed', metadata: { n: 2 } }]);
await index.deleteDocuments([4, 'name 5', 44]);
await index.search('a question that stays in the cache');
await index.optimize();
await index.addDocuments([{ id: 'given', text: 'its vector was given', vector: [1, 0, 0, 0, 0, 0, 0, 0] }]);
await index.deleteDocuments(['name 7']);
await index.close();
