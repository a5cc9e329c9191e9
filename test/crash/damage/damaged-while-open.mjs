// node damaged-while-open.mjs FOLDER SEED ROUNDS: damages files of an index while two handles search it, and compares each answer
// with brute force; then pages of index.db, after which every operation returns or rejects with a
// typed error. Prints a report as JSON.
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { scoreAll, searchFault } from '../../../dist/crash-test/exact-search.js';
import { scoreTexts } from '../../../dist/crash-test/exact-texts.js';
import { deterministicProvider } from '../../../dist/embed/testing/deterministic-provider.js';
import { SemanticIndexError } from '../../../dist/errors.js';
import { Random } from '../../../dist/random.js';
import { SemanticIndex } from '../../../dist/semantic-index.js';

const [folder, seed, rounds] = process.argv.slice(2);
const random = new Random(Number(seed));
const provider = deterministicProvider({ dimensions: 24 });
const directory = join(folder, 'index');
const segments = join(directory, 'segments');
const report = { damages: {}, searches: 0, events: 0, errors: {}, pages: 0, faults: [] };
const onEvent = ({ type, error }) => {
  if (['damage', 'graph-missing', 'terms-missing', 'columns-missing'].includes(type)) report.events++;
  if (type === 'error' && !SemanticIndexError.is(error)) report.faults.push(`in the background: ${error?.stack}`);
};
const options = { provider, ann: { trees: 3, threads: 1, sealAt: 10_000, background: false }, onEvent };

const texts = Array.from({ length: 420 }, (_, n) => `document ${n} about number${n % 13} and word${n % 57}`);
const { vectors } = await provider.embed(texts, { role: 'document' });
const documents = texts.map((text, id) => ({ id, text, metadata: { part: id % 4 }, vector: vectors[id] }));
const plain = documents.map(({ id, text, metadata }) => ({ id, text, metadata }));
const writer = await SemanticIndex.open(directory, options);
for (const [first, end] of [
  [0, 200],
  [200, 400],
]) {
  await writer.addDocuments(plain.slice(first, end));
  await writer.optimize({ full: true });
}
await writer.addDocuments(plain.slice(400));
const open = { writer, reader: await SemanticIndex.open(directory, { ...options, readonly: true }) };

/** Damages one file in place, as a failing disk or another program would; sometimes its time stays as it was. */
function damage() {
  const files = readdirSync(segments);
  if (files.length === 0) return 'nothing';
  const name = random.pick(files);
  const path = join(segments, name);
  const { size, atime, mtime } = statSync(path);
  const kind = random.weighted({ flip: 6, zeros: 2, cut: 2, empty: 1, longer: 1, remove: 1 });
  if (kind === 'remove') rmSync(path);
  else if (kind === 'cut') truncateSync(path, random.integer(size + 1));
  else if (kind === 'empty') truncateSync(path, 0);
  else {
    const file = openSync(path, 'r+');
    const at = kind === 'longer' ? size : random.integer(Math.max(1, size));
    const bytes = Buffer.alloc(kind === 'flip' ? 1 + random.integer(8) : 4_096);
    if (kind === 'flip') {
      readSync(file, bytes, 0, bytes.length, at);
      for (let n = 0; n < bytes.length; n++) bytes[n] ^= 1 + random.integer(255);
    }
    writeSync(file, bytes, 0, kind === 'longer' ? bytes.length : Math.min(bytes.length, size - at), at);
    closeSync(file);
  }
  if (kind !== 'remove' && random.chance(0.3)) utimesSync(path, atime, mtime);
  return `${kind} ${name.replace(/^[^.]*/, '')}`;
}

