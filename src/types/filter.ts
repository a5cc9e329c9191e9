/** A value that a field is compared with. */
export type FilterValue = string | number | boolean | null;

/** A list that a field is compared with as a whole. */
export type FilterList = readonly (FilterValue | FilterList)[];

/**
 * Conditions on one field; all of them must hold. A field that is a list is compared by its elements: a condition holds when it
 * holds for one of them, and `$ne`, `$nin` and `$not` hold when it holds for none.
 */
export interface FieldConditions {
  /** Equal, to a list as a whole or to one of its elements; `null` also matches a field that is missing. */
  readonly $eq?: FilterValue | FilterList;
  readonly $ne?: FilterValue | FilterList;
  readonly $in?: readonly FilterValue[];
  readonly $nin?: readonly FilterValue[];
  /** Numbers compare with numbers and strings with strings, by code points; other types never match. */
  readonly $gt?: string | number;
  readonly $gte?: string | number;
  readonly $lt?: string | number;
  readonly $lte?: string | number;
  /** The field exists, possibly as `null`. */
  readonly $exists?: boolean;
  /** The field is a list with this element, or a string with this part. */
  readonly $contains?: FilterValue;
  /** Equal to each of these: a list that has them all. */
  readonly $all?: readonly (FilterValue | FilterList | Pick<FieldConditions, '$elemMatch'>)[];
  /** A list of so many elements. */
  readonly $size?: number;
  /** A list with one element for which all of this holds: conditions on the element, or a filter of an object's fields. */
  readonly $elemMatch?: FieldConditions | Where;
  readonly $not?: FieldConditions;
}

/**
 * Which documents are meant, by their metadata, in the dialect of MongoDB: `{ lang: 'en', 'author.name': { $in: ['Ada'] } }`.
 * Names with dots reach into nested objects and lists of objects, or are names of keys with dots. All members must hold.
 * A member that is `undefined` is refused with INVALID_FILTER; `{}` matches all documents.
 */
export interface Where {
  readonly $and?: readonly Where[];
  readonly $or?: readonly Where[];
  readonly $not?: Where;
  readonly [field: string]: FilterValue | FilterList | FieldConditions | Where | readonly Where[];
}
