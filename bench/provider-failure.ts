// What a search does while its provider is down, slow or refuses: npx tsx bench/provider-failure.ts --help
import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbeddingProvider, SemanticIndex, SemanticIndexError } from 'semantic-index';
import { deterministicProvider } from 'semantic-index/testing';
import { benchFlags } from './flags.js';

const flags = benchFlags(
  `Searches while the provider of an index answers, is down, slow, refuses, and answers again, and prints what was found by what, and how long it
took. The exit code is 1 where words do not answer in time, or vectors not as soon as the provider is back.`,
  { budget: [200, 'milliseconds of embedBudget'] },
);
type State = 'answers' | 'down' | 'slow' | 'refuses' | 'answers again';
let state: State = 'answers';
const plain = deterministicProvider({ dimensions: 64 });
const provider: EmbeddingProvider = {
  ...plain,
  async embed(texts, options) {
    if (state === 'down') throw new TypeError('fetch failed: connect ECONNREFUSED');
    if (state === 'refuses') throw new SemanticIndexError('PROVIDER_FAILED', '401: the key is not valid');
    if (state === 'slow') await sleep(10_000, undefined, options.signal && { signal: options.signal });
    return plain.embed(texts, options);
  },
};
await using index = await SemanticIndex.open(':memory:', { provider });
await index.addDocuments(['the harbour at night', 'a calm sea', 'ropes of a ship'].map((text, id) => ({ id, text })));

console.log('| provider | hits | by | reason | ms |\n|---|---|---|---|---|');
let failures = 0;
for (state of ['answers', 'down', 'slow', 'refuses', 'answers again'] as const) {
  const began = performance.now();
  const { hits, degraded } = await index.search(`harbour ${state}`, {
    onProviderFailure: 'text',
    embedBudget: flags.budget,
  });
  const took = performance.now() - began;
  const isUp = state.startsWith('answers');
  if (hits.length === 0 || (degraded === undefined) !== isUp || took > flags.budget + 150) failures++;
  const by = degraded === undefined ? 'vectors and words' : 'words';
  const reason = degraded === undefined ? '' : `${degraded.reason}: ${degraded.message}`;
  console.log(`| ${state} | ${hits.length} | ${by} | ${reason} | ${took.toFixed(0)} |`);
}
process.exit(failures === 0 ? 0 : 1);
