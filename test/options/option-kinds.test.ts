import { describe, expect, it } from 'vitest';
import { deterministicProvider } from '../../src/embed/testing/deterministic-provider.js';
import { adviseThreshold, findDuplicates, Retriever, SemanticIndex, sync } from '../../src/index.js';
import * as crashTest from '../../src/options/crash-test.js';
import * as mcp from '../../src/options/mcp.js';
import { checkedWhereUsed, kindOf } from '../../src/options/option-kinds.js';
import * as server from '../../src/options/server.js';
import * as options from '../../src/options.js';

const everyDefaults = Object.entries<unknown>({ ...options, ...mcp, ...server, ...crashTest }).flatMap(
  ([name, defaults]): [string, Record<string, unknown>][] =>
    name.endsWith('Defaults') ? [[name, defaults as Record<string, unknown>]] : [],
);
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
  it('knows the type of every option without default', () => {
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
    ['search minScore', (index, minScore) => index.search('a', { minScore })],
    ['search exact', (index, exact) => index.search('a', { exact })],
    ['search k', (index, k) => index.search('a', { k })],
    ['search diversity', (index, diversity) => index.search('a', { diversity })],
    ['search rerankDepth', (index, rerankDepth) => index.search('a', { rerankDepth })],
    ['search signal', (index, signal) => index.search('a', { signal })],
    ['searchPage after', (index, after) => index.searchPage('a', { after })],
    ['searchMany searchK', (index, searchK) => index.searchMany(['a'], { searchK })],
    ['explain minScore', (index, minScore) => index.explain('a', { minScore })],
    ['listDocuments limit', (index, limit) => index.listDocuments({ limit })],
    ['listDocuments after', (index, after) => index.listDocuments({ after })],
    [
      'addDocuments duplicateThreshold',
      (index, duplicateThreshold) => index.addDocuments(['a'], { duplicateThreshold }),
    ],
    ['addDocuments onProgress', (index, onProgress) => index.addDocuments(['a'], { onProgress })],
    ['plan pricePerMillionTokens', (index, pricePerMillionTokens) => index.plan(['a'], { pricePerMillionTokens })],
    ['tune confidence', (index, confidence) => index.tune({ confidence })],
    ['tune dryRun', (index, dryRun) => index.tune({ dryRun })],
    ['migrate cutOver', (index, cutOver) => index.migrate(provider, { cutOver })],
    ['a retriever minScore', (index, minScore) => new Retriever(index, { minScore })],
    ['a retriever duplicateThreshold', (index, duplicateThreshold) => new Retriever(index, { duplicateThreshold })],
    ['findDuplicates threshold', (index, threshold) => findDuplicates(index, { threshold })],
    ['findDuplicates near', (index, near) => findDuplicates(index, { near })],
    ['adviseThreshold precision', (index, precision) => adviseThreshold(index, { precision })],
    ['sync dryRun', (index, dryRun) => sync(index, [], { dryRun })],
    ['open readonly', (_, readonly) => SemanticIndex.open(':memory:', { readonly })],
    ['open busyTimeout', (_, busyTimeout) => SemanticIndex.open(':memory:', { busyTimeout })],
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
