// node test/compat/write-segments-fixture.mjs FOLDER: writes an index of several segments, deletions and a tail, which is kept as
// fixture of a format beside the one of write-index-fixture.mjs, with the version that is in dist/. The texts are generated.
import { deterministicProvider } from '../../dist/embed/testing/deterministic-provider.js';
import { SemanticIndex } from '../../dist/semantic-index.js';

const vocabulary = `anchor basket candle driver engine forest garden harbor island jacket kettle ladder market needle
  orange pencil quarry ribbon saddle tunnel umbrella valley window yellow zipper running runners organize organization
  connected connection relational generously flying flies added adding national rationally`.split(/\s+/);
const others = [
  'Straße',
  'Größe',
  'naïve',
  'C++',
  '.NET 8',
  'v1.2.3',
  'max_size',
  'addDocuments',
  '東京タワー',
  'ταχύς',
  '😀',
];

let state = 7;
function random(below) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

function textOf(n) {
  const words = Array.from({ length: 3 + random(14) }, () => {
    // Squared: the first words of the vocabulary are common, the last ones rare.
    const place = Math.floor((random(1_000) / 1_000) ** 2 * vocabulary.length);
    return vocabulary[place];
  });
  if (n % 9 === 0) words.push(others[random(others.length)]);
  return `${words.join(' ')} number${n}.`;
}

const documentOf = (n) => ({
  id: n % 3 === 0 ? `text ${n}` : n,
  text: textOf(n),
  ...(n % 4 !== 0 && { metadata: { n, shelf: `shelf ${n % 5}`, nested: { even: n % 2 === 0 } } }),
});
const documentsOf = (first, count) => Array.from({ length: count }, (_, n) => documentOf(first + n));

const provider = deterministicProvider({ dimensions: 8 });
const options = { provider, ann: { background: false, trees: 2, threads: 1, seed: 1 } };
const index = await SemanticIndex.open(process.argv[2], options);
await index.addDocuments(documentsOf(0, 160));
await index.optimize();
await index.addDocuments(documentsOf(160, 110));
await index.optimize();
await index.addDocuments(documentsOf(270, 60));
await index.addDocuments([1, 2, 161, 271].map((n) => ({ id: n, text: `${textOf(n)} changed`, metadata: { n } })));
await index.addDocuments([{ id: 'empty', text: '', vector: [0, 1, 0, 0, 0, 0, 0, 0] }]);
await index.deleteDocuments([4, 'text 6', 'text 165', 170, 275, 'text 300']);
await index.deleteDocuments({ where: { shelf: 'shelf 3', 'nested.even': true } });
await index.updateMetadata([{ id: 5, metadata: { n: 5, shelf: 'moved' } }]);
await index.close();