async function search(index) {
  const exact = random.chance(0.4);
  const part = random.chance(0.3) ? random.integer(4) : undefined;
  const k = random.pick([1, 10, 1_000]);
  const query = Float32Array.from({ length: 24 }, () => random.number() - 0.5);
  const byText = random.chance(0.4) ? `number${random.integer(13)} word${random.integer(57)}` : undefined;
  if (byText !== undefined) {
    const { hits } = await index.search(byText, { k, mode: 'text' });
    report.searches++;
    const fault = searchFault(hits, scoreTexts(documents, byText), k, true);
    return fault && `search for ${byText} (k ${k}): ${fault}`;
  }
  const { hits } = await index.search(query, { k, exact, ...(part !== undefined && { where: { part } }) });
  report.searches++;
  const meant = part === undefined ? documents : documents.filter(({ metadata }) => metadata.part === part);
  const fault = searchFault(hits, scoreAll(meant, query), k, exact);
  return fault && `search (k ${k}, exact ${exact}, part ${part}): ${fault}`;
}

for (let round = 0; round < Number(rounds) && report.faults.length < 10; round++) {
  // Some searches are at work while the file changes.
  const running = [search(open.writer), search(open.reader)];
  const what = damage();
  report.damages[what] = (report.damages[what] ?? 0) + 1;
  for (const index of [open.writer, open.reader, open.writer, open.reader]) running.push(search(index));
  for (const result of await Promise.allSettled(running)) {
    if (result.status === 'rejected')
      report.faults.push(`round ${round}, ${what}: a search rejects: ${result.reason?.stack}`);
    else if (result.value) report.faults.push(`round ${round}, ${what}: ${result.value}`);
  }
  if (round % 5 === 4) {
    await open.writer.rebuild();
    const { checks } = await open.writer.validate({ level: 'full' });
    for (const { passed, severity, message } of checks) {
      if (!passed && severity !== 'info') report.faults.push(`round ${round}: validate after a rebuild: ${message}`);
    }
  }
}

// Pages of index.db, from another process: closing the file in this one would drop the locks of SQLite.
await open.writer.optimize();
const database = join(directory, 'index.db');
const operations = {
  search: (index) => search(index).then(() => {}),
  text: (index) => index.search('number5', { mode: 'text', k: 20 }),
  hybrid: (index) => index.search('word9 about number3', { k: 20 }),
  get: (index) => index.getDocument(random.integer(420)),
  list: (index) => index.listDocuments({ limit: 500 }),
  validate: (index) => index.validate({ level: 'full' }).then(() => {}),
  add: (index) => (index === open.writer ? index.addDocuments([plain[random.integer(420)]]) : undefined),
};
for (let round = 0; round < Number(rounds) / 2 && report.faults.length < 10; round++) {
  const pages = Math.floor(statSync(database).size / 16_384);
  const input = Buffer.from(Array.from({ length: 1 + random.integer(600) }, () => random.integer(256)));
  const at = random.integer(pages) * 16_384 + random.integer(16_384 - input.length);
  execFileSync('dd', [`of=${database}`, 'bs=1', `seek=${at}`, 'conv=notrunc', 'status=none'], { input });
  report.pages++;
  const fresh = await SemanticIndex.open(directory, { ...options, readonly: random.chance(0.5) }).catch(
    (error) => error,
  );
  const failures = fresh instanceof Error ? [['open', fresh]] : [];
  const handles = [...Object.values(open), ...(fresh instanceof Error ? [] : [fresh])];
  for (const index of handles) {
    for (const [name, operation] of Object.entries(operations)) {
      try {
        await operation(index);
      } catch (error) {
        failures.push([name, error]);
      }
    }
  }
  for (const [name, error] of failures) {
    if (SemanticIndexError.is(error) && error.code !== 'INTERNAL') {
      report.errors[`${name} ${error.code}`] = (report.errors[`${name} ${error.code}`] ?? 0) + 1;
    } else
      report.faults.push(
        `page round ${round} (offset ${at}): ${name} rejects with ${error?.code}: ${error?.stack} ${error?.cause?.stack ?? ''}`,
      );
  }
  if (!(fresh instanceof Error))
    await fresh.close().catch((error) => report.faults.push(`close rejects: ${error?.stack}`));
}
for (const [name, index] of Object.entries(open)) {
  await index.close().catch((error) => {
    if (!SemanticIndexError.is(error)) report.faults.push(`close of the ${name} rejects: ${error?.stack}`);
  });
}
process.stdout.write(JSON.stringify(report));
