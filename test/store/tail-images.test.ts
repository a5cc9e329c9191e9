import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type IndexEvent, SemanticIndex } from '../../src/index.js';
import { sqlite } from '../../src/store/sqlite/sqlite.js';
import { deterministicProvider } from '../../src/testing.js';
import { queries, textOf } from './text-oracle.js';

// So many that a chunk has 64 vectors: most of an image are searched in its file.
const dimensions = 4_096;
const provider = deterministicProvider({ dimensions });
const base = mkdtempSync(join(tmpdir(), 'semantic-index-tail-'));
const sound = join(base, 'sound');
let directory: string;
let copies = 0;

function document(n: number): { id: number; text: string } {
  return {
    id: n,
    text: textOf(Array.from({ length: 1 + (n % 9) }, (_, place) => ((n * 17 + place * 37) % 100) / 100)),
  };
}

function documents(first: number, end: number): { id: number; text: string }[] {
  return Array.from({ length: end - first }, (_, place) => document(first + place));
}

function open(path: string, events: IndexEvent[] = [], readonly = false): Promise<SemanticIndex> {
  const onEvent = (event: IndexEvent) => events.push(event);
  // An image is written when 100 documents are not in the one before.
  return SemanticIndex.open(path, {
    provider,
    readonly,
    onEvent,
    ann: { background: false, trees: 2, threads: 1, sealAt: 400 },
  });
}

function images(path: string): string[] {
  return readdirSync(join(path, 'segments')).filter((name) => name.endsWith('.tail'));
}

function run(path: string, sql: string): void {
  const db = new (sqlite())(join(path, 'index.db'));
  db.exec(sql);
  db.close();
}

/** Hits of every mode, each with its score. */
async function answers(index: SemanticIndex): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const query of queries) {
    for (const mode of ['text', 'vector', 'hybrid'] as const) {
      const { hits } = await index.search(query, { mode, k: 20 });
      found.push(hits.map(({ id, score, text }) => ({ id, score, text })));
    }
  }
  return found;
}

/** Compares the answers with those of a copy whose tail is read from the catalog. */
async function expectSameAsWithout(path: string, events: IndexEvent[] = []): Promise<void> {
  const copy = join(base, `oracle ${copies++}`);
  cpSync(path, copy, { recursive: true, preserveTimestamps: true });
  run(copy, "DELETE FROM settings WHERE name = 'tail_image'");
  await using oracle = await open(copy, [], true);
  await using index = await open(path, events, true);
  expect(await answers(index)).toEqual(await answers(oracle));
}

