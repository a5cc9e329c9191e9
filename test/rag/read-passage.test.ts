import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { estimateTokens, readPassage, SemanticIndex, sync, syncFolder } from '../../src/index.js';
import { deterministicProvider } from '../../src/testing.js';
import { scratchFolder } from '../cli/run-cli.js';
import '../property-seed.js';

const runs = Number(process.env.SEMANTIC_INDEX_PASSAGES ?? 30);
let index: SemanticIndex;
/** The lines of each source, without white space at their ends. */
const files = new Map<string, readonly string[]>();

beforeAll(async () => {
  index = await SemanticIndex.open(':memory:', { provider: deterministicProvider() });
  for (const folder of ['src/rag', 'docs/api']) {
    await syncFolder(index, folder);
    for (const name of readdirSync(folder)) {
      if (!/\.(?:ts|md)$/.test(name)) continue;
      const lines = readFileSync(join(folder, name), 'utf8').split('\n');
      files.set(
        `${folder}/${name}`,
        lines.map((line) => line.trimEnd()),
      );
    }
  }
  const crlf = Array.from({ length: 300 }, (_, line) => `\t${'word '.repeat(line % 40)}${line}`);
  await sync(index, [{ id: 'crlf.txt', text: crlf.join('\r\n') }]);
  files.set(
    'crlf.txt',
    crlf.map((line) => line.trimEnd()),
  );
  await index.addDocuments([
    { id: 'plain', text: 'one\ntwo\nthree', metadata: { lang: 'en' } },
    { id: 12, text: 'a number' },
    { id: 'long', text: 'no line end '.repeat(50_000) },
  ]);
});
afterAll(() => index.close());

/** Joins the parts of a passage: blank lines between two parts are in neither. */
async function inParts(id: string, options: { lines?: [number, number]; maxTokens: number }) {
  const lines = new Map<number, string>();
  let after: string | undefined;
  do {
    const part = await readPassage(index, id, { ...options, after });
    expect(estimateTokens(part.text)).toBeLessThanOrEqual(options.maxTokens);
    for (const [position, line] of part.text.split(/\r\n|\n/).entries()) {
      const at = part.startLine + position;
      lines.set(at, (lines.get(at) ?? '') + line);
    }
    expect(part.next).not.toBe(after ?? 0);
    after = part.next;
  } while (after !== undefined);
  return lines;
}

