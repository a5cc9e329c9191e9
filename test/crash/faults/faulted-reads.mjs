// node faulted-reads.mjs FOLDER STATE FIRST STRIDE ERRNO LENGTH LAST: reads an index in every way while the n-th call that reads
// fails, for n = FIRST, FIRST + STRIDE … until no fault is left to give; prints a line of JSON for each. An answer is the right
// one or a typed error; when the fault is over, everything is right again in the same process.
import { deterministicProvider } from '../../../dist/embed/testing/deterministic-provider.js';
import { SemanticIndexError } from '../../../dist/errors.js';
import { SemanticIndex } from '../../../dist/semantic-index.js';
import { FaultState } from './fault-state.mjs';

const [folder, path, first, stride, errno, length, last] = process.argv.slice(2);
const state = new FaultState(path);
const directory = `${folder}/index`;
const options = {
  provider: deterministicProvider({ dimensions: 16 }),
  ann: { trees: 3, threads: 1, background: false },
};
const textOf = (n) => `some words of number${n} and number${n % 7}`;

const made = await SemanticIndex.open(directory, options);
await made.addDocuments(Array.from({ length: 80 }, (_, n) => ({ id: n, text: textOf(n), metadata: { part: n % 3 } })));
await made.optimize({ full: true });
await made.addDocuments(
  Array.from({ length: 10 }, (_, n) => ({ id: 80 + n, text: textOf(80 + n), metadata: { part: 0 } })),
);
await made.deleteDocuments([3, 4]);
await made.close();

const idsOf = ({ hits }) => hits.map(({ id, score, text }) => [id, Math.round(score * 1e5), text]);
/** Every way to read, by name; what each returns without a fault is the right answer. */
const readings = {
  vector: async (index) => idsOf(await index.search(textOf(11), { k: 5, mode: 'vector' })),
  exact: async (index) => idsOf(await index.search(textOf(12), { k: 5, mode: 'vector', exact: true })),
  text: async (index) => idsOf(await index.search('number5', { k: 5, mode: 'text' })),
  hybrid: async (index) => idsOf(await index.search(textOf(13), { k: 5 })),
  where: async (index) => idsOf(await index.search(textOf(14), { k: 5, mode: 'vector', where: { part: 1 } })),
  get: async (index) => (await index.getDocument(20))?.text,
  list: async (index) => (await index.listDocuments({ limit: 1_000 })).documents.map(({ id, text }) => [id, text]),
  count: (index) => index.count(),
  stats: async (index) => (await index.stats()).documents,
  validate: async (index) => Array.isArray((await index.validate({ level: 'full' })).checks),
  add: async (index) => (await index.addDocuments([{ id: 20, text: textOf(20), metadata: { part: 2 } }])).unchanged,
};
const right = {};
const sound = await SemanticIndex.open(directory, options);
for (const [name, reading] of Object.entries(readings)) right[name] = JSON.stringify(await reading(sound));
await sound.close();

for (let n = Number(first); n <= Number(last); n += Number(stride)) {
  const outcomes = [];
  const faults = [];
  const attempt = async (name, work) => {
    try {
      return await work();
    } catch (error) {
      outcomes.push(`${name}: ${error?.code}`);
      if (!SemanticIndexError.is(error) || !['IO', 'CORRUPT'].includes(error.code)) {
        faults.push(`${name} rejects with ${error?.code} (${error?.stack})`);
      }
    }
  };
  const compare = (name, answer, when) => {
    if (answer !== undefined && JSON.stringify(answer) !== right[name]) {
      faults.push(`${name} ${when} is ${JSON.stringify(answer).slice(0, 300)} instead of ${right[name].slice(0, 300)}`);
    }
  };
  state.arm(n, Number(errno), Number(length));
  let index = await attempt('open', () => SemanticIndex.open(directory, options));
  if (index !== undefined) {
    for (const [name, reading] of Object.entries(readings)) {
      compare(name, await attempt(name, () => reading(index)), 'with the fault');
    }
  }
  const given = state.faults;
  state.disarm();
  index ??= await SemanticIndex.open(directory, options);
  for (const [name, reading] of Object.entries(readings)) {
    try {
      compare(name, await reading(index), 'afterwards');
    } catch (error) {
      faults.push(`${name} rejects afterwards with ${error?.stack}`);
    }
  }
  await index.close();
  process.stdout.write(`${JSON.stringify({ n, call: state.last, given, outcomes, faults })}\n`);
  if (given === 0) break;
}
state.close();
