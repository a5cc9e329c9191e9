import { type ChildProcess, execSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import type { PostgresOptions } from '../../src/options.js';
import { postgres } from '../../src/postgres/postgres-options.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import { deterministicProvider } from '../../src/testing.js';

const steady = process.env.SEMANTIC_INDEX_POSTGRES;
const unsteady = process.env.SEMANTIC_INDEX_POSTGRES_UNSTEADY;
const restart = process.env.SEMANTIC_INDEX_POSTGRES_RESTART;
/** Longer runs find rarer orders of events. */
const seconds = Number(process.env.SEMANTIC_INDEX_CROWD_SECONDS ?? 8);
const kinds = ['add', 'delete', 'search'] as const;
const roles = ['write', 'write', 'write', 'write', 'delete', 'delete', 'search', 'search', 'search', 'search'];
/** What a server that stops and starts again may cause. */
const expectedErrors = ['UNAVAILABLE', 'BUSY'];

interface Line {
  readonly begin?: 'add' | 'delete';
  readonly done?: 'add' | 'delete' | 'search';
  readonly ids?: readonly string[];
  readonly round?: number;
  readonly error?: string;
  readonly message?: string;
  readonly wrong?: unknown;
}

const name = `crowd_${process.pid}`;
/** Where the index is. One of two shards goes on while the other one is stopped: what is added is in the one and not in the other then. */
const locations: readonly (readonly [title: string, location: PostgresOptions])[] = [
  ['one server', { connectionString: unsteady, name: `${name}_one` }],
  ['two shards', { name: `${name}_two`, shards: [{ connectionString: unsteady }, { connectionString: steady }] }],
];

describe.skipIf(steady === undefined || unsteady === undefined || restart === undefined)('a crowd', () => {
  it.each(locations)(
    'at %s loses nothing that was acknowledged when a server stops at once and processes are killed',
    async (_, location) => {
      const provider = deterministicProvider({ dimensions: 16 });
      const open = () => SemanticIndex.open(postgres(location), { provider, ann: { background: false } });
      await using first = await open();
      await first.addDocuments(['the first document']);
      const lines: { process: number; line: Line }[] = [];
      const start = (number: number): ChildProcess => {
        const program = join(import.meta.dirname, 'postgres-writer.mjs');
        const child = spawn(
          process.execPath,
          [program, roles[number] as string, String(number), JSON.stringify(location)],
          { stdio: ['pipe', 'pipe', 'inherit'] },
        );
        createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
          lines.push({ process: number, line: JSON.parse(line) as Line });
        });
        return child;
      };
      const children = roles.map((_, number) => start(number));
      const ends = children.map((child) => new Promise((resolve) => child.once('close', resolve)));
      const counted = (done: string) => lines.filter(({ line }) => line.done === done).length;
      /** A while, and as long as it takes until each kind was done twice more: processes start slowly on a busy machine. */
      const letThemWork = async (): Promise<void> => {
        const before = kinds.map(counted);
        await setTimeout((seconds * 1_000) / 4);
        while (!kinds.every((done, place) => counted(done) >= (before[place] as number) + 2)) await setTimeout(20);
      };
      for (let stop = 0; stop < 3; stop++) {
        await letThemWork();
        execSync(restart as string, { stdio: 'ignore' });
        // A writer, a deleter and a reader die on the way.
        if (stop === 1) for (const number of [3, 5, 9]) children[number]?.kill('SIGKILL');
      }
      await letThemWork();
      for (const { stdin } of children) stdin?.end();
      await Promise.all(ends);

      const errors = lines.flatMap(({ line }) => (line.error === undefined ? [] : [line]));
      expect(errors.filter(({ error }) => !expectedErrors.includes(error as string))).toEqual([]);
      expect(lines.filter(({ line }) => line.wrong !== undefined)).toEqual([]);

      // For each id what was acknowledged last, and what was begun after it: that is there or not.
      const state = new Map<string, { acknowledged: number | null; begun: (number | null)[] }>();
      for (const { line } of lines) {
        for (const id of line.ids ?? []) {
          const known = state.get(id) ?? { acknowledged: null, begun: [] };
          const value = (line.begin ?? line.done) === 'add' ? (line.round as number) : null;
          if (line.begin !== undefined) known.begun.push(value);
          else state.set(id, { acknowledged: value, begun: [] });
          if (line.begin !== undefined) state.set(id, known);
        }
      }
      await using index = await open();
      const writers = [...state].filter(([id]) => roles[Number(id.split('-')[0])] === 'write');
      const documents = await index.getDocuments(writers.map(([id]) => id));
      for (const [place, [id, { acknowledged, begun }]] of writers.entries()) {
        const found = documents[place];
        expect([acknowledged, ...begun], id).toContain((found?.metadata.round as number | undefined) ?? null);
        if (found !== undefined) expect(found.text).toContain(`round${found.metadata.round} ${id}`);
      }
      let listed = 0;
      for await (const _ of index.documents()) listed++;
      expect(await index.count()).toBe(listed);
      expect(await index.validate({ level: 'full' })).toMatchObject({ valid: true });
      for (const connectionString of [unsteady, steady]) {
        const client = new pg.Client({ connectionString });
        await client.connect();
        await client.query(`DROP SCHEMA IF EXISTS ${location.name} CASCADE`);
        await client.end();
      }
    },
    240_000,
  );
});
