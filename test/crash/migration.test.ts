import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { contentHash } from '../../src/backend/content-hash.js';
import { SemanticIndex } from '../../src/index.js';
import { sqlite } from '../../src/store/sqlite/sqlite.js';
import { deterministicProvider } from '../../src/testing.js';

// Many more: SEMANTIC_INDEX_MIGRATION_KILLS=50 npx vitest run test/crash/migration.test.ts
const kills = Number(process.env.SEMANTIC_INDEX_MIGRATION_KILLS ?? 6);
const root = pathToFileURL(fileURLToPath(new URL('../../', import.meta.url))).href;
const program = fileURLToPath(new URL('migration/migrating-program.mjs', import.meta.url));
const count = 1200;
const textOf = (id: number): string => `alpha${id} beta${id % 50} gamma${id % 7}`;
const provider = (seed: number) => deterministicProvider({ seed, dimensions: 32 });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'migration-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Note = ['asked', string[]] | ['right' | 'wrong' | 'opened' | 'migrated' | 'closed', unknown];

/** xorshift32 (Marsaglia 2003): the same kills in every run, as far as processes allow. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Hashes of the texts whose vectors are stored under a model, and the model that the index is in. */
function stored(directory: string, fingerprint: string): { hashes: Set<string>; current: string; mixed: number } {
  const db = new (sqlite())(join(directory, 'index.db'), { readonly: true });
  try {
    const rows = db
      .prepare('SELECT v.hash FROM vectors v JOIN spaces s ON s.space = v.space WHERE s.fingerprint = ? AND v.role = 0')
      .pluck()
      .all(fingerprint) as Buffer[];
    const current = db
      .prepare("SELECT fingerprint FROM spaces WHERE space = (SELECT value FROM settings WHERE name = 'space')")
      .pluck()
      .get() as string;
    const mixed = db
      .prepare(
        `SELECT count(*) FROM documents d JOIN vectors v ON v.vector = d.vector
         WHERE v.space <> (SELECT value FROM settings WHERE name = 'space')`,
      )
      .pluck()
      .get() as number;
    return { hashes: new Set(rows.map((hash) => hash.toString('base64url'))), current, mixed };
  } finally {
    db.close();
  }
}

it(
  `a migration killed ${kills} times goes on, embeds nothing twice, and searches never see a mixture`,
  async () => {
    const random = generator(7);
    const directory = join(folder, 'index');
    {
      await using index = await SemanticIndex.open(directory, { provider: provider(0), ann: { sealAt: 500 } });
      await index.addDocuments(Array.from({ length: count }, (_, id) => ({ id, text: textOf(id) })));
    }
    const tally = { kills: 0, migrations: 0, whileFilling: 0, right: 0, asked: 0, inFlight: 0 };
    let [from, to] = [0, 1];
    for (let round = 0; tally.kills < kills; round++) {
      const log = join(folder, `round-${round}`);
      const target = provider(to).id;
      const before = stored(directory, target).hashes;
      // Every other one dies by its own hand while it asks for vectors, wherever a slow machine is by then.
      const callsLeft = Math.ceil((count - before.size) / 40);
      const dieAt = tally.kills % 2 === 0 ? 1 + Math.floor(random() * Math.min(28, callsLeft)) : 0;
      const args = [program, root, directory, log, ...[from, to, count, dieAt].map(String)];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
      const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
      while (child.exitCode === null && !existsSync(log)) await new Promise((resolve) => setTimeout(resolve, 2));
      const timer = setTimeout(() => child.kill('SIGKILL'), dieAt > 0 ? 200_000 : 20 + random() * 800);
      const signal = await ended;
      clearTimeout(timer);

      const text = readFileSync(log, 'utf8');
      // A killed process may leave half a line.
      const lines = text.slice(0, text.lastIndexOf('\n')).split('\n');
      const notes = lines.map((line) => JSON.parse(line) as Note);
      const asked = notes.flatMap((note) => (note[0] === 'asked' ? note[1] : []));
      const { hashes, current, mixed } = stored(directory, target);
      expect(notes.filter(([kind]) => kind === 'wrong')).toEqual([]);
      expect(mixed).toBe(0);
      // Nothing that was stored is asked for again, in this run or in one before.
      const own = asked.filter((text) => !text.startsWith('Part') && text.startsWith('alpha'));
      expect(own.filter((text) => before.has(contentHash(text)))).toEqual([]);
      expect(new Set(own).size).toBe(own.length);
      // What a kill may cost: the calls whose vectors were not stored yet.
      const lost = own.filter((text) => !hashes.has(contentHash(text))).length;
      expect(lost).toBeLessThanOrEqual(80);

      tally.asked += own.length;
      tally.inFlight += lost;
      tally.right += notes.filter(([kind]) => kind === 'right').length;
      if (signal === 'SIGKILL') {
        tally.kills++;
        if (current !== target && own.length > 0) tally.whileFilling++;
      } else {
        expect(child.exitCode).toBe(0);
      }
      await using index = await SemanticIndex.open(directory, { provider: provider(current === target ? to : from) });
      expect((await index.validate({ level: 'full' })).valid).toBe(true);
      for (const id of [0, 500, count - 1]) {
        const {
          hits: [hit],
        } = await index.search(textOf(id), { k: 1, mode: 'vector' });
        expect(hit?.id).toBe(id);
        expect(hit?.score).toBeGreaterThan(0.999);
      }
      if (current === target) {
        expect(hashes.size).toBe(count);
        tally.migrations++;
        [from, to] = [to, to + 1];
      }
    }
    console.log(
      `${tally.kills} kills, ${tally.whileFilling} of them while a space was filled; ${tally.migrations} migrations done; ` +
        `${tally.asked} texts asked for, ${tally.inFlight} of them in flight at a kill and requested again; ` +
        `${tally.right} searches right, 0 empty or mixed`,
    );
    expect(tally.whileFilling).toBeGreaterThan(kills / 4);
    expect(tally.right).toBeGreaterThan(kills * 5);
  },
  Math.max(300_000, kills * 30_000),
);