/** A segment, and a tail with an image; documents are deleted and replaced in both. */
beforeAll(async () => {
  await using index = await open(sound);
  await index.addDocuments(documents(0, 60));
  await index.optimize();
  await index.addDocuments(documents(60, 300));
  await index.deleteDocuments([5, 70, 299]);
  await index.addDocuments([{ id: 80, text: 'zipper yellow zipper' }]);
});
afterAll(() => rmSync(base, { recursive: true, force: true }));
beforeEach(() => {
  directory = join(base, `copy ${copies++}`);
  cpSync(sound, directory, { recursive: true, preserveTimestamps: true });
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the image of a tail', () => {
  it('is written when the index is closed, and answers as the catalog does', async () => {
    expect(images(directory)).toHaveLength(1);
    const events: IndexEvent[] = [];
    await expectSameAsWithout(directory, events);
    expect(events).toEqual([]);
    await using index = await open(directory);
    const { valid, checks } = await index.validate({ level: 'full' });
    expect(valid).toBe(true);
    expect(checks.find(({ check }) => check === 'tail_image')).toMatchObject({ passed: true });
    const [name] = images(directory) as [string];
    const { bytes } = await index.stats();
    expect(bytes.tailImage).toBe(readFileSync(join(directory, 'segments', name)).length);
  });

  it('is forgotten when the index is closed while it is read', async () => {
    for (let turn = 0; turn < 20; turn++) await (await open(directory)).close();
    // Another program may remove it between two opens as well.
    const [name] = images(directory) as [string];
    rmSync(join(directory, 'segments', name));
    await expectSameAsWithout(directory);
  });

  it('is compared with what was written by a validation', async () => {
    const [name] = images(directory) as [string];
    const path = join(directory, 'segments', name);
    const bytes = readFileSync(path);
    const check = async (level: 'quick' | 'full') => {
      await using index = await open(directory, [], true);
      const { valid, checks } = await index.validate({ level });
      expect(valid).toBe(true);
      return checks.find((one) => one.check === 'tail_image');
    };
    const damaged = Buffer.from(bytes);
    damaged[bytes.length - 1] = (damaged[bytes.length - 1] as number) ^ 1;
    writeFileSync(path, damaged);
    expect(await check('quick')).toMatchObject({ passed: true });
    expect(await check('full')).toMatchObject({
      passed: false,
      severity: 'warning',
      message: expect.stringContaining('damaged section'),
    });
    writeFileSync(path, bytes.subarray(1));
    expect(await check('quick')).toMatchObject({
      passed: false,
      message: expect.stringContaining(`instead of ${bytes.length}`),
    });
    rmSync(path);
    expect(await check('full')).toMatchObject({ passed: true });
  });

  it('is the source of the tail: no row of it is read', async () => {
    const before = await open(directory, [], true);
    const expected = await answers(before);
    await before.close();
    // Vectors of the tail that cannot be compared would be reported and left out.
    run(directory, 'UPDATE vectors SET data = zeroblob(3) WHERE vector > 100');
    const events: IndexEvent[] = [];
    await using index = await open(directory, events, true);
    expect(await answers(index)).toEqual(expected);
    expect(events).toEqual([]);
  });

  it('is followed by the changes after it', async () => {
    {
      await using index = await open(directory);
      await index.addDocuments(documents(300, 340));
      await index.deleteDocuments([90, 310, 20]);
      await index.addDocuments([{ id: 100, text: 'nowhere else' }]);
      expect((await index.search('nowhere', { mode: 'text' })).hits.map(({ id }) => id)).toEqual([100]);
    }
    expect(images(directory)).toEqual(images(sound));
    await expectSameAsWithout(directory);
  });

  it('is replaced when the tail has grown, and removed when it gets a segment', async () => {
    {
      await using index = await open(directory);
      await index.addDocuments(documents(300, 450));
    }
    expect(images(directory)).toHaveLength(1);
    expect(images(directory)).not.toEqual(images(sound));
    await expectSameAsWithout(directory);
    {
      await using index = await open(directory);
      await index.optimize();
    }
    expect(images(directory)).toEqual([]);
    await expectSameAsWithout(directory);
  });

  it('is not used when it is missing, damaged, or of another time', async () => {
    const [name] = images(directory) as [string];
    const path = join(directory, 'segments', name);
    const bytes = readFileSync(path);
    for (const place of [0, 9, 200, bytes.length >> 1, bytes.length - 1]) {
      const damaged = Buffer.from(bytes);
      damaged[place] = (damaged[place] as number) ^ 16;
      writeFileSync(path, damaged);
      const events: IndexEvent[] = [];
      await expectSameAsWithout(directory, events);
      // Bytes between sections have no meaning.
      for (const event of events) expect(event).toMatchObject({ type: 'damage', file: `segments/${name}` });
      if (place !== 200) expect(events).toHaveLength(1);
    }
    writeFileSync(path, bytes.subarray(0, 1000));
    const short: IndexEvent[] = [];
    await expectSameAsWithout(directory, short);
    expect(short).toMatchObject([{ type: 'damage' }]);
    rmSync(path);
    const missing: IndexEvent[] = [];
    await expectSameAsWithout(directory, missing);
    expect(missing).toEqual([]);
    writeFileSync(path, bytes);
    run(directory, "UPDATE settings SET value = value + 1 WHERE name = 'generation'");
    await expectSameAsWithout(directory);
  });

  /** Half of the bytes are other ones, most of them of vectors. */
  function otherBytes(path: string): Buffer {
    const bytes = readFileSync(path);
    for (let place = bytes.length >> 2; place < (bytes.length >> 2) * 3; place += 4) {
      bytes.writeFloatLE((place % 7) - 3, place);
    }
    return bytes;
  }

  const changes: readonly [how: string, change: (path: string) => void][] = [
    ['written to', (path) => writeFileSync(path, otherBytes(path), { flag: 'r+' })],
    ['cut short', (path) => truncateSync(path, 100_000)],
    ['emptied', (path) => truncateSync(path, 0)],
    [
      'replaced',
      (path) => {
        writeFileSync(`${path}.other`, otherBytes(path));
        renameSync(`${path}.other`, path);
      },
    ],
  ];

  it.each(changes)('gives no answer after it was %s while the index is open', async (_, change) => {
    const [name] = images(directory) as [string];
    const events: IndexEvent[] = [];
    {
      await using index = await open(directory, events);
      const expected = await answers(index);
      change(join(directory, 'segments', name));
      expect(await answers(index)).toEqual(expected);
      expect(events).toMatchObject([{ type: 'damage', file: `segments/${name}` }]);
      await index.addDocuments(documents(300, 310));
      await index.deleteDocuments([100]);
    }
    await expectSameAsWithout(directory);
  });

  it.each(changes)('is not the source of the next one after it was %s', async (_, change) => {
    const [name] = images(directory) as [string];
    {
      await using index = await open(directory);
      await index.addDocuments(documents(300, 450));
      change(join(directory, 'segments', name));
    }
    expect(images(directory)).toEqual([name]);
    await expectSameAsWithout(directory);
  });

  it('is searched on after it was removed', async () => {
    const [name] = images(directory) as [string];
    const events: IndexEvent[] = [];
    await using index = await open(directory, events, true);
    const expected = await answers(index);
    rmSync(join(directory, 'segments', name));
    expect(await answers(index)).toEqual(expected);
    expect(events).toEqual([]);
  });

  it('does not outlive a database that was restored from a backup', async () => {
    const backup = join(base, `backup ${copies++}`);
    cpSync(directory, backup, { recursive: true, preserveTimestamps: true });
    {
      await using index = await open(directory);
      await index.addDocuments(documents(300, 450));
    }
    cpSync(join(backup, 'index.db'), join(directory, 'index.db'));
    for (const log of ['index.db-wal', 'index.db-shm']) rmSync(join(directory, log), { force: true });
    {
      await using index = await open(directory);
      await index.addDocuments(documents(1000, 1090));
    }
    await expectSameAsWithout(directory);
  });

  it('is forgotten when vectors are replaced', async () => {
    run(directory, 'UPDATE vectors SET data = zeroblob(3) WHERE vector = 150');
    {
      await using index = await open(directory);
      await index.rebuild({ from: 'texts' });
    }
    await expectSameAsWithout(directory);
  });

  it.each(['tail-image.written', 'tail-image.publishing', 'tail-image.published'])(
    'loses nothing when the process is killed at %s',
    async (point) => {
      const dist = (name: string): string => JSON.stringify(new URL(`../../dist/${name}.js`, import.meta.url).href);
      const program = join(base, `writer ${copies++}.mjs`);
      // Its threads import it as well, and die with it.
      const dies = `import { subscribe } from 'node:diagnostics_channel';
        subscribe('semantic-index:step', ({ step }) => { if (step === '${point}') process.kill(process.pid, 'SIGKILL'); });`;
      writeFileSync(
        program,
        `import { SemanticIndex } from ${dist('index')};
         import { deterministicProvider } from ${dist('testing')};
         const index = await SemanticIndex.open(${JSON.stringify(directory)}, {
           provider: deterministicProvider({ dimensions: ${dimensions} }),
           ann: { background: false, trees: 2, threads: 1, sealAt: 400 },
         });
         await index.addDocuments(${JSON.stringify(documents(300, 420))});
         await index.close();`,
      );
      const preload = `data:text/javascript,${encodeURIComponent(dies)}`;
      // NODE_OPTIONS also applies to the threads.
      const env = { ...process.env, NODE_OPTIONS: `--import=${preload}` };
      const { signal } = spawnSync(process.execPath, [program], { env });
      expect(signal).toBe('SIGKILL');
      await expectSameAsWithout(directory);
      {
        await using index = await open(directory);
        expect(await index.count()).toBe(417);
        expect((await index.validate({ level: 'full' })).valid).toBe(true);
        await index.optimize();
        expect(await index.count()).toBe(417);
      }
      expect(images(directory)).toEqual([]);
    },
  );

  it('is copied by no backup, and not needed there', async () => {
    const target = join(base, `backup ${copies++}`);
    {
      await using index = await open(directory);
      await index.backup(target);
    }
    expect(images(target)).toEqual([]);
    await expectSameAsWithout(target);
  });
});
