// node cut-power.mjs FOLDER LOG PLACE DURABILITY SEED STATES: replays the log that record-shim.c wrote of FOLDER, builds about so many
// states of the disk that a power cut may leave, below PLACE, opens the index of each and compares it with what the writer
// had noted until then. Prints a report as JSON.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { scoreAll, searchFault } from '../../../dist/crash-test/exact-search.js';
import { deterministicProvider } from '../../../dist/embed/testing/deterministic-provider.js';
import { Random } from '../../../dist/random.js';
import { SemanticIndex } from '../../../dist/semantic-index.js';
import { History } from './history.mjs';
import { RecordedDisk, readLog } from './recorded-disk.mjs';

const [folder, log, place, durability, seed, wanted] = process.argv.slice(2);
const random = new Random(Number(seed));
const provider = deterministicProvider({ dimensions: 16 });
const records = [...readLog(readFileSync(log))];
const disk = new RecordedDisk(folder);
const history = new History();
const report = {
  records: records.length,
  points: 0,
  states: 0,
  lost: 0,
  missing: 0,
  backups: 0,
  damage: 0,
  faults: [],
};

/** What is tried at the first acknowledged changes, one after the other, and later in turn with modes by chance. */
const extremes = [
  { names: 'none', data: 'none' },
  { names: 'all', data: 'none' },
  { names: 'all', data: 'zeros' },
  { names: 'all', data: 'any' },
];

function* modesToTry() {
  for (;;) {
    for (const extreme of extremes) {
      yield extreme;
      yield {
        names: random.pick(['none', 'all', 'prefix', 'any']),
        data: random.pick(['none', 'all', 'prefix', 'any', 'zeros', 'mixed', 'mixed']),
      };
    }
  }
}
const modesByChance = modesToTry();

async function read(directory) {
  const events = [];
  const index = await SemanticIndex.open(directory, {
    provider,
    storage: { durability },
    ann: { trees: 3, threads: 1, background: false },
    onEvent: ({ type, message }) => {
      if (['damage', 'graph-missing', 'terms-missing', 'columns-missing', 'error'].includes(type))
        events.push(`${type}: ${message}`);
    },
  });
  const faults = [];
  try {
    const found = new Map();
    let after;
    do {
      const page = await index.listDocuments({ limit: 1_000, after });
      for (const { id, text } of page.documents) found.set(id, text);
      after = page.next;
    } while (after !== undefined);
    const { checks } = await index.validate({ level: 'full' });
    for (const check of checks) {
      if (!check.passed && check.severity === 'error') faults.push(`validate: ${check.message}`);
    }
    const { vectors } = await provider.embed([...found.values()], { role: 'document' });
    const documents = [...found.keys()].map((id, position) => ({ id, vector: vectors[position] }));
    for (const exact of [true, false]) {
      const query = Float32Array.from({ length: 16 }, () => random.number() - 0.5);
      const k = random.pick([5, 1_000]);
      const { hits } = await index.search(query, { k, exact });
      const fault = searchFault(hits, scoreAll(documents, query), k, exact);
      if (fault !== undefined) faults.push(`search (k ${k}, exact ${exact}): ${fault}`);
    }
    // What opens can be written, and derives again what it lost.
    await index.addDocuments([{ id: 'after the cut', text: 'power is back' }]);
    if (random.chance(0.1)) {
      await index.rebuild();
      for (const { passed, severity, message } of (await index.validate({ level: 'full' })).checks) {
        if (!passed && severity !== 'info') faults.push(`validate after a rebuild: ${message}`);
      }
    }
    return { found, faults, events };
  } finally {
    await index.close();
  }
}

async function inspect(state, faultOf) {
  const { found, faults, events } = await read(join(state, 'index'));
  if (events.length > 0) report.damage++;
  const { faults: differences, lost } = history.compare(found);
  for (const fault of [...faults, ...differences]) faultOf(fault);
  if (lost > 0) report.lost++;
  report.missing += lost;
  if (lost > 0 && durability === 'full') faultOf(`${lost} acknowledged changes are lost`);
  // A backup is durable when it has resolved, whatever the durability of its index.
  const backup = history.backups.at(-1);
  if (backup === undefined || report.states % 4 !== 0) return;
  report.backups++;
  const copy = join(state, backup.target.slice(folder.length));
  if (!existsSync(copy)) return faultOf('an acknowledged backup is not there');
  const inside = await read(copy);
  const difference = history.compare(inside.found, backup);
  for (const fault of [...inside.faults, ...difference.faults, ...inside.events]) faultOf(`backup: ${fault}`);
  if (difference.lost > 0) faultOf(`${difference.lost} changes are not in a backup`);
}

/** Files that are not the same in two folders. */
function differences(one, other) {
  const list = (folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length));
  const names = [...new Set([...list(one), ...list(other)])];
  return names.filter((name) => {
    const paths = [join(one, name), join(other, name)];
    return !paths.every(existsSync) || !readFileSync(paths[0]).equals(readFileSync(paths[1]));
  });
}

async function cutAt(position, modes) {
  report.states++;
  const state = join(place, `state-${report.states}`);
  disk.materialize(state, modes, random);
  const faultOf = (fault) => {
    const { kind, first } = records[position];
    report.faults.push(`after record ${position} (${kind} ${first}), ${JSON.stringify(modes)}: ${fault}`);
  };
  try {
    await inspect(state, faultOf);
  } catch (error) {
    faultOf(`${error?.stack} ${error?.hint ?? ''}`);
  }
  rmSync(state, { recursive: true });
}

// Calls after which something is certain or a name is new are tried more often than one write of many.
const weightOf = ({ kind }) => (kind === 'write' || kind === 'truncate' ? 1 : 6);
const total = records.reduce((sum, record) => sum + weightOf(record), 0);
let isEarly = true;
for (const [position, record] of records.entries()) {
  disk.apply(record);
  if (record.kind === 'write' && disk.fileOf(record) === disk.find(`${folder}/notes`)) history.read(record.data);
  if (isEarly && history.acknowledged === 2) {
    isEarly = false;
    for (const modes of extremes) await cutAt(position, modes);
  }
  const isCut = report.faults.length < 20 && random.chance((weightOf(record) * Number(wanted)) / total);
  if (isCut) await cutAt(position, modesByChance.next().value);
}
report.acknowledged = history.acknowledged;
// Whether the log has all that was written: what it leads to is what the writer left.
disk.materialize(join(place, 'end'), { names: 'all', data: 'all' }, random);
report.unrecorded = differences(folder, join(place, 'end'));
rmSync(join(place, 'end'), { recursive: true });
process.stdout.write(JSON.stringify(report));
