import { describe, expect, it } from 'vitest';
import * as dedupe from '../../src/dedupe/options.js';
import { deterministicProvider } from '../../src/embed/testing/deterministic-provider.js';
import { adviseThreshold, findDuplicates, Retriever, SemanticIndex, sync } from '../../src/index.js';
import * as crashTest from '../../src/options/crash-test.js';
import * as mcp from '../../src/options/mcp.js';
import { checkedWhereUsed, kindOf } from '../../src/options/option-kinds.js';
import * as server from '../../src/options/server.js';
import * as options from '../../src/options.js';
import * as rag from '../../src/rag/options.js';
import * as matrix from '../../src/vectors/matrix/matrix-options.js';

const isGroup = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** The defaults of each method, and of each group of options. */
const everyDefaults = Object.entries<unknown>({
  ...options,
  ...dedupe,
  ...rag,
  ...matrix,
  ...mcp,
  ...server,
  ...crashTest,
}).flatMap(([name, defaults]): [string, Record<string, unknown>][] => {
  if (!name.endsWith('Defaults')) return [];
  const members = Object.entries(defaults as Record<string, unknown>);
  const groups = members.flatMap(([group, value]) => (isGroup(value) ? [[`${name}.${group}`, value]] : []));
  const flat = Object.fromEntries(members.filter(([, value]) => !isGroup(value)));
  return [[name, flat], ...(groups as [string, Record<string, unknown>][])];
});
const values: [kind: string, value: unknown][] = [
  ['number', Number.NaN],
  ['number', '3'],
  ['boolean', 'no'],
  ['boolean', 1],
  ['string', 5],
  ['function', 'print'],
  ['list', 'a'],
  ['object', 'a'],
  ['signal', {}],
  ['any', null],
  ['any', Symbol('x')],
];

describe('resolveOptions', () => {
  it('has the type of every option without default', () => {
    expect(everyDefaults.length).toBeGreaterThan(30);
    const unknown = everyDefaults.flatMap(([owner, defaults]) =>
      Object.entries(defaults).flatMap(([name, fallback]) =>
        kindOf(name, fallback) !== undefined || checkedWhereUsed.includes(name) ? [] : [`${owner}.${name}`],
      ),
    );
    expect(unknown).toEqual([]);
  });

  it.each(everyDefaults)('refuses options of another type in %s', (_, defaults) => {
    for (const [name, fallback] of Object.entries(defaults)) {
      const kind = kindOf(name, fallback);
      for (const [of, value] of values) {
        if (kind === undefined || (of !== kind && of !== 'any')) continue;
        expect(() => options.resolveOptions('method', { [name]: value }, defaults)).toThrowError(
          expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(`as ${name}, got`) }),
        );
      }
    }
  });
});

describe('every method', () => {
  const provider = deterministicProvider();
  const bad = [Number.NaN, 'high', '0.9', null, {}];
  const calls: [name: string, call: (index: SemanticIndex, value: never) => unknown][] = [
    ['search minScore', (index, minScore) => index.search('a', { minScore }).then(({ hits }) => hits)],
    ['search exact', (index, exact) => index.search('a', { exact }).then(({ hits }) => hits)],
    ['search k', (index, k) => index.search('a', { k }).then(({ hits }) => hits)],
    ['search diversity', (index, diversity) => index.search('a', { diversity }).then(({ hits }) => hits)],
    ['search rerankDepth', (index, rerankDepth) => index.search('a', { rerankDepth }).then(({ hits }) => hits)],
    ['search signal', (index, signal) => index.search('a', { signal }).then(({ hits }) => hits)],
    ['searchPage after', (index, after) => index.search('a', { after })],
    [
      'searchMany searchK',
      (index, searchK) => index.searchMany(['a'], { searchK }).then((results) => results.map(({ hits }) => hits)),
    ],
    ['explain minScore', (index, minScore) => index.search('a', { minScore, explain: true })],
    ['listDocuments limit', (index, limit) => index.listDocuments({ limit })],
    ['listDocuments after', (index, after) => index.listDocuments({ after })],
    [
      'addDocuments duplicateThreshold',
      (index, duplicateThreshold) => index.addDocuments(['a'], { threshold: duplicateThreshold }),
    ],
    ['addDocuments onProgress', (index, onProgress) => index.addDocuments(['a'], { onProgress })],
    ['plan pricePerMillionTokens', (index, pricePerMillionTokens) => index.plan(['a'], { pricePerMillionTokens })],
    ['tune confidence', (index, confidence) => index.tune({ confidence })],
    ['tune dryRun', (index, dryRun) => index.tune({ dryRun })],
    ['migrate cutOver', (index, cutOver) => index.migrate(provider, { cutOver })],
    ['a retriever minScore', (index, minScore) => new Retriever(index, { minScore })],
    [
      'a retriever duplicateThreshold',
      (index, duplicateThreshold) => new Retriever(index, { threshold: duplicateThreshold }),
    ],
    ['findDuplicates threshold', (index, threshold) => findDuplicates(index, { threshold })],
    ['findDuplicates near', (index, near) => findDuplicates(index, { near })],
    ['adviseThreshold precision', (index, precision) => adviseThreshold(index, { precision })],
    ['sync dryRun', (index, dryRun) => sync(index, [], { dryRun })],
    ['open readonly', (_, readonly) => SemanticIndex.open(':memory:', { readonly })],
    ['open busyTimeout', (_, busyTimeout) => SemanticIndex.open(':memory:', { storage: { busyTimeout } })],
    ['open onEvent', (_, onEvent) => SemanticIndex.open(':memory:', { onEvent })],
  ];
  it.each(calls)('checks %s', async (name, call) => {
    await using index = await SemanticIndex.open(':memory:', { provider });
    await index.addDocuments(['alpha beta', 'gamma delta']);
    for (const value of bad) {
      if (typeof value === 'string' && name.endsWith('after')) continue;
      await expect((async () => call(index, value as never))()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });
});
