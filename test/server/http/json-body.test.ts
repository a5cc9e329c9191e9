import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonInSlices } from '../../../src/server/http/json-answer.js';
import { type JsonLimits, parseJsonBody } from '../../../src/server/http/json-body.js';

const parse = (text: string, limits: JsonLimits = { pieceLength: 8 }) =>
  parseJsonBody(Buffer.from(text), JSON.parse, limits);
/** What JSON.parse makes of a text as UTF-8; undefined for what is not JSON. */
const expected = (text: string): unknown => {
  try {
    return { value: JSON.parse(Buffer.from(text).toString()) };
  } catch {
    return undefined;
  }
};
const outcome = (text: string) =>
  parse(text).then(
    (value) => ({ value }),
    (error: { code: string }) => {
      expect(error.code).toBe('INVALID_ARGUMENT');
      return undefined;
    },
  );

describe('a body in pieces', () => {
  test('is what JSON.parse makes of it', async () => {
    const json = fc.tuple(fc.json({ maxDepth: 5, noUnicodeString: false }), fc.constantFrom(undefined, 1, ' ', '\t\n'));
    await fc.assert(
      fc.asyncProperty(json, async ([text, indent]) => {
        const spaced = JSON.stringify(JSON.parse(text), undefined, indent);
        expect(await outcome(` ${spaced}\n`)).toEqual(expected(spaced));
      }),
      { numRuns: 500 },
    );
  });

  test('is refused where JSON.parse refuses it', async () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'[]{},:"\\ 1atrue'), maxLength: 60 }),
      fc.tuple(fc.json({ maxDepth: 3 }), fc.nat(), fc.constantFrom('', ...'[]{},:"\\x')).map(([json, at, change]) => {
        const place = at % (json.length + 1);
        return json.slice(0, place) + change + json.slice(place + 1);
      }),
    );
    await fc.assert(
      fc.asyncProperty(text, async (given) => {
        expect(await outcome(given)).toEqual(expected(given));
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    '[1,2,3,4,5,]',
    '[,1,2,3,4,5]',
    '{"a":1,"b":2,}',
    '["aaaaaaaaaa",,1]',
    '[[1,2,3,4,5,6}',
    '{"abcdefgh" 1234567}',
  ])('refuses %s', async (text) => expect(await outcome(text)).toBeUndefined());

  test('refuses what would change a prototype', async () => {
    await expect(parse('{"__proto__":{"a":[1,2,3,4,5]}}')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(parse('{"constructor":{"prototype":{"a":12345678}}}')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  test('refuses too many values and members, and what is nested too deeply', async () => {
    const numbers = JSON.stringify(Array(100).fill(1));
    expect(await parse(numbers, { pieceLength: 8, maxValues: 100 })).toHaveLength(100);
    await expect(parse(numbers, { pieceLength: 8, maxValues: 99 })).rejects.toMatchObject({ code: 'TOO_LARGE' });
    const members = JSON.stringify(
      Object.fromEntries(
        numbers
          .slice(1, -1)
          .split(',')
          .map((_, n) => [`a${n}`, n]),
      ),
    );
    expect(Object.keys((await parse(members, { pieceLength: 8, maxMembers: 100 })) as object)).toHaveLength(100);
    await expect(parse(members, { pieceLength: 8, maxMembers: 99 })).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('99 members'),
    });
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    await expect(parse(deep, {})).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

test('an answer in pieces is what JSON.stringify makes of it', async () => {
  const hit = fc.record({
    id: fc.oneof(fc.string(), fc.nat()),
    score: fc.double(),
    metadata: fc.dictionary(fc.string(), fc.jsonValue()),
  });
  const hits = fc.array(hit);
  const answer = fc.oneof(
    fc.record({ hits, milliseconds: fc.double() }),
    fc.record({ results: fc.array(fc.record({ hits })), milliseconds: fc.double() }),
    fc.record({ documents: hits, next: fc.option(fc.string(), { nil: undefined }) }),
  );
  await fc.assert(
    fc.asyncProperty(answer, async (value) => {
      expect((await jsonInSlices(value, new AbortController().signal)).toString()).toBe(JSON.stringify(value));
    }),
  );
});
