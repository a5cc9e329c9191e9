// node test/compat/write-model-fixture.mjs FOLDER: writes an index of the bundled model, with the version that is in dist/. Run it before
// the model changes, with a folder named bundled-model- and the revision in its config.json.
import { SemanticIndex } from '../../dist/semantic-index.js';

const index = await SemanticIndex.open(process.argv[2], { ann: { background: false, trees: 2, threads: 1, seed: 1 } });
await index.addDocuments([
  { id: 'password', text: 'How do I reset my password?', metadata: { kind: 'question' } },
  { id: 'cat', text: 'The cat sleeps on the sofa', metadata: { kind: 'sentence' } },
  { id: 'refund', text: 'A refund takes five days. A refund of a refund takes five more days.' },
]);
await index.optimize({ full: true });
await index.addDocuments([{ id: 'train', text: 'The last train leaves at midnight' }]);
await index.search('a question that stays in the cache');
await index.close();
