// node hostile-folders.mjs FOLDER SEED FOLDERS: makes copies of an index that are changed as a stranger could, uses each in every
// way, and looks whether anything outside of the copy changed. Every operation returns or rejects with a typed error, in time.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { deterministicProvider } from '../../../dist/embed/testing/deterministic-provider.js';
import { SemanticIndexError } from '../../../dist/errors.js';
import { Random } from '../../../dist/random.js';
import { SemanticIndex } from '../../../dist/semantic-index.js';
import { sqlite } from '../../../dist/store/sqlite/sqlite.js';

const [folder, seed, folders] = process.argv.slice(2);
const random = new Random(Number(seed));
const provider = deterministicProvider({ dimensions: 16 });
const longest = 20_000;
const report = { changes: {}, opened: 0, errors: {}, slowest: 0, faults: [] };

const sound = join(folder, 'sound');
const made = await SemanticIndex.open(sound, {
  provider,
  ann: { trees: 2, threads: 1, background: false },
  fields: { part: 'number' },
});
const documents = Array.from({ length: 60 }, (_, id) => ({
  id,
  text: `text ${id} word${id % 7}`,
  metadata: { part: id % 3 },
}));
await made.addDocuments(documents);
await made.optimize({ full: true });
await made.addDocuments([{ id: 'tail', text: 'in no segment' }]);
await made.close();
const sentinel = join(folder, 'sentinel');
mkdirSync(join(sentinel, 'inner'), { recursive: true });
for (const name of ['index.db', 'a.ann', 'inner/b.ann', 'cli.json'])
  writeFileSync(join(sentinel, name), `precious ${name}`);

const listed = () =>
  readdirSync(sentinel, { recursive: true })
    .sort()
    .map((name) => {
      const { mtimeMs, size, mode } = statSync(join(sentinel, name));
      return [name, mtimeMs, size, mode, name.includes('.') && readFileSync(join(sentinel, name), 'utf8')];
    });
const before = JSON.stringify(listed());

const values = () => [
  ...[null, 0, -1, 1, 2 ** 31, 2 ** 53 - 1, -(2n ** 63n), 2n ** 63n - 1n, 1.5, ''],
  ...[
    '../../sentinel/a.ann',
    join(sentinel, 'a.ann'),
    '../sentinel',
    'a'.repeat(10_000),
    '\u0000',
    'x"; DROP TABLE documents; --',
  ],
  ...['{"a":', '[]', 'null', '{"__proto__":{"x":1}}', `${'['.repeat(3_000)}${']'.repeat(3_000)}`, '{"part":"many"}'],
  ...[Buffer.alloc(0), Buffer.alloc(7, 255), Buffer.alloc(64, 255), Buffer.alloc(4_096, 1)],
];

function changeRows(directory) {
  const db = new (sqlite())(join(directory, 'index.db'));
  const names = [];
  try {
    db.pragma('foreign_keys = OFF');
    db.pragma('ignore_check_constraints = ON');
    const tables = db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .pluck()
      .all();
    const wanted = 1 + random.integer(3);
    for (let tries = 0; tries < 60 && names.length < wanted; tries++) {
      const table = random.pick(tables);
      const column = random.pick(db.pragma(`table_info(${table})`)).name;
      const where = random.chance(0.3)
        ? ''
        : ` WHERE rowid IN (SELECT rowid FROM ${table} LIMIT 1 OFFSET ${random.integer(9)})`;
      const sql = random.chance(0.1) ? `DELETE FROM ${table}${where}` : `UPDATE ${table} SET ${column} = ?${where}`;
      try {
        const statement = db.prepare(sql);
        const { changes } = sql.startsWith('D') ? statement.run() : statement.run(random.pick(values()));
        if (changes > 0) names.push(sql.startsWith('D') ? `delete ${table}` : `${table}.${column}`);
      } catch {
        // A value that a column of this type does not take.
      }
    }
  } finally {
    db.close();
  }
  return names;
}

