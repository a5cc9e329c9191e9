import { describe, expect, it } from 'vitest';
import { findDuplicates, Retriever, SemanticIndex, sync } from '../src/index.js';

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
    await expect(sync(other, [])).rejects.toMatchObject(expected);
    expect(() => new Retriever(other)).toThrow(expect.objectContaining(expected));
  });
});
