import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Boost, DocumentId, Hit, SearchOptions, SemanticIndex, Where } from '../../../src/index.js';
import { Random } from '../../../src/random.js';
import { pick, randomIndex, randomText, type StoredText, valuesOf, words } from './column-corpus.js';
import { matches } from './filter-oracle.js';

/** Indexes, and cases of each kind on each index. SEMANTIC_INDEX_COLUMN_CASES=50 for a long run. */
const cases = Number(process.env.SEMANTIC_INDEX_COLUMN_CASES ?? 6);
const indexes = Number(process.env.SEMANTIC_INDEX_COLUMN_INDEXES ?? 3);
const seed = Number(process.env.SEMANTIC_INDEX_COLUMN_SEED ?? 1);
const random = new Random(seed);
const folder = mkdtempSync(join(tmpdir(), 'semantic-index-columns-'));
const built: { index: SemanticIndex; stored: Map<DocumentId, StoredText> }[] = [];
let checked = 0;

beforeAll(async () => {
  for (let number = 0; number < indexes; number++) {
    const directory = number % 3 === 2 ? ':memory:' : join(folder, String(number));
    built.push(await randomIndex(random, directory, 30 + random.integer(60)));
  }
}, 600_000);
afterAll(async () => {
  for (const { index } of built) await index.close();
  rmSync(folder, { recursive: true, force: true });
  if (cases > 20) console.log(`${checked} random cases, seed ${seed}, 0 differences`);
});

const fields = ['source', 'tags', 'price', 'when', 'author.name', 'author'];
const filters: (Where | undefined)[] = [
  undefined,
  undefined,
  { source: 'a' },
  { source: { $ne: 'a' } },
  { price: { $gte: 1 } },
  { tags: { $in: ['x', 1] } },
  { 'author.name': 'Ada' },
];
const only = <T>(value: T | undefined, name: string) => (value === undefined ? {} : { [name]: value });
const passing = (stored: Map<DocumentId, StoredText>, where: Where | undefined): StoredText[] =>
  [...stored.values()].filter(
    ({ metadata }) => where === undefined || matches(metadata ?? {}, where as Record<string, unknown>),
  );
/** Every document that a search can find, in its order. */
async function everything(index: SemanticIndex, query: string, options: SearchOptions): Promise<Hit[]> {
  const { hits } = await index.search(query, { ...options, k: 1000, exact: true });
  return hits;
}
const groupOf = ({ id, metadata }: { id: DocumentId; metadata?: unknown }, field: string): string => {
  const values = valuesOf(metadata, field);
  return values.length === 0 ? `id ${id}` : JSON.stringify(values.map((value) => JSON.stringify(value)).sort());
};
function grouped(hits: readonly Hit[], field: string, size: number): [string, DocumentId[]][] {
  const groups = new Map<string, DocumentId[]>();
  for (const hit of hits) {
    const list = groups.get(groupOf(hit, field)) ?? [];
    if (list.length < size) list.push(hit.id);
    groups.set(groupOf(hit, field), list);
  }
  return [...groups];
}

async function each(
  check: (index: SemanticIndex, stored: Map<DocumentId, StoredText>) => Promise<void>,
): Promise<void> {
  for (const { index, stored } of built) {
    for (let number = 0; number < cases; number++) {
      await check(index, stored);
      checked++;
    }
  }
}

