import type { ZodType, z as zod } from 'zod';
import { describe, suggestName } from '../../options/resolve-options.js';

type Zod = typeof zod;

/** Longest cursor: about ten thousand documents that were returned already. */
const maxCursorLength = 16_384;

/**
 * The arguments of the tools. Models send `null` for what they leave out, numbers as strings, and objects as JSON text: these are
 * understood. An unknown argument is refused, and the message lists the known ones.
 */
export function toolArguments(z: Zod, maxHits: number) {
  /** An object without other members than these. */
  const strict = <Shape extends Record<string, ZodType>>(what: string, shape: Shape, hint = '') =>
    z
      .object(shape, {
        error: (issue) =>
          issue.code === 'unrecognized_keys' ? unknownMembers(what, issue.keys, Object.keys(shape), hint) : undefined,
      })
      .strict();
  const optional = <T extends ZodType>(inner: T, read: (value: unknown) => unknown) =>
    z.preprocess((value) => (value === null ? undefined : read(value)), inner.optional()).optional();
  const object = (what: string) =>
    z.record(z.string(), z.unknown(), { error: ({ input }) => `Expected ${what}, got ${describe(input)}` });
  const search = strict('argument of search', {
    query: z
      .string({ error: ({ input }) => `Expected a text as query, got ${describe(input)}` })
      .min(1, { error: 'Expected a text as query, got an empty one' })
      .describe('What to look for: a question, or some words'),
    k: optional(
      z
        .number({ error: ({ input }) => `Expected k to be a whole number, got ${describe(input)}` })
        .int({ error: ({ input }) => `Expected k to be a whole number, got ${describe(input)}` })
        .min(1, { error: ({ input }) => `Expected k to be at least 1, got ${describe(input)}` })
        .max(maxHits, { error: ({ input }) => `Expected k to be at most ${maxHits}, got ${describe(input)}` })
        .describe('Most hits; default 5'),
      fromNumericText,
    ),
    where: optional(
      object('where to be an object of conditions').describe(
        'Conditions on the metadata, in the dialect of MongoDB: {"lang":"en","year":{"$gte":2020}}',
      ),
      fromJsonText,
    ),
    full: optional(
      z
        .boolean({ error: ({ input }) => `Expected full to be true or false, got ${describe(input)}` })
        .describe('Return whole texts instead of the best parts of long ones; default false'),
      fromBooleanText,
    ),
    groupBy: optional(
      z
        .string({ error: ({ input }) => `Expected groupBy to be a string, got ${describe(input)}` })
        .min(1)
        .describe('A field of the metadata: at most one hit for each of its values, such as "source"'),
      (value) => value,
    ),
    boost: optional(
      z
        .array(object('a boost to be an object'), {
          error: ({ input }) => `Expected boost to be a list, got ${describe(input)}`,
        })
        .describe(
          'Factors of scores: [{"field":"date","halfLife":"30d"}] prefers new ones, [{"where":{"lang":"en"},"factor":2}] those that match',
        ),
      fromJsonText,
    ),
    after: optional(
      z
        .string({ error: ({ input }) => `Expected after to be a string, got ${describe(input)}` })
        .min(1)
        .max(maxCursorLength)
        .describe('The next of the previous result, for more hits of the same query'),
      (value) => value,
    ),
    syntax: optional(
      z
        .enum(['plain', 'operators'], {
          error: ({ input }) => `Expected syntax to be plain or operators, got ${describe(input)}`,
        })
        .describe(
          'operators: in the query, "several words" must occur next to each other, -word and -"several words" must not occur, and begin* stands for words that begin so; default plain',
        ),
      (value) => value,
    ),
  });
  const text = z
    .string({ error: ({ input }) => `Expected a text, got ${describe(input)}` })
    .min(1, { error: 'Expected a text, got an empty one' });
  const document = z.preprocess(
    (value) => (typeof value === 'string' ? { text: value } : value),
    strict(
      'member of a document',
      {
        id: optional(
          z
            .union([z.string().min(1), z.number().int()], {
              error: ({ input }) => `Expected a non-empty string or a whole number, got ${describe(input)}`,
            })
            .describe('Default: derived from the text'),
          (value) => value,
        ),
        text,
        metadata: optional(object('metadata to be an object'), fromJsonText),
      },
      ' Put other facts into metadata.',
    ),
  );
  const add = strict('argument of add', {
    documents: z.preprocess(fromJsonText, z.array(document).min(1).max(1000)),
  });
  const facets = strict('argument of facets', {
    fields: z.preprocess(
      (value) => (typeof value === 'string' && !value.trimStart().startsWith('[') ? [value] : fromJsonText(value)),
      z.array(z.string().min(1)).min(1).max(20).describe('Fields of the metadata'),
    ),
    where: optional(object('where to be an object of conditions').describe('As for search'), fromJsonText),
  });
  return { search, add, facets };
}

function unknownMembers(what: string, unknown: readonly string[], known: readonly string[], hint: string): string {
  const names = unknown.map((name) => `"${name}"`).join(', ');
  const meant = unknown.length === 1 ? suggestName(unknown[0] as string, known) : undefined;
  const suggestion = meant === undefined ? '' : ` Did you mean "${meant}"?`;
  return `UNKNOWN_OPTION: ${names} is not a known ${what}. Expected ${known.join(', ')}.${suggestion}${hint}`;
}

function fromNumericText(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (value.trim() === 'null') return undefined;
  const number = Number(value);
  return value.trim() === '' || !Number.isFinite(number) ? value : number;
}

function fromBooleanText(value: unknown): unknown {
  return value === 'true' ? true : value === 'false' ? false : value;
}

/** What a text says as JSON, where that is an object, an array or null. */
function fromJsonText(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    const parsed: unknown = JSON.parse(value);
    if (parsed === null) return undefined;
    return typeof parsed === 'object' ? parsed : value;
  } catch {
    return value;
  }
}
