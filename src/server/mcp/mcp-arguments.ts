import type { ZodType, z as zod } from 'zod';
import { describe, suggestName } from '../../options/resolve-options.js';
import { rerankNames, type ServedReranker } from '../http/rerank-request.js';
import { largestBudget, smallestBudget } from './answer-budget.js';

type Zod = typeof zod;

/** Longest cursor: about ten thousand documents that were returned already. */
const maxCursorLength = 16_384;

/**
 * The arguments of the tools. Models send `null` for what they leave out, numbers as strings, and objects as JSON text: these are
 * understood. An unknown argument is refused, and the message lists the known ones.
 */
export function toolArguments(z: Zod, maxHits: number, defaultTokens: number, served: ServedReranker) {
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
  const whole = (name: string, least: number, most: number) =>
    z
      .number({ error: ({ input }) => `Expected ${name} to be a whole number, got ${describe(input)}` })
      .int({ error: ({ input }) => `Expected ${name} to be a whole number, got ${describe(input)}` })
      .min(least, { error: ({ input }) => `Expected ${name} to be at least ${least}, got ${describe(input)}` })
      .max(most, { error: ({ input }) => `Expected ${name} to be at most ${most}, got ${describe(input)}` });
  const cursor = (what: string) =>
    optional(
      z
        .string({ error: ({ input }) => `Expected after to be a string, got ${describe(input)}` })
        .min(1)
        .max(maxCursorLength)
        .describe(what),
      (value) => value,
    );
  const maxTokens = optional(
    whole('maxTokens', smallestBudget, largestBudget).describe(
      `Most tokens of the answer: ${smallestBudget} to ${largestBudget}; default ${defaultTokens}`,
    ),
    fromNumericText,
  );
  const range = (name: string, what: string) =>
    optional(
      z
        .string({ error: ({ input }) => `Expected ${name} such as "10-40", got ${describe(input)}` })
        .regex(/^\d{1,9}(?:-\d{0,9})?$/, {
          error: ({ input }) => `Expected ${name} such as "10-40", got ${describe(input)}`,
        })
        .describe(what),
      fromRange,
    );
  const object = (what: string) =>
    z.record(z.string(), z.unknown(), { error: ({ input }) => `Expected ${what}, got ${describe(input)}` });
  const rerankings = rerankNames(served);
  const search = strict('argument of search', {
    query: z
      .string({ error: ({ input }) => `Expected a text as query, got ${describe(input)}` })
      .min(1, { error: 'Expected a text as query, got an empty one' })
      .describe('What to look for: a question, or some words'),
    k: optional(whole('k', 1, maxHits).describe('Most hits; default 5'), fromNumericText),
    where: optional(
      object('where to be an object of conditions').describe(
        'Conditions on the metadata, in the dialect of MongoDB: {"lang":"en","year":{"$gte":2020}}',
      ),
      fromJsonText,
    ),
    full: optional(
      z
        .boolean({ error: ({ input }) => `Expected full to be true or false, got ${describe(input)}` })
        .describe('Return whole texts, as far as they fit, instead of the best parts of long ones; default false'),
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
    maxTokens,
    after: cursor('The next of the previous answer, for more hits of the same query'),
    rerank: optional(
      z
        .enum(rerankings, {
          error: ({ input }) => `Expected rerank to be ${rerankings.join(' or ')}, got ${describe(input)}`,
        })
        .describe(
          `tokens: order the first 50 hits by how near each word of the question is in meaning; for questions${
            rerankings.length > 1 ? '. model: by a model that reads question and text together; slower' : ''
          }`,
        ),
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
    maxTokens,
  });
  const get = strict('argument of get', {
    id: z.preprocess(
      (value) => (typeof value === 'number' ? String(value) : value),
      z
        .string({ error: ({ input }) => `Expected the id or the source of a hit as id, got ${describe(input)}` })
        .min(1, { error: 'Expected the id or the source of a hit as id, got an empty one' })
        .max(maxCursorLength)
        .describe('The id or the source of a hit, such as "docs/guide.md"'),
    ),
    lines: range('lines', 'Lines of its source: "10-40", "10" for one, "10-" to the end'),
    pages: range('pages', 'Pages, slides, sheets, chapters or cells of its source: "3-5"'),
    neighbors: optional(
      whole('neighbors', 0, 20).describe('With the id of a hit: parts before and behind it to read as well; default 0'),
      fromNumericText,
    ),
    maxTokens,
    after: cursor('The next of the previous answer, with the same other arguments: the rest of a long text'),
  });
  const list = strict('argument of list', {
    of: optional(
      z
        .enum(['sources', 'documents'], {
          error: ({ input }) => `Expected of to be sources or documents, got ${describe(input)}`,
        })
        .describe('sources: files; documents: texts that are not parts of files. Default: sources, if there are any'),
      (value) => value,
    ),
    prefix: optional(
      z
        .string({ error: ({ input }) => `Expected prefix to be a string, got ${describe(input)}` })
        .describe('Begin of the names of sources, such as "docs/"'),
      (value) => value,
    ),
    where: optional(object('where to be an object of conditions').describe('As for search'), fromJsonText),
    maxTokens,
    after: cursor('The next of the previous answer'),
  });
  const status = strict('argument of status', {});
  return { search, get, list, facets, status, add };
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

/** `10`, `[10, 40]` and `"10 - 40"` as `10-40`. */
function fromRange(value: unknown): unknown {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value) && value.length === 2 && value.every((one) => Number.isSafeInteger(one)))
    return value.join('-');
  if (typeof value !== 'string') return value;
  const text = value.replace(/\s+/g, '').replace(/[–—]/g, '-');
  if (text === 'null' || text === '') return undefined;
  const [, first, last] = /^\[(\d+),(\d+)\]$/.exec(text) ?? [];
  return first === undefined ? text : `${first}-${last}`;
}

/** First and last of a range. */
export function rangeOf(text: string | undefined): readonly [number, number] | undefined {
  if (text === undefined) return undefined;
  const [first, last] = text.split('-') as [string, string | undefined];
  return [Number(first), last === undefined ? Number(first) : last === '' ? Number.MAX_SAFE_INTEGER : Number(last)];
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