describe('facets', () => {
  it('count what a walk over all documents counts', async () => {
    await each(async (index, stored) => {
      const where = pick(random, filters);
      const names = fields.filter(() => random.integer(2) === 0);
      if (names.length === 0) names.push('tags');
      const { documents, facets } = await index.facets({ fields: names, ...only(where, 'where') });
      const passed = passing(stored, where);
      expect(documents).toBe(passed.length);
      for (const name of names) {
        const counts = new Map<unknown, number>();
        let missing = 0;
        for (const { metadata } of passed) {
          const values = valuesOf(metadata, name);
          if (values.length === 0) missing++;
          for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
        }
        const facet = facets[name];
        expect(new Map(facet?.counts.map(({ value, count }) => [value, count]))).toEqual(counts);
        expect([facet?.missing, facet?.distinct]).toEqual([missing, counts.size]);
        const order = facet?.counts.map(({ count }) => count) ?? [];
        expect(order).toEqual([...order].sort((a, b) => b - a));
      }
    });
  });

  it('count a document once for each range and month that it is in', async () => {
    await each(async (index, stored) => {
      const where = pick(random, filters);
      const ranges = [{ to: 1 }, { from: 1, to: 60 }, { from: 0 }];
      const { facets } = await index.facets({
        fields: { price: { ranges }, when: { interval: 'month' } },
        ...only(where, 'where'),
      });
      const passed = passing(stored, where);
      const prices = passed.map(({ metadata }) => valuesOf(metadata, 'price'));
      expect(facets.price?.counts).toEqual(
        ranges.map(({ from, to }) => ({
          ...only(from, 'from'),
          ...only(to, 'to'),
          count: prices.filter((values) =>
            values.some((value) => typeof value === 'number' && value >= (from ?? -1e9) && value < (to ?? 1e9)),
          ).length,
        })),
      );
      const months = new Map<string, number>();
      for (const { metadata } of passed) {
        const [when] = valuesOf(metadata, 'when');
        const at =
          typeof when === 'number' ? when : when === 'soon' ? Number.NaN : Date.parse(String(when).slice(0, 10));
        if (!Number.isNaN(at)) {
          const month = `${new Date(at).toISOString().slice(0, 7)}-01T00:00:00.000Z`;
          months.set(month, (months.get(month) ?? 0) + 1);
        }
      }
      expect(facets.when?.counts).toEqual([...months].sort().map(([value, count]) => ({ value, count })));
    });
  });

  it('are the same beside the hits of a search', async () => {
    await each(async (index) => {
      const where = pick(random, filters);
      const options = { ...only(where, 'where'), k: 2 };
      const { facets } = await index.search(randomText(random), { ...options, facets: ['source', 'tags'] });
      expect(facets).toEqual((await index.facets({ fields: ['source', 'tags'], ...only(where, 'where') })).facets);
    });
  });
});

describe('groupBy', () => {
  it.each(['text', 'vector', 'hybrid'] as const)(
    'gives the groups of a search for everything in mode %s',
    async (mode) => {
      await each(async (index) => {
        const [field, size, k] = [pick(random, fields), 1 + random.integer(3), 1 + random.integer(6)];
        const where = pick(random, filters);
        const options: SearchOptions = { mode, ...only(where, 'where'), exact: true };
        const query = random.integer(2) === 0 ? randomText(random) : pick(random, words);
        const all = grouped(await everything(index, query, options), field, size);
        let after: string | undefined;
        let first = 0;
        for (let page = 0; page < 3; page++) {
          const found = await index.search(query, {
            ...options,
            k,
            groupBy: field,
            groupSize: size,
            ...only(after, 'after'),
          });
          const expected = all.slice(first, first + k);
          expect(found.groups?.map(({ hits }) => hits.map(({ id }) => id))).toEqual(expected.map(([, ids]) => ids));
          expect(found.hits.map(({ id }) => id)).toEqual(expected.flatMap(([, ids]) => ids));
          for (const { value, hits } of found.groups ?? []) {
            const values = value === undefined ? [] : Array.isArray(value) ? value : [value];
            for (const { metadata } of hits) expect(new Set(valuesOf(metadata, field))).toEqual(new Set(values));
          }
          first += k;
          expect(found.next === undefined).toBe(first >= all.length);
          if (found.next === undefined) break;
          after = found.next;
        }
      });
    },
  );
});

