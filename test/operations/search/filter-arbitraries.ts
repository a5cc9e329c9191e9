// Random metadata and filters, with everything that has a meaning of its own: numbers of all sizes, odd keys, lists in lists.

import fc from 'fast-check';

const number = fc.oneof(
  fc.constantFrom(0, -0, 1, 2, -1, 0.1, 2.5, 1e21, 5e-324, 1.7976931348623157e308),
  fc.constantFrom(2 ** 53, 2 ** 53 + 2, 2 ** 62, -(2 ** 62), 2 ** 62 + 1024, 2 ** 63, -(2 ** 63), 2 ** 64),
  fc.constantFrom(
    ...['1234567890123456789', '1234567890123457000', '9223372036854774784', '1e18', '1.2345e20'].map(Number),
  ),
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const string = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'ab',
    '',
    '1',
    '0',
    'true',
    'null',
    'é',
    'e\u0301',
    '😀',
    '\uffff',
    'a\u0000b',
    'a"b',
    '\\',
    '[1]',
  ),
  fc.constantFrom('2024-01-01T00:00:00.000Z', '2024-06-01', '$eq', '%', '\ud800'),
  fc.string({ unit: 'binary', maxLength: 3 }),
);
const scalar = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(1, 2, 'a', 'b') },
  number,
  string,
  fc.boolean(),
  fc.constant(null),
);
const key = fc.constantFrom(
  'a',
  'b',
  'c',
  '0',
  '1',
  '2024',
  'a.b',
  'b.c',
  'a.b.c',
  'a.0',
  'b.',
  '.a',
  '',
  'x y',
  'a"b',
  'a\\b',
  'é',
  '[0]',
  '-1',
  '00',
  'a.b.c.d.e',
  'toString',
  '\n',
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4, depthSize: 'small' }, scalar, tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 3 }),
  object: fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
}));
/** Metadata with keys that names in filters reach in several ways. */
export const metadata = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true });

const field = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'c',
    '0',
    '2024',
    'a.b',
    'b.c',
    'a.b.c',
    'a.0',
    'a.0.b',
    'b.1',
    'b.1.0',
    'a.2024',
    'b.',
    '.a',
    'x y',
  ),
  fc.constantFrom(
    '',
    'a"b',
    'a\\b',
    'é',
    '[0]',
    'a.[0]',
    'a.-1',
    'a.00',
    '0.0',
    'a.b.c.d',
    'a.b.c.d.e',
    'a.b.0.c.1',
    'toString',
    'a.length',
    '\n',
    'a.',
  ),
);
const scalars = fc.array(scalar, { maxLength: 3 });
const { list } = fc.letrec((tie) => ({
  list: fc.array(fc.oneof({ depthSize: 'small', maxDepth: 2 }, scalar, tie('list')), { maxLength: 3 }),
}));
/** In `$elemMatch` a `$not` at the beginning is one of the element itself. */
function isOfObjects(where: unknown): boolean {
  return Object.keys(where as object)[0] !== '$not';
}

const ordered = fc.oneof(number, string, fc.constantFrom(1, 'a'));
/** Filters that are valid, on names that reach some of the keys. */
export const { where } = fc.letrec<{ where: object; conditions: object }>((tie) => ({
  conditions: fc
    .array(
      fc.oneof(
        fc.record({ $eq: fc.oneof(scalar, list) }),
        fc.record({ $ne: fc.oneof(scalar, list) }),
        fc.record({ $in: scalars }),
        fc.record({ $nin: scalars }),
        ...['$gt', '$gte', '$lt', '$lte'].map((sign) => fc.record({ [sign]: ordered })),
        fc.record({ $exists: fc.boolean() }),
        fc.record({ $contains: scalar }),
        fc.record({ $all: fc.array(fc.oneof(scalar, list), { maxLength: 2 }) }),
        fc.record({ $size: fc.nat({ max: 3 }) }),
        fc.record({ $elemMatch: fc.oneof({ maxDepth: 2 }, tie('conditions'), tie('where').filter(isOfObjects)) }),
        fc.record({ $not: tie('conditions') }),
      ),
      { minLength: 1, maxLength: 2 },
    )
    .map((all) => Object.assign({}, ...all)),
  where: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.dictionary(field, fc.oneof(scalar, list, tie('conditions')), { maxKeys: 2, noNullPrototype: true }),
    fc.record({ $and: fc.array(tie('where'), { maxLength: 3 }) }),
    fc.record({ $or: fc.array(tie('where'), { maxLength: 3 }) }),
    fc.record({ $not: tie('where') }),
  ),
}));
