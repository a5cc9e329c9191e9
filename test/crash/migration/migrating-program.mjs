// The process that is killed: it migrates an index while it searches it, and writes down every text that a provider is
// asked for, and every search that came out wrong.
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [root, directory, log, fromSeed, toSeed, count, dieAt] = process.argv.slice(2);
const { SemanticIndex } = await import(new URL('dist/index.js', root).href);
const { deterministicProvider } = await import(new URL('dist/testing.js', root).href);

const note = (kind, value) => appendFileSync(log, `${JSON.stringify([kind, value])}\n`);
const textOf = (id) => `alpha${id} beta${id % 50} gamma${id % 7}`;
let [calls, searches] = [0, 0];
const provider = (seed, watched) =>
  deterministicProvider({
    seed: Number(seed),
    dimensions: 32,
    delay: watched ? 30 : 0,
    maxBatchSize: 40,
    onCall: async (texts, role) => {
      if (!watched || role !== 'document') return;
      note('asked', texts);
      if (!texts[0].startsWith('alpha')) return;
      if (++calls !== Number(dieAt)) return;
      while (searches < 12) await sleep(1);
      process.kill(process.pid, 'SIGKILL');
    },
  });

const index = await SemanticIndex.open(directory, { provider: provider(fromSeed, false) });
note('opened', Date.now());
let ended = false;
const searching = (async () => {
  for (let id = 0; !ended; id = (id + 17) % Number(count)) {
    // Whose query and vectors are of one model finds itself with a cosine of one.
    const {
      hits: [hit],
    } = await index.search(textOf(id), { k: 1, mode: 'vector' });
    note(hit?.id === id && hit.score > 0.999 ? 'right' : 'wrong', [id, hit?.id, hit?.score]);
    searches++;
    await sleep(1);
  }
})();
const { embedded, reused } = await index.migrate(provider(toSeed, true));
note('migrated', [embedded, reused]);
await sleep(30);
ended = true;
await searching;
await index.close();
note('closed', Date.now());