describe('boost', () => {
  const now = Date.parse('2026-12-01');
  const numberOf = (value: unknown): number =>
    typeof value === 'number'
      ? value
      : /^\d{4}-/.test(String(value))
        ? Date.parse(`${value}`.slice(0, 10)) + hours(value)
        : Number.NaN;
  const hours = (value: unknown): number => (String(value).includes('T') ? 10 * 3_600_000 : 0);
  const boosts: { boost: Boost; factor: (metadata: unknown) => number }[] = [
    ...[5, 40, 400].map((days) => ({
      boost: { field: 'when', halfLife: `${days}d`, now },
      factor: (metadata: unknown) => {
        const newest = Math.max(
          ...valuesOf(metadata, 'when')
            .map(numberOf)
            .filter((value) => !Number.isNaN(value)),
        );
        return Number.isFinite(newest) ? 2 ** (-Math.max(0, now - newest) / (days * 86_400_000)) : 1;
      },
    })),
    ...[0, 0.5, 3].map((factor) => ({
      boost: { field: 'price', scale: 2, factor },
      factor: (metadata: unknown) => {
        const prices = valuesOf(metadata, 'price').filter((value) => typeof value === 'number');
        const greatest = Math.max(0, ...(prices as number[]));
        return 1 + ((factor - 1) * greatest) / (greatest + 2);
      },
    })),
    ...[0, 0.2, 4].map((factor) => ({
      boost: { where: { tags: 'x' }, factor },
      factor: (metadata: unknown) => (valuesOf(metadata, 'tags').includes('x') ? factor : 1),
    })),
  ];
  const least = 2 ** -512;

  it.each(['text', 'vector', 'hybrid'] as const)('multiplies the scores of all documents in mode %s', async (mode) => {
    await each(async (index) => {
      const chosen = Array.from({ length: 1 + random.integer(3) }, () => pick(random, boosts));
      const boost = chosen.map((one) => one.boost);
      const factorOf = (metadata: unknown): number =>
        Math.max(
          least,
          chosen.reduce((product, { factor }) => product * factor(metadata), 1),
        );
      const where = pick(random, filters);
      const options: SearchOptions = { mode, ...only(where, 'where'), exact: true };
      const query = random.integer(2) === 0 ? randomText(random) : pick(random, words);
      const expected = new Map(
        (await everything(index, query, options)).map(({ id, score, metadata }) => {
          const factor = factorOf(metadata);
          return [id, score >= 0 ? score * factor : score / factor] as const;
        }),
      );
      const best = [...expected.values()].sort((a, b) => b - a);
      const found: Hit[] = [];
      let after: string | undefined;
      for (let page = 0; page < 2; page++) {
        const { hits, next } = await index.search(query, {
          ...options,
          boost,
          k: 1 + random.integer(7),
          ...only(after, 'after'),
        });
        found.push(...hits);
        after = next;
        if (after === undefined) break;
      }
      if (after === undefined) expect(found.length).toBe(expected.size);
      for (const [place, { id, score }] of found.entries()) {
        const wanted = expected.get(id) ?? Number.NaN;
        const tolerance = 1e-9 * Math.max(1, Math.abs(wanted));
        expect(Math.abs(score - wanted)).toBeLessThanOrEqual(tolerance);
        expect(Math.abs(score - (best[place] ?? Number.NaN))).toBeLessThanOrEqual(tolerance);
      }
      expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
      const boosted = await index.search(query, { ...options, boost, k: 1000 });
      const [field, size, k] = [pick(random, fields), 1 + random.integer(3), 1 + random.integer(5)];
      const { groups } = await index.search(query, { ...options, boost, k, groupBy: field, groupSize: size });
      expect(groups?.map(({ hits }) => hits.map(({ id }) => id))).toEqual(
        grouped(boosted.hits, field, size)
          .slice(0, k)
          .map(([, ids]) => ids),
      );
    });
  });
});

