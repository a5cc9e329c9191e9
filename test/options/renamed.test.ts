import { describe, expect, it } from 'vitest';
import { AnnoyIndex, Retriever, SemanticIndex, SemanticIndexError } from '../../src/index.js';
import { runHere } from '../cli/run-here.js';

const open = () => SemanticIndex.open(':memory:', { provider: null });

describe('a renamed option', () => {
  it.each([
    ['trees', 'ann.trees'],
    ['background', 'ann.background'],
    ['embeddingCache', 'cache.embeddings'],
    ['embeddingCacheBytes', 'cache.embeddingsMaxBytes'],
    ['queryCache', 'cache.queries'],
    ['durability', 'storage.durability'],
    ['busyTimeout', 'storage.busyTimeout'],
  ])('of open, %s, is refused with its new name %s', async (old, name) => {
    await expect(SemanticIndex.open(':memory:', { [old]: 1 } as never)).rejects.toMatchObject({
      code: 'UNKNOWN_OPTION',
      hint: expect.stringContaining(`"${name}"`),
    });
  });

  it('of a method is refused with its new name', async () => {
    await using index = await open();
    const recall = expect.objectContaining({ code: 'UNKNOWN_OPTION', hint: expect.stringContaining('"recall"') });
    await expect(index.tune({ targetRecall: 0.9 } as never)).rejects.toEqual(recall);
    const threshold = expect.objectContaining({ code: 'UNKNOWN_OPTION', hint: expect.stringContaining('"threshold"') });
    await expect(index.addDocuments([], { duplicateThreshold: 1 } as never)).rejects.toEqual(threshold);
    expect(() => new Retriever(index, { duplicateThreshold: 1 } as never)).toThrowError(threshold);
  });
});

describe('a group of options', () => {
  it.each([
    [{ ann: { tree: 3 } }, 'UNKNOWN_OPTION', 'ann.tree', 'ann.trees'],
    [{ cache: { size: 3 } }, 'UNKNOWN_OPTION', 'cache.size', 'cache.embeddings'],
    [{ storage: { busyTimeout: 'long' } }, 'INVALID_ARGUMENT', 'storage.busyTimeout', '10000'],
  ])('names the whole path in the error of %j', async (options, code, path, hint) => {
    await expect(SemanticIndex.open(':memory:', options as never)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(path),
      hint: expect.stringContaining(hint),
    });
  });

  it('is an object', async () => {
    await expect(SemanticIndex.open(':memory:', { ann: true } as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('ann must be an object'),
    });
  });
});

describe('a removed method', () => {
  it.each([
    ['searchPage', 'search(query, { after })'],
    ['explain', 'search(query, { explain: true })'],
    ['build', 'optimize({ full: true })'],
    ['compact', 'optimize()'],
    ['exportAnn', "exportTo(path, { format: 'annoy' })"],
    ['exportDocuments', 'documents()'],
  ])('%s is refused with the call that replaces it', async (name, call) => {
    await using index = await open();
    const error: unknown = await (async () => (index as unknown as Record<string, () => unknown>)[name]?.())().catch(
      (caught: unknown) => caught,
    );
    expect(SemanticIndexError.is(error, 'UNKNOWN_OPTION')).toBe(true);
    expect((error as SemanticIndexError).hint).toContain(call);
  });
});

describe('a renamed part of AnnoyIndex', () => {
  it('method accelerate is refused with buildGraph', async () => {
    const index = new AnnoyIndex(2, 'angular');
    const error: unknown = await (index as unknown as { accelerate(): Promise<void> })
      .accelerate()
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'UNKNOWN_OPTION', message: 'AnnoyIndex has no method accelerate' });
    expect((error as SemanticIndexError).hint).toContain('buildGraph()');
  });

  it("engine 'accelerated' is refused with 'graph'", () => {
    expect(() => new AnnoyIndex(2, 'angular', { engine: 'accelerated' as never })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', hint: expect.stringContaining('"graph"') }),
    );
  });
});

describe('a renamed command', () => {
  it.each([
    [['build', 'my-index'], 'optimize --full'],
    [['compact', 'my-index', '--json'], 'optimize'],
    [['export', 'my-index', 'out', '--as', 'ann'], '--format'],
  ])('%j is a usage error of one line with the new name', async (args, words) => {
    const { code, stderr } = await runHere(args, { cwd: '.' });
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(words);
  });
});
