import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deterministicProvider } from '../src/embed/testing/deterministic-provider.js';
import type { ErrorCode } from '../src/errors.js';
import { renamedMethods } from '../src/options/renamed.js';
import { SemanticIndex } from '../src/semantic-index.js';
import type { ExportResult, FacetsResult, SearchResult } from '../src/types.js';

const provider = deterministicProvider({ dimensions: 16 });
const folder = mkdtempSync(join(tmpdir(), 'semantic-index-states-'));
const sound = join(folder, 'sound');
/** The same with documents that have no forest yet. */
const grown = join(folder, 'grown');
const documents = Array.from({ length: 300 }, (_, n) => ({
  id: n,
  text: `word${n % 30} number${n}`,
  metadata: { group: n % 3 },
}));
const ann = { trees: 4, threads: 1, background: false };
const options = { provider, ann };
let copies = 0;
let exported: string;

function copy(from = sound): string {
  const directory = join(folder, `copy-${copies++}`);
  cpSync(from, directory, { recursive: true, preserveTimestamps: true });
  return directory;
}

/** Work that is pending while an operation begins. */
interface Entered {
  readonly index: SemanticIndex;
  readonly underWay?: Promise<unknown>;
}

const states = {
  /** Forests mapped and read in. */
  open: async (): Promise<Entered> => ({
    index: await SemanticIndex.open(copy(), { provider, ann: { ...ann, loadMode: 'eager' } }),
  }),
  /** Nothing searched yet. */
  lazy: async (): Promise<Entered> => ({
    index: await SemanticIndex.open(copy(), { provider, ann: { ...ann, loadMode: 'lazy' } }),
  }),
  /** The first search is loading segments. */
  loading: async (): Promise<Entered> => {
    const index = await SemanticIndex.open(copy(), options);
    return { index, underWay: index.search('word1').then(({ hits }) => hits) };
  },
  /** A build is running. */
  building: async (): Promise<Entered> => {
    const index = await SemanticIndex.open(copy(grown), options);
    return { index, underWay: index.optimize({ full: true }) };
  },
  closed: async (): Promise<Entered> => {
    const index = await SemanticIndex.open(copy(), options);
    await index.close();
    return { index };
  },
  readonly: async (): Promise<Entered> => ({ index: await SemanticIndex.open(copy(), { ...options, readonly: true }) }),
  /** Segment files are missing, and no process rebuilds them. */
  degraded: async (): Promise<Entered> => {
    const directory = copy();
    const segments = join(directory, 'segments');
    for (const file of readdirSync(segments)) rmSync(join(segments, file));
    return { index: await SemanticIndex.open(directory, options) };
  },
};
type State = keyof typeof states;

/** States that a call which writes nothing leaves as they are. */
const lasting: readonly State[] = ['open', 'closed', 'readonly', 'degraded'];
const shared = new Map<State, Promise<Entered>>();

/** An index in this state: for calls that write nothing the same one, where the state outlasts them. */
function enter(state: State, method: string): Promise<Entered> {
  const ends = method === 'close' || method === '[Symbol.asyncDispose]';
  const writes = outcomesOf.get(method)?.readonly !== 'done' && state !== 'readonly' && state !== 'closed';
  if (ends || writes || !lasting.includes(state)) return states[state]();
  const entered = shared.get(state) ?? states[state]();
  shared.set(state, entered);
  return entered;
}

/** What the documentation says of a method: done, or refused with a code. */
type Outcome = 'done' | ErrorCode;