function changeFiles(directory) {
  const segments = join(directory, 'segments');
  const name = random.pick(readdirSync(segments));
  const kind = random.pick(['link file', 'link folder', 'foreign json', 'odd names', 'folder', 'link log']);
  if (kind === 'link file' || kind === 'folder') rmSync(join(segments, name));
  if (kind === 'link file') symlinkSync(join(sentinel, 'a.ann'), join(segments, name));
  if (kind === 'folder') mkdirSync(join(segments, name));
  if (kind === 'link folder') {
    rmSync(segments, { recursive: true });
    symlinkSync(sentinel, segments);
  }
  if (kind === 'foreign json') {
    writeFileSync(
      join(directory, 'cli.json'),
      JSON.stringify({ provider: 'openai', baseURL: 'http://127.0.0.1:9/', model: '../..' }),
    );
    writeFileSync(
      join(segments, `${name.split('.')[0]}.ann.meta.json`),
      '{"metric":"../../sentinel","dimensions":1e99}',
    );
  }
  if (kind === 'odd names')
    for (const odd of ['-rf', '..ann', 'CON.ann', 'a\nb.ann']) writeFileSync(join(segments, odd), 'x');
  if (kind === 'link log') symlinkSync(join(sentinel, 'index.db'), join(directory, 'index.db-wal'));
  return kind;
}

const operations = {
  search: (index) => index.search('text 5 word5', { k: 5, mode: 'vector' }),
  hybrid: (index) => index.search('text 6 word6', { k: 5, where: { part: 0 } }),
  get: (index) => index.getDocument(7),
  list: (index) => index.listDocuments({ limit: 100 }),
  stats: (index) => index.stats(),
  validate: (index) => index.validate({ level: 'full' }),
  add: (index) => index.addDocuments([{ id: 'new', text: 'a new text' }]),
  delete: (index) => index.deleteDocuments([8]),
  rebuild: (index) => index.rebuild(),
  optimize: (index) => index.optimize(),
  backup: (index) => index.backup(join(folder, 'copy', 'backup')),
};

for (let number = 0; number < Number(folders) && report.faults.length < 10; number++) {
  const directory = join(folder, `hostile-${number}`);
  cpSync(sound, directory, { recursive: true, preserveTimestamps: true });
  mkdirSync(join(folder, 'copy'));
  const changes = [];
  if (random.chance(0.75)) changes.push(...changeRows(directory));
  if (changes.length === 0 || random.chance(0.3)) changes.push(changeFiles(directory));
  for (const change of changes) report.changes[change] = (report.changes[change] ?? 0) + 1;
  const attempt = async (name, work) => {
    const started = performance.now();
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not over after ${longest} ms`)), longest);
    });
    try {
      return await Promise.race([work(), late]);
    } catch (error) {
      if (SemanticIndexError.is(error) && error.code !== 'INTERNAL') {
        const key = `${name} ${error.code}`;
        report.errors[key] = (report.errors[key] ?? 0) + 1;
      } else
        report.faults.push(
          `folder ${number} (${changes}): ${name} rejects with ${error?.stack} ${error?.cause?.stack ?? ''}`,
        );
    } finally {
      clearTimeout(timer);
      report.slowest = Math.max(report.slowest, Math.round(performance.now() - started));
    }
  };
  const options = { provider, ann: { trees: 2, threads: 1, background: random.chance(0.3) } };
  const index = await attempt('open', () => SemanticIndex.open(directory, options));
  if (index !== undefined) {
    report.opened++;
    for (const [name, operation] of Object.entries(operations)) await attempt(name, () => operation(index));
    await attempt('close', () => index.close());
  }
  const after = existsSync(sentinel) ? JSON.stringify(listed()) : 'removed';
  if (after !== before) report.faults.push(`folder ${number} (${changes}): the sentinel was ${before} and is ${after}`);
  if (Object.prototype.x !== undefined)
    report.faults.push(`folder ${number} (${changes}): the prototype of objects was changed`);
  rmSync(directory, { recursive: true });
  rmSync(join(folder, 'copy'), { recursive: true });
}
process.stdout.write(JSON.stringify(report));
