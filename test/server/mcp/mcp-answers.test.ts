import { readdirSync, readFileSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import fc from 'fast-check';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SemanticIndex, sync, syncFolder } from '../../../src/index.js';
import { answerTokens } from '../../../src/server/mcp/answer-tokens.js';
import { createMcpServer } from '../../../src/server/mcp/mcp.js';
import { deterministicProvider } from '../../../src/testing.js';
import '../../property-seed.js';

/** 500 in the long run: SEMANTIC_INDEX_MCP_CALLS=500 SEMANTIC_INDEX_PROPERTY_SEED=random npm test -- test/server/mcp */
const calls = Number(process.env.SEMANTIC_INDEX_MCP_CALLS ?? 80);
const isLong = calls >= 500;
const words = 'harbour night garden server index token budget cursor passage window river stone'.split(' ');
const prose = (characters: number): string => {
  const lines: string[] = [];
  for (let length = 0, at = 0; length < characters; at++) {
    const line = Array.from({ length: 3 + (at % 17) }, (_, place) => words[(at * 7 + place * 5) % words.length]);
    lines.push(`${'\t'.repeat(at % 3)}${line.join(' ')} ${at}.${at % 11 === 0 ? '\n' : ''}`);
    length += (lines.at(-1) as string).length + 1;
  }
  return lines.join('\n');
};

let index: SemanticIndex;
let client: Client;
/** Lines of the sources. */
const files = new Map<string, readonly string[]>();
const sourceCount = (): number => files.size;

beforeAll(async () => {
  index = await SemanticIndex.open(':memory:', { provider: deterministicProvider() });
  await syncFolder(index, 'src/rag');
  for (const name of readdirSync('src/rag', { recursive: true }) as string[]) {
    if (name.endsWith('.ts')) files.set(`src/rag/${name}`, readFileSync(`src/rag/${name}`, 'utf8').split('\n'));
  }
  const large = prose(isLong ? 2_000_000 : 150_000);
  await sync(index, [{ id: 'large.txt', text: large, metadata: { kind: 'prose' } }]);
  files.set('large.txt', large.split('\n'));
  await index.addDocuments([
    { id: 'two megabytes', text: 'The harbour is quiet at night. '.repeat(65_000), metadata: { kind: 'one line' } },
    { id: 'many lines', text: 'harbour\n'.repeat(250_000), metadata: { kind: 'lines', note: 'x'.repeat(100_000) } },
    { id: 7, text: '港の夜は静かです。'.repeat(20_000), metadata: { kind: 'japanese', tags: ['a', 'b'] } },
    {
      id: 'wide',
      text: 'a document with much metadata about the harbour',
      metadata: Object.fromEntries(
        Array.from({ length: 2000 }, (_, at) => [`field${at}`, { a: [at, 'value'.repeat(9)] }]),
      ),
    },
    ...Array.from({ length: 60 }, (_, at) => ({ id: `note ${at}`, text: `A note on ${words[at % 12]} ${at}` })),
  ]);
  const server = await createMcpServer(index);
  const [ofServer, ofClient] = InMemoryTransport.createLinkedPair();
  client = new Client({ name: 'test', version: '1' });
  await Promise.all([server.connect(ofServer), client.connect(ofClient)]);
  // From here on the client checks every answer against its schema.
  await client.listTools();
}, 300_000);
afterAll(async () => {
  await client.close();
  await index.close();
});

async function call(name: string, args: Record<string, unknown>) {
  const { isError = false, content, structuredContent } = await client.callTool({ name, arguments: args });
  const text = (content as { text: string }[])[0]?.text ?? '';
  // biome-ignore lint/suspicious/noExplicitAny: what a test looks into.
  return { isError, text, result: structuredContent as any };
}

const maxTokens = fc.option(fc.integer({ min: 300, max: 25_000 }), { nil: undefined, freq: 4 });
const anyId = () => fc.constantFrom('two megabytes', 'many lines', '7', 'wide', 'note 3', ...files.keys());
const where = fc.constantFrom(undefined, { source: 'large.txt' }, { kind: 'prose' }, { kind: { $exists: false } });
const lines = fc
  .tuple(fc.integer({ min: 1, max: 4000 }), fc.nat(3000))
  .map(([first, more]) => (more === 0 ? `${first}` : `${first}-${first + more}`));
const anyCall = fc.oneof(
  fc.record({
    name: fc.constant('search'),
    args: fc.record({
      query: fc.constantFrom('harbour at night', 'budget of tokens', 'cursor', '港の夜', 'metadata'),
      k: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
      full: fc.boolean(),
      groupBy: fc.constantFrom(undefined, 'source'),
      where,
      maxTokens,
    }),
  }),
  fc.record({
    name: fc.constant('get'),
    args: fc.record({
      id: fc.constant(null).chain(anyId),
      lines: fc.option(lines, { nil: undefined }),
      neighbors: fc.nat(20),
      maxTokens,
    }),
  }),
  fc.record({
    name: fc.constant('list'),
    args: fc.record({ of: fc.constantFrom(undefined, 'sources', 'documents'), where, maxTokens }),
  }),
  fc.record({
    name: fc.constant('facets'),
    args: fc.record({ fields: fc.constantFrom(['source'], ['kind', 'note'], ['tags']), where, maxTokens }),
  }),
  fc.record({ name: fc.constant('status'), args: fc.constant({}) }),
);