/** The table of docs/states.md: method, then state, then what comes of it. */
function documented(): Map<string, Record<State, Outcome>> {
  const lines = readFileSync(new URL('../docs/states.md', import.meta.url), 'utf8').split('\n');
  const rows = lines.filter((line) => line.startsWith('|')).map((line) => line.split('|').slice(1, -1));
  const [header = [], , ...groups] = rows.map((row) => row.map((cell) => cell.trim()));
  const outcomes = new Map<string, Record<State, Outcome>>();
  for (const [methods = '', ...cells] of groups) {
    const group = Object.fromEntries(cells.map((cell, column) => [header[column + 1], cell]));
    for (const [, method] of methods.matchAll(/`([^`]+)`/g))
      outcomes.set(method as string, group as typeof group & Record<State, Outcome>);
  }
  return outcomes;
}
const outcomesOf = documented();

const fresh = (): string => join(folder, `fresh-${copies++}`);
const other = deterministicProvider({ dimensions: 12, seed: 9 });

/** Every public method, and a call whose result shows that it was done. */
const table: Record<string, [(index: SemanticIndex) => Promise<unknown>, (result: never) => void]> = {
  getDocument: [(i) => i.getDocument(7), (d: { text: string }) => expect(d.text).toBe('word7 number7')],
  getDocuments: [(i) => i.getDocuments([1, 999]), (d: unknown[]) => expect(d[1]).toBeUndefined()],
  getVectors: [(i) => i.getVectors([1]), ([v]: [Float32Array]) => expect(v).toHaveLength(16)],
  knownWords: [(i) => i.knownWords(['a text']), (words: unknown[]) => expect(words).toHaveLength(1)],
  listDocuments: [
    (i) => i.listDocuments({ limit: 5 }),
    ({ documents }: { documents: unknown[] }) => expect(documents).toHaveLength(5),
  ],
  count: [(i) => i.count({ where: { group: 0 } }), (n: number) => expect(n).toBe(100)],
  facets: [
    (i) => i.facets({ fields: ['group'] }),
    ({ facets }: FacetsResult) => expect(facets.group?.counts.map(({ count }) => count)).toEqual([100, 100, 100]),
  ],
  search: [
    (i) => i.search('number8', { k: 3, explain: true }),
    ({ hits, next, explanation }: SearchResult) =>
      expect([hits[0]?.id, typeof next, typeof explanation]).toEqual([8, 'string', 'object']),
  ],
  searchMany: [
    (i) => i.searchMany(['number8', 'number9']),
    (results: SearchResult[]) => expect(results.map(({ hits }) => hits[0]?.id)).toEqual([8, 9]),
  ],
  suggest: [(i) => i.suggest('numb'), (found: unknown[]) => expect(found.length).toBeGreaterThan(0)],
  plan: [(i) => i.plan(['a new text']), (plan: object) => expect(plan).toMatchObject({ new: 1 })],
  validate: [(i) => i.validate(), ({ valid }: { valid: boolean }) => expect(valid).toBe(true)],
  stats: [(i) => i.stats(), (s: { documents: number }) => expect(s.documents).toBeGreaterThanOrEqual(300)],
  documents: [
    async (i) => {
      let count = 0;
      for await (const document of i.documents()) count += document.vector.length > 0 ? 1 : 0;
      return count;
    },
    (n: number) => expect(n).toBeGreaterThanOrEqual(300),
  ],
  exportTo: [
    async (i) => [await i.exportTo(fresh()), await i.exportTo(fresh(), { format: 'annoy' })],
    (exports: ExportResult[]) => {
      for (const { documents, lost } of exports) {
        expect(documents).toBeGreaterThanOrEqual(300);
        expect(lost).toEqual([]);
      }
    },
  ],
  backup: [
    async (i) => {
      const target = fresh();
      await i.backup(target);
      await using made = await SemanticIndex.open(target, options);
      return made.count();
    },
    (n: number) => expect(n).toBeGreaterThanOrEqual(300),
  ],
  addDocuments: [
    (i) => i.addDocuments([{ id: 'new', text: 'quite another text' }]),
    (result: object) => expect(result).toMatchObject({ added: 1 }),
  ],
  deleteDocuments: [(i) => i.deleteDocuments([1, 2]), (n: number) => expect(n).toBe(2)],
  updateMetadata: [(i) => i.updateMetadata([{ id: 3, metadata: { group: 9 } }]), (n: number) => expect(n).toBe(1)],
  importFrom: [(i) => i.importFrom(exported), (result: object) => expect(result).toMatchObject({ unchanged: 300 })],
  optimize: [
    async (i) => [await i.optimize(), await i.optimize({ full: true })],
    ([one, all]: [object, object]) => {
      expect(one).toMatchObject({ items: 0 });
      expect(all).toMatchObject({ segments: 1 });
    },
  ],
  rebuild: [(i) => i.rebuild(), () => {}],
  evaluate: [
    (i) => i.evaluate([{ query: { id: 1 }, relevant: [2] }], { onUnknownId: 'keep', resamples: 10 }),
    (result: object) => expect(result).toMatchObject({ k: 10 }),
  ],
  tune: [(i) => i.tune({ sample: 20 }), (result: object) => expect(result).toBeTypeOf('object')],
  migrate: [(i) => i.migrate(other), (result: object) => expect(result).toBeTypeOf('object')],
  close: [(i) => i.close(), () => {}],
  '[Symbol.asyncDispose]': [(i) => i[Symbol.asyncDispose](), () => {}],
};

beforeAll(async () => {
  const index = await SemanticIndex.open(sound, options);
  await index.addDocuments(documents);
  await index.optimize({ full: true });
  exported = fresh();
  await index.exportTo(exported);
  await index.close();
  cpSync(sound, grown, { recursive: true, preserveTimestamps: true });
  await using more = await SemanticIndex.open(grown, options);
  await more.addDocuments(Array.from({ length: 50 }, (_, n) => `further text ${n}`));
});
afterAll(async () => {
  for (const entered of shared.values()) await (await entered).index.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('every public method', () => {
  it('is in the table', () => {
    const names = new Set<string>();
    for (let type = SemanticIndex.prototype; type !== Object.prototype; type = Object.getPrototypeOf(type)) {
      for (const name of Object.getOwnPropertyNames(type))
        if (name !== 'constructor' && !Object.hasOwn(renamedMethods.SemanticIndex, name)) names.add(name);
    }
    names.add('[Symbol.asyncDispose]');
    expect(Object.keys(table).sort()).toEqual([...names].sort());
    expect([...outcomesOf.keys()].sort()).toEqual([...names].sort());
    for (const outcomes of outcomesOf.values()) expect(Object.keys(outcomes)).toEqual(Object.keys(states));
  });
});

describe.each(Object.entries(table))('%s', (method, [operation, check]) => {
  it.each(Object.entries(outcomesOf.get(method) ?? {}) as [State, Outcome][])('when %s: %s', async (state, outcome) => {
    const { index, underWay } = await enter(state, method);
    const before = Promise.resolve(underWay).then(
      () => 'done',
      (error: { code: string }) => error.code,
    );
    try {
      if (outcome === 'done') {
        check((await operation(index)) as never);
      } else {
        await expect(operation(index)).rejects.toMatchObject({ name: 'SemanticIndexError', code: outcome });
      }
      // Pending work is completed, whatever was called meanwhile.
      expect(['done', 'BUSY']).toContain(await before);
    } finally {
      if ((await shared.get(state))?.index !== index) await index.close();
    }
  });
});
