import { describe, expect, it } from 'vitest';
import {
  adviseMinScore,
  adviseThreshold,
  copyIndex,
  findDuplicates,
  Retriever,
  readPassage,
  SemanticIndex,
  sync,
  syncFolder,
  watch,
} from '../src/index.js';
import { createMcpServer } from '../src/server/mcp/mcp.js';
import { createServer } from '../src/server/server.js';

describe('what works on an index', () => {
  it.each([
    ['null', () => null],
    ['undefined', () => undefined],
    ['"my-index"', () => 'my-index'],
    ['a Promise', () => SemanticIndex.open(':memory:', { provider: null })],
  ])('refuses %s', async (got, make) => {
    const other = make() as never;
    await using index = await SemanticIndex.open(':memory:', { provider: null });
    const expected = {
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(`expected a SemanticIndex, got ${got}$`),
      hint: expect.stringContaining('await'),
    };
    await expect(findDuplicates(other)).rejects.toMatchObject(expected);
    // What is not an object is refused as every option is.
    if (got === 'a Promise') await expect(findDuplicates(index, { against: other })).rejects.toMatchObject(expected);
    const questions = [{ query: 'parcel', relevant: ['a'] }];
    for (const call of [
      () => sync(other, []),
      () => syncFolder(other, '.'),
      () => readPassage(other, 'a'),
      () => adviseThreshold(other),
      () => adviseMinScore(other, questions),
      () => createMcpServer(other),
    ]) {
      await expect(call()).rejects.toMatchObject(expected);
    }
    const named = (role: string) => ({
      ...expected,
      message: `copyIndex: ${role}: expected a SemanticIndex, got ${got}`,
    });
    await expect(copyIndex(other, index)).rejects.toMatchObject(named('source'));
    await expect(copyIndex(index, other)).rejects.toMatchObject(named('target'));
    expect(() => new Retriever(other)).toThrow(expect.objectContaining(expected));
    expect(() => watch(other, '.')).toThrow(expect.objectContaining(expected));
  });

  it('is refused in place of the function that opens it', async () => {
    await using index = await SemanticIndex.open(':memory:', { provider: null });
    await expect(createServer(index as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'createServer: expected a function that opens the index, got a SemanticIndex',
      hint: expect.stringContaining('() => SemanticIndex.open'),
    });
  });
});