describe('readPassage', () => {
  it('returns the lines of files, whole and in parts', async () => {
    const range = fc.record({
      source: fc.constantFrom(...files.keys()),
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      count: fc.integer({ min: 1, max: 120 }),
      maxTokens: fc.option(fc.integer({ min: 20, max: 400 }), { nil: undefined }),
    });
    const property = fc.asyncProperty(range, async ({ source, from, count, maxTokens }) => {
      const all = files.get(source) as readonly string[];
      const first = 1 + Math.floor(from * (all.length - 1));
      const last = Math.min(all.length, first + count);
      const expected = all.slice(first - 1, last);
      if (expected.every((line) => line === '')) return;
      if (maxTokens === undefined) {
        const { text, startLine, endLine, next } = await readPassage(index, source, { lines: [first, last] });
        const got = text.split(/\r\n|\n/).map((line) => line.trimEnd());
        expect(got).toEqual(all.slice(startLine - 1, endLine));
        expect([startLine >= first, endLine <= last, next]).toEqual([true, true, undefined]);
        expect(
          all
            .slice(first - 1, startLine - 1)
            .concat(all.slice(endLine, last))
            .join(''),
        ).toBe('');
        return;
      }
      const lines = await inParts(source, { lines: [first, last], maxTokens });
      expect(expected.map((_, at) => (lines.get(first + at) ?? '').trimEnd())).toEqual(expected);
    });
    await fc.assert(property, { numRuns: runs });
  });

  it('reads a chunk with as many neighbors as fit', async () => {
    const { hits } = await index.search('joins excerpts into passages', {
      k: 30,
      where: { source: 'src/rag/passages.ts' },
    });
    for (const { id } of hits) {
      const alone = await readPassage(index, id);
      const wide = await readPassage(index, id, { neighbors: 2 });
      expect(wide.ids).toContain(id);
      expect(wide.ids.length).toBeGreaterThan(alone.ids.length);
      const lines = files.get('src/rag/passages.ts')?.slice(wide.startLine - 1, wide.endLine);
      expect(wide.text.split('\n')).toEqual(lines);
      const maxTokens = Math.ceil(estimateTokens(alone.text) * 1.3);
      const tight = await readPassage(index, id, { neighbors: 2, maxTokens });
      expect([tight.ids.includes(id), tight.ids.length < 5, tight.next]).toEqual([true, true, undefined]);
      expect(estimateTokens(tight.text)).toBeLessThanOrEqual(maxTokens);
    }
  });

  it('reads documents that are not chunks', async () => {
    expect(await readPassage(index, 'plain')).toEqual({
      ...{ source: 'plain', headings: [], text: 'one\ntwo\nthree', startLine: 1, endLine: 3, ids: ['plain'] },
      metadata: { lang: 'en' },
    });
    expect(await readPassage(index, 'plain', { lines: [2, 9] })).toMatchObject({ text: 'two\nthree', startLine: 2 });
    expect(await readPassage(index, '12')).toMatchObject({ text: 'a number', ids: [12] });
    const lines = await inParts('long', { maxTokens: 5000 });
    expect(lines.get(1)).toBe('no line end '.repeat(50_000));
  });

  it('reads pages', async () => {
    const block = (text: string, page: number, start: number) => ({
      ...{ kind: 'text' as const, depth: 0, heading: '', page, start, end: start + text.length },
    });
    const text = 'On the first page.\n\nOn the second page.';
    const blocks = [block('On the first page.', 1, 0), block('On the second page.', 2, 20)];
    const properties = { format: 'pdf' as const };
    await sync(index, [{ id: 'paper.pdf', text, blocks, pageKind: 'page', properties }]);
    const read = await readPassage(index, 'paper.pdf', { pages: [2, 2] });
    expect(read).toMatchObject({ page: read.page, endPage: 2, pageKind: 'page' });
    expect(read.text).toContain('On the second page.');
    await expect(readPassage(index, 'paper.pdf', { pages: [3, 4] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      hint: expect.stringContaining('2'),
    });
  });

  it('reports lines whose chunks were deleted', async () => {
    const ids = (await readPassage(index, 'crlf.txt')).ids;
    const middle = await readPassage(index, ids[2] as string);
    await index.deleteDocuments([ids[2] as string]);
    const { missing } = await readPassage(index, 'crlf.txt');
    expect(missing).toEqual([[middle.startLine, middle.endLine]]);
  });

  it.each<[string | number, object, string]>([
    ['nothing.md', {}, 'NOT_FOUND'],
    ['', {}, 'INVALID_ARGUMENT'],
    ['plain', { lines: [3, 2] }, 'INVALID_ARGUMENT'],
    ['plain', { lines: [0, 2] }, 'INVALID_ARGUMENT'],
    ['plain', { lines: [4, 5] }, 'NOT_FOUND'],
    ['docs/api/rag.md', { lines: [100_000, 100_001] }, 'NOT_FOUND'],
    ['plain', { lines: [1, 2], pages: [1, 2] }, 'INVALID_ARGUMENT'],
    ['plain', { neighbors: -1 }, 'INVALID_ARGUMENT'],
    ['plain', { neighbors: 101 }, 'INVALID_ARGUMENT'],
    ['plain', { maxTokens: 0 }, 'INVALID_ARGUMENT'],
    ['plain', { after: '%' }, 'INVALID_ARGUMENT'],
    ['plain', { after: 'zz' }, 'NOT_FOUND'],
    ['plain', { linse: [1, 2] }, 'UNKNOWN_OPTION'],
  ])('refuses %j with %j', async (id, options, code) => {
    await expect(readPassage(index, id, options)).rejects.toMatchObject({ code, hint: expect.stringMatching(/\w/) });
  });

  it('has the lines of files with CRLF, tabs and blank lines', async () => {
    const folder = scratchFolder();
    const text = 'def a():\n\treturn 1\n\n\n\tif x:\n\t\treturn 2\n'.repeat(60);
    writeFileSync(join(folder, 'a.py'), text);
    const own = await SemanticIndex.open(':memory:', { provider: deterministicProvider() });
    await sync(own, [{ id: 'a.py', text }]);
    const read = await readPassage(own, 'a.py');
    expect(read.text).toBe(text.trimEnd());
    await own.close();
  });
});
