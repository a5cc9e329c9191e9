import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OpenOptions, SemanticIndex } from '../../../src/index.js';
import { sqlite } from '../../../src/store/sqlite/sqlite.js';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'semantic-index-lost-')), 'index');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

const database = (): string => join(folder, 'index.db');
const documents = Array.from({ length: 60 }, (_, id) => ({ id, text: `text ${id}`, vector: [1, id, 2] }));

function open(options: OpenOptions = {}): Promise<SemanticIndex> {
  return SemanticIndex.open(folder, { provider: null, ann: { background: false }, ...options });
}

async function make(withSegment: boolean): Promise<void> {
  await using index = await open();
  await index.addDocuments(documents);
  if (withSegment) await index.optimize({ full: true });
}

const losses: [string, () => void][] = [
  ['is gone', () => rmSync(database())],
  ['is empty', () => truncateSync(database(), 0)],
  [
    'was replaced by a new database',
    () => {
      rmSync(database());
      const db = new (sqlite())(database());
      db.pragma('user_version = 0');
      db.exec('CREATE TABLE t (x); DROP TABLE t');
      db.close();
    },
  ],
];

describe.each(losses)('when index.db %s', (_, lose) => {
  it.each([true, false])(
    'refuses to open, and leaves everything as it is (with a segment: %s)',
    async (withSegment) => {
      await make(withSegment);
      lose();
      const segments = readdirSync(join(folder, 'segments'));
      for (const options of [{}, { create: false }, { readonly: true }]) {
        await expect(open(options)).rejects.toMatchObject({
          code: expect.stringMatching(/^(CORRUPT|NOT_AN_INDEX|READ_ONLY)$/),
          message: expect.stringContaining('index.db'),
        });
      }
      await expect(open()).rejects.toMatchObject({ code: 'CORRUPT', details: { lost: 'index.db' } });
      expect(readdirSync(join(folder, 'segments'))).toEqual(segments);
    },
  );
});

it('refuses an empty index.db beside a log: SQLite would remove the log', async () => {
  mkdirSync(folder);
  writeFileSync(database(), '');
  writeFileSync(`${database()}-wal`, 'commits');
  await expect(open()).rejects.toMatchObject({ code: 'CORRUPT' });
  expect(readFileSync(`${database()}-wal`, 'utf8')).toBe('commits');
});

it('makes an index where the making of one stopped before it was complete', async () => {
  mkdirSync(folder);
  writeFileSync(database(), '');
  await using index = await open();
  await index.addDocuments(documents);
  expect(await index.count()).toBe(documents.length);
  expect(existsSync(join(folder, 'segments'))).toBe(true);
});

describe('when index.db of an open index', () => {
  const away = (): string => `${folder}-away`;
  const ways: [string, () => void | Promise<void>][] = [
    ['is removed', () => rmSync(database())],
    ['is removed with its directory', () => rmSync(folder, { recursive: true })],
    ['is emptied', () => truncateSync(database(), 0)],
    ['is moved away', () => renameSync(folder, away())],
    [
      'is replaced by a restored directory',
      async () => {
        renameSync(folder, away());
        await (await open()).close();
      },
    ],
  ];

  it.each(ways)('%s, every call is refused, and nothing is made in its place', async (_, lose) => {
    await make(true);
    const index = await open({ ann: { background: true } });
    await index.search(Float32Array.of(1, 5, 2));
    await lose();
    const before = existsSync(database()) ? statSync(database()).size : undefined;
    const calls: (() => Promise<unknown>)[] = [
      () => index.search(Float32Array.of(1, 5, 2)).then(({ hits }) => hits),
      () => index.addDocuments([{ id: 'x', text: '', vector: [1, 2, 3] }]),
      () => index.deleteDocuments([1]),
      () => index.getDocument(5),
      () => index.count(),
      () => index.stats(),
      () => index.optimize({ full: true }),
      () => index.backup(`${folder}-backup`),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'IO', details: { lost: 'index.db' } });
    expect((await index.validate()).valid).toBe(false);
    await index.close();
    expect(existsSync(database()) ? statSync(database()).size : undefined).toBe(before);
    expect(existsSync(`${folder}-backup`)).toBe(false);
  });

  it('was replaced, the new one keeps its log when the old one is closed', async () => {
    await make(false);
    const old = await open();
    renameSync(folder, away());
    await using restored = await open();
    await restored.addDocuments([{ id: 'new', text: '', vector: [1, 1, 1] }]);
    await old.close();
    expect(statSync(`${database()}-wal`).size).toBeGreaterThan(0);
    expect(await restored.count()).toBe(1);
  });
});
