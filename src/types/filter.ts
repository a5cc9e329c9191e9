/** A value that a field is compared with. */
export type FilterValue = string | number | boolean | null;

/** A list that a field is compared with as a whole. */
export type FilterList = readonly (FilterValue | FilterList)[];

/**
 * Conditions on one field; all must match. A list is compared by its elements: a condition matches if it matches one of
 * them; `$ne`, `$nin` and `$not` match if none does.
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
  /** Whether the field exists, even as `null`. */
  readonly $exists?: boolean;
  /** A list with this element, or a string with this substring. */
  readonly $contains?: FilterValue;
  /** A list that contains all of these elements. */
  readonly $all?: readonly (FilterValue | FilterList | Pick<FieldConditions, '$elemMatch'>)[];
  /** A list with this number of elements. */
  readonly $size?: number;
  /**
   * A list with an element that matches all of this: conditions on the element, or a filter on the fields of an object.
   */
  readonly $elemMatch?: FieldConditions | Where;
  readonly $not?: FieldConditions;
}

/**
 * A filter on metadata, in a subset of the query language of MongoDB: `{ lang: 'en', 'author.name': { $in: ['Ada'] }
 * }`. Names with dots reach into nested objects and lists of objects, or are keys with dots. All members must match. An
 * `undefined` member is refused with INVALID_FILTER; `{}` matches all documents.
 */
export type Where = {
  // Apart from the fields: without `exactOptionalPropertyTypes`, an optional member may be undefined, which a field may not.
  readonly $and?: readonly Where[];
  readonly $or?: readonly Where[];
  readonly $not?: Where;
} & {
  readonly [field: string]: FilterValue | FilterList | FieldConditions | Where | readonly Where[];
};