describe('the tools of the MCP server', () => {
  it('never exceed the budget of a call', async () => {
    const outcomes = { done: 0, refused: 0 };
    const property = fc.asyncProperty(anyCall, async ({ name, args }) => {
      const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
      const { isError, text, result } = await call(name, given);
      const budget = (given.maxTokens as number | undefined) ?? 8000;
      expect([given, answerTokens(text) <= budget, countTokens(text) <= budget]).toEqual([given, true, true]);
      expect(text.length).toBeLessThanOrEqual(100_000);
      if (isError) {
        outcomes.refused++;
        expect(text).toMatch(/^(?:NOT_FOUND|TOO_LARGE|INVALID_FILTER|INVALID_ARGUMENT): .+\. .+/);
      } else {
        outcomes.done++;
        expect(JSON.parse(text)).toEqual(result);
      }
    });
    await fc.assert(property, { numRuns: calls });
    expect(outcomes.refused).toBeLessThan(outcomes.done);
  });

  it.each([
    { query: 'harbour at night', k: 7, maxTokens: 600, where: { kind: { $exists: false } } },
    { query: 'harbour at night', k: 40, maxTokens: 1500, full: true },
    { query: 'cursor', k: 100, maxTokens: 25_000, where: { source: { $exists: true } } },
  ])('return every hit of one large search once, page by page: $query, $k', async ({ query, ...args }) => {
    const limit = 300;
    const filter = { $and: [args.where ?? {}, { source: { $ne: 'large.txt' } }] };
    const seen: unknown[] = [];
    let after: string | undefined;
    do {
      const { isError, text, result } = await call('search', { query, ...args, where: filter, after });
      expect([isError, text.slice(0, 300)]).toEqual([false, text.slice(0, 300)]);
      expect(result.hits.length).toBeGreaterThan(0);
      seen.push(...result.hits.map(({ id }: { id: unknown }) => id));
      after = result.next;
    } while (after !== undefined && seen.length < limit * 2);
    const { hits, next } = await index.search(query, { k: limit * 2, where: filter as never });
    expect([next, new Set(seen).size, seen.length]).toEqual([undefined, hits.length, hits.length]);
    expect(new Set(seen)).toEqual(new Set(hits.map(({ id }) => id)));
  });

  it('list every source and every other document once, page by page', async () => {
    const listed = async (args: Record<string, unknown>): Promise<unknown[]> => {
      const all: unknown[] = [];
      for (let after: unknown, first = true; first || after !== undefined; first = false) {
        const { isError, text, result } = await call('list', { ...args, after });
        expect([isError, text.slice(0, 200)]).toEqual([false, text.slice(0, 200)]);
        all.push(...(result.sources ?? result.documents));
        after = result.next;
      }
      return all;
    };
    const sources = (await listed({ maxTokens: 300 })) as { source: string; documents: number }[];
    expect(sources.map(({ source }) => source)).toEqual([...files.keys()].sort());
    for (const { source, documents } of sources) expect(documents).toBe(await index.count({ where: { source } }));
    const others = (await listed({ of: 'documents', maxTokens: 500 })) as { id: unknown }[];
    expect([others.length, new Set(others.map(({ id }) => id)).size]).toEqual([64, 64]);
    const below = (await listed({ prefix: 'src/rag/chunking/' })) as { source: string }[];
    expect(below.length).toBe([...files.keys()].filter((name) => name.startsWith('src/rag/chunking/')).length);
  });

  it('get exact lines', async () => {
    const request = fc.record({
      source: fc.constant(null).chain(() => fc.constantFrom(...files.keys())),
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      count: fc.integer({ min: 0, max: 150 }),
      maxTokens,
    });
    const property = fc.asyncProperty(request, async ({ source, from, count, maxTokens }) => {
      const all = files.get(source) as readonly string[];
      const first = 1 + Math.floor(from * (all.length - 1));
      const last = Math.min(all.length, first + count);
      const expected = all.slice(first - 1, last).map((line) => line.trimEnd());
      if (expected.every((line) => line === '')) return;
      const got = new Map<number, string>();
      let after: string | undefined;
      do {
        const args = {
          id: source,
          lines: `${first}-${last}`,
          ...(maxTokens && { maxTokens }),
          ...(after && { after }),
        };
        const { isError, text, result } = await call('get', args);
        expect([isError, text.slice(0, 200)]).toEqual([false, text.slice(0, 200)]);
        const [begin, end] = result.lines.split('-').map(Number);
        const part = result.text.split('\n');
        if (result.next === undefined) expect(begin + part.length - 1).toBe(end ?? begin);
        for (const [at, line] of part.entries()) got.set(begin + at, line.trimEnd());
        after = result.next;
      } while (after !== undefined);
      expect(expected.map((_, at) => got.get(first + at) ?? '')).toEqual(expected);
    });
    await fc.assert(property, { numRuns: Math.ceil(calls / 2) });
  });

  it('cite lines that get returns', async () => {
    const { result } = await call('search', {
      query: 'packs excerpts within a token budget',
      k: 20,
      maxTokens: 20_000,
    });
    let checked = 0;
    for (const { source, lines, text, headings } of result.hits) {
      if (source === undefined) continue;
      const read = await call('get', { id: source, lines, maxTokens: 20_000 });
      const bare = (value: string): string => value.replace(/\s+/g, ' ').trim();
      const cited =
        text.startsWith((headings ?? [''])[0]) && text.includes('\n') ? text.slice(text.indexOf('\n')) : text;
      expect(bare(read.result.text)).toContain(bare(cited));
      checked++;
    }
    expect(checked).toBeGreaterThan(5);
  });

  it('describe the index and its fields', async () => {
    const { result } = await call('status', {});
    expect(result).toMatchObject({ sources: sourceCount(), canAdd: true, documents: await index.count() });
    expect(result.fields).toContainEqual({
      field: 'source',
      types: ['string'],
      example: expect.stringContaining('src/rag/'),
    });
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['get', { id: 'src/rag/nothing.ts' }, /NOT_FOUND.*"src\/rag\/nothing.ts".*id or the source of a hit/],
    ['get', { id: 'large.txt', lines: '9000000' }, /NOT_FOUND.*Its last line with text is \d+/],
    ['get', { id: 'large.txt', pages: '1-2' }, /NOT_FOUND.*It has no pages/],
    ['get', { id: 'large.txt', lines: 'ten' }, /lines such as "10-40", got "ten"/],
    ['get', { id: 'large.txt', lines: '9-3' }, /first and the last of the lines/],
    ['get', { id: 'large.txt', line: 3 }, /"line".*Did you mean "lines"/],
    ['get', { id: 'large.txt', maxTokens: 30_000 }, /at most 25000, got 30000/],
    ['get', { id: 'large.txt', maxTokens: 10 }, /at least 300, got 10/],
    ['list', { after: '!' }, /INVALID_ARGUMENT.*cursor/],
    ['list', { of: 'files' }, /sources or documents/],
    ['status', { all: true }, /"all"/],
  ])('%s refuses %j with what to do', async (name, args, message) => {
    expect(await call(name, args)).toMatchObject({ isError: true, text: expect.stringMatching(message) });
  });

  it.each<[string, Record<string, unknown>]>([
    ['search', { query: 'harbour' }],
    ['list', { of: 'documents' }],
    ['list', { of: 'sources' }],
    ['facets', { fields: ['kind'] }],
  ])('%s %j notes a field that no document has where nothing matches', async (name, args) => {
    const { isError, result } = await call(name, { ...args, where: { knid: 'prose' } });
    expect(isError).toBe(false);
    expect(result.note).toBe('No document has the field "knid". status lists the fields.');
    const found = await call(name, { ...args, where: { kind: { $exists: name !== 'list' || args.of === 'sources' } } });
    expect(found.result).not.toHaveProperty('note');
    expect((await call(name, { ...args, where: { kind: 'none' } })).result).not.toHaveProperty('note');
  });

  it.each<[unknown, string]>([
    ['10-12', '10-12'],
    ['10 - 12', '10-12'],
    [[10, 12], '10-12'],
    ['[10,12]', '10-12'],
    [10, '10'],
    ['10', '10'],
  ])('get understands %j as lines', async (given, expected) => {
    expect((await call('get', { id: 'src/rag/sync.ts', lines: given })).result.lines).toBe(expected);
  });
});