describe('sort', () => {
  it('lists all documents in the order of a field', async () => {
    const rank = (value: unknown) => ['boolean', 'number', 'string'].indexOf(typeof value);
    const compare = (a: string | number | boolean, b: string | number | boolean): number =>
      rank(a) - rank(b) ||
      (typeof a === 'string' ? Buffer.compare(Buffer.from(a), Buffer.from(b as string)) : Number(a) - Number(b));
    await each(async (index, stored) => {
      const [field, order, where] = [
        pick(random, fields),
        pick(random, ['asc', 'desc'] as const),
        pick(random, filters),
      ];
      const { documents: oldest } = await index.listDocuments({ limit: 1000 });
      const position = new Map(oldest.map(({ id }, place) => [id, place]));
      const sign = order === 'asc' ? 1 : -1;
      const keyed = passing(stored, where).map(({ id, metadata }) => {
        const [value] = valuesOf(metadata, field).sort((a, b) => sign * compare(a, b));
        return { id, value };
      });
      keyed.sort((a, b) => {
        if (a.value === undefined || b.value === undefined) {
          if (a.value !== b.value) return a.value === undefined ? 1 : -1;
        } else if (compare(a.value, b.value) !== 0) return sign * compare(a.value, b.value);
        return (position.get(a.id) ?? 0) - (position.get(b.id) ?? 0);
      });
      const found: DocumentId[] = [];
      let after: string | undefined;
      do {
        const options = {
          sort: { field, order },
          limit: 1 + random.integer(20),
          ...only(where, 'where'),
          ...only(after, 'after'),
        };
        const { documents, next } = await index.listDocuments(options);
        found.push(...documents.map(({ id }) => id));
        after = next;
      } while (after !== undefined);
      expect(found).toEqual(keyed.map(({ id }) => id));
    });
  });
});

describe('options that columns answer', () => {
  it.each([
    [{ groupBy: '' }, /groupBy/],
    [{ groupBy: 'sorce' }, /"sorce", which no document has/],
    [{ groupBy: 'source', groupSize: 0 }, /groupSize/],
    [{ groupBy: 'source', groupSize: 1001 }, /at most 1000 as groupSize/],
    [{ boost: [] }, /1 to 16 boosts/],
    [{ boost: [{ field: 'when', halfLife: 0 }] }, /halfLife/],
    [{ boost: [{ field: 'when', halfLife: '3 months' }] }, /halfLife/],
    [{ boost: [{ field: 'when', halfLife: 1, now: 'today' }] }, /now/],
    [{ boost: [{ field: 'price', scale: 0, factor: 2 }] }, /scale/],
    [{ boost: [{ field: 'price', scale: 1, factor: Number.POSITIVE_INFINITY }] }, /factor/],
    [{ boost: [{ field: 'price', scale: 1, factor: -1 }] }, /factor/],
    [{ boost: [{ field: 'cost', scale: 1, factor: 2 }] }, /"cost", which no document has/],
    [{ boost: [{ where: { tags: 'x' } }] }, /factor/],
    [{ boost: [{ where: { tags: 'x' }, field: 'when', factor: 1 }] }, /where and factor alone/],
    [{ boost: ['when'] }, /boost\[0\]/],
    [{ groupSize: 2 }, /expected groupBy/],
    [{ groupBy: 'source', diversity: 0.5 }, /groupBy or diversity/],
    [{ facets: [] }, /1 to 100 fields as facets/],
    [{ facets: ['source', 'source'] }, /"source" twice/],
    [{ facets: ['nothing'] }, /"nothing", which no document has/],
    [{ facets: { price: { ranges: [] } } }, /ranges as facets.price.ranges/],
    [{ facets: { price: { ranges: [{ from: 2, to: 2 }] } } }, /below/],
    [{ facets: { price: { ranges: [{ from: 1 }], interval: 'day' } } }, /ranges or interval/],
    [{ facets: { price: { interval: 'decade' } } }, /interval/],
    [{ facets: { price: { limit: 0 } } }, /limit/],
  ])('refuses %j', async (options, message) => {
    const [{ index } = built[0] as (typeof built)[number]] = built;
    await expect(index.search('harbour', options as SearchOptions)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(message),
    });
  });

  it('refuses to sort by a field that no document has, or by no order', async () => {
    const [{ index } = built[0] as (typeof built)[number]] = built;
    for (const sort of [{ field: 'x.y' }, { field: 'source', order: 'up' }, { field: 3 }]) {
      await expect(index.listDocuments({ sort: sort as never })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    await expect(index.listDocuments({ sort: { field: 'source' }, after: 'x' })).rejects.toThrow(/cursor/);
  });
});
