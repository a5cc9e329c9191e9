// node recorded-writer.mjs FOLDER DURABILITY SEED OPERATIONS: opens an index in the folder three times and changes it, in two lanes
// and one of maintenance. Notes in the file FOLDER/notes what it is about to do and what has resolved: the notes are in
// the log of the shim like all writes, so that the log says what was acknowledged at each of its points.
import { openSync, writeSync } from 'node:fs';
import { deterministicProvider } from '../../../dist/embed/testing/deterministic-provider.js';
import { Random } from '../../../dist/random.js';
import { SemanticIndex } from '../../../dist/semantic-index.js';

const [folder, durability, seed, operations] = process.argv.slice(2);
const random = new Random(Number(seed));
const notes = openSync(`${folder}/notes`, 'w');
const note = (value) => writeSync(notes, `${JSON.stringify(value)}\n`);
let versions = 0;

function changeOf(lane) {
  const ids = [...new Set(Array.from({ length: 1 + random.integer(30) }, () => `${lane} ${random.integer(90)}`))];
  if (random.chance(0.25)) return { lane, kind: 'delete', ids: ids.slice(0, 12) };
  const textOf = () => Array.from({ length: 2 + random.integer(12) }, () => `word${random.integer(300)}`).join(' ');
  return { lane, kind: 'add', documents: ids.map((id) => ({ id, text: `${textOf()} v${versions++}` })) };
}

function maintenanceOf(number) {
  const kind = number === '0-1' ? 'backup' : random.weighted({ full: 4, optimize: 3, rebuild: 2, backup: 1 });
  return { lane: 2, kind, ...(kind === 'backup' && { target: `${folder}/backup-${number}` }) };
}

function perform(index, { kind, documents, ids, target }) {
  if (kind === 'add') return index.addDocuments(documents);
  if (kind === 'delete') return index.deleteDocuments(ids);
  if (kind === 'full') return index.optimize({ full: true });
  return kind === 'backup' ? index.backup(target) : index[kind]();
}

async function runLane(index, lane, count, life) {
  for (let number = 0; number < count; number++) {
    const operation = lane === 2 ? maintenanceOf(`${life}-${number}`) : changeOf(lane);
    note({ about: 'intent', ...operation });
    await perform(index, operation);
    note({ about: 'done', lane });
  }
}

for (let life = 0; life < 3; life++) {
  note({ about: 'opening' });
  const index = await SemanticIndex.open(`${folder}/index`, {
    provider: deterministicProvider({ dimensions: 16 }),
    storage: { durability },
    ann: { sealAt: 40, trees: 3, threads: 1 },
    onEvent: ({ type, message }) => {
      if (type === 'error') throw new Error(message);
    },
  });
  note({ about: 'opened' });
  const count = Math.ceil(Number(operations) / 3);
  await Promise.all([0, 1].map((lane) => runLane(index, lane, count, life)).concat(runLane(index, 2, count / 3, life)));
  await index.close();
}
