// Metadata and filters of few names and values, so that conditions often meet what is hard to decide: objects in lists, lists
// in lists, lists of equal elements in another order, keys with dots.

import fc from 'fast-check';

const scalar = fc.constantFrom<string | number | boolean | null>('a', 'b', 'ab', 1, 2, true, null);
const key = fc.constantFrom('a', 'b', 'a.b', '0');
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, scalar, fc.array(scalar, { maxLength: 3 }), tie('list'), tie('object')),
  list: fc.array(fc.oneof(scalar, tie('object'), tie('list')), { maxLength: 2 }),
  object: fc.dictionary(key, tie('value'), { maxKeys: 2, noNullPrototype: true }),
}));

export const denseMetadata = fc.dictionary(key, value, { maxKeys: 3, noNullPrototype: true });

const name = fc.constantFrom('a', 'b', 'a.b', 'b.a', 'a.0', 'a.b.a', 'b.0.a', 'a.a.b');
const ordered = fc.constantFrom<string | number>('a', 'b', 1, 2);
const lists = fc.array(fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })), { maxLength: 3 });
const { where } = fc.letrec<{ where: object; conditions: object }>((tie) => ({
  conditions: fc.oneof(
    fc.record({ $eq: fc.oneof(scalar, lists) }),
    fc.record({ $ne: scalar }),
    fc.record({ $in: fc.array(scalar, { maxLength: 3 }) }),
    ...['$gt', '$gte', '$lt', '$lte'].map((sign) => fc.record({ [sign]: ordered })),
    fc.record({ $exists: fc.boolean() }),
    fc.record({ $contains: scalar }),
    fc.record({ $all: fc.array(scalar, { minLength: 1, maxLength: 2 }) }),
    fc.record({ $size: fc.nat({ max: 3 }) }),
    fc.record({ $elemMatch: fc.oneof(tie('conditions'), fc.dictionary(name, scalar, { minKeys: 1, maxKeys: 1 })) }),
    fc.record({ $not: tie('conditions') }),
  ),
  where: fc.oneof(
    { maxDepth: 2 },
    fc.tuple(name, fc.oneof(scalar, lists, tie('conditions'))).map(([field, test]) => ({ [field]: test })),
    fc.record({ $and: fc.array(tie('where'), { minLength: 1, maxLength: 2 }) }),
    fc.record({ $or: fc.array(tie('where'), { minLength: 1, maxLength: 2 }) }),
    fc.record({ $not: tie('where') }),
  ),
}));

/** Filters that the oracle and the parser read in the same way: a `$not` at the beginning of `$elemMatch` is one of the element. */
export const denseWhere = where;
