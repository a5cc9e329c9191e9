/** Kinds of values in a column, as native/kernel/columns/FORMAT.md numbers them. */
export const valueKinds = {
  null: 0,
  false: 1,
  true: 2,
  number: 3,
  string: 4,
  /** A list of scalars, by its number of elements. */
  list: 5,
  object: 6,
  /** A string that is too long to be stored. */
  longString: 7,
  /** A value that is not stored, as a list with an object. */
  opaque: 8,
} as const;

/** Steps of the longest path that has a column: as many as a name in a filter has. */
export const maxPathSteps = 8;
/** Bytes of the longest path that has a column. */
export const maxPathBytes = 1024;
/** Bytes of the longest string that is stored. */
export const maxStringBytes = 1024;
/** Elements of the longest list that is stored. */
export const maxListElements = 1024;