describe('the resources of the MCP server', () => {
  it('are the sources and documents', async () => {
    const { resources } = await client.listResources();
    const listed = [...files.keys()].sort().slice(0, 100);
    expect(resources.map(({ name, title }) => [name, title])).toEqual(listed.map((id) => [id, id]));
    const { contents } = await client.readResource({ uri: 'semantic-index://document/src%2Frag%2Fsync.ts' });
    const text = files.get('src/rag/sync.ts')?.join('\n').trimEnd();
    expect((contents[0] as { text: string }).text).toBe(text);
  });

  it('end within the largest budget, with the call that reads on', async () => {
    const { contents } = await client.readResource({ uri: 'semantic-index://document/two%20megabytes' });
    const [part, rest] = contents as { text: string }[];
    expect(answerTokens(JSON.stringify(part?.text))).toBeLessThanOrEqual(25_000);
    const args = JSON.parse(/\{.*\}/.exec(rest?.text ?? '')?.[0] ?? '{}');
    expect((await call('get', args)).result.text.startsWith('The harbour') || args.after !== undefined).toBe(true);
    await expect(client.readResource({ uri: 'semantic-index://document/none' })).rejects.toThrow(/NOT_FOUND/);
  });

  it('complete names of sources', async () => {
    const ref = { type: 'ref/resource' as const, uri: 'semantic-index://document/{id}' };
    const { completion } = await client.complete({ ref, argument: { name: 'id', value: 'src/rag/re' } });
    expect(completion.values).toEqual([...files.keys()].filter((name) => name.startsWith('src/rag/re')).sort());
  });
});
