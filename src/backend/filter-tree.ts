import type { FieldType } from '../options.js';

/**
 * A filter after validation. Whatever decides whether a document matches is made from this tree, so its words are the
 * semantics of `where`:
 *
 * - A condition on a field looks at the values that the name reaches in the metadata. It holds when it holds for one of
 * them;
 *   `not` around it holds when it holds for none.
 * - A value that is a list is tested itself, and by each of its elements. Objects are never equal to anything.
 * - Numbers are compared as JSON writes them, strings by their code points; values of different types are never equal,
 * and
 *   none is less than the other.
 */
export type FilterTree =
  | { readonly kind: 'all' | 'any'; readonly of: readonly FilterTree[] }
  | { readonly kind: 'not'; readonly of: FilterTree }
  | { readonly kind: 'field'; readonly field: Field; readonly test: ValueTest };

/** Types of the declared fields; undefined for a field that an earlier version declared without type. */
export type DeclaredTypes = ReadonlyMap<string, FieldType | undefined>;

/** A name, and how it is read in the metadata. */
export interface Field {
  readonly name: string;
  /** The first steps of all readings of the name; none where the tested element itself is meant, see `element`. */
  readonly readings: readonly Step[];
}

/**
 * One step of a reading: a key of an object, which may have dots in it, or an index of a list. Where a key meets a
 * list, it is looked for in each object of the list.
 */
export interface Step {
  readonly key: string | number;
  /** The steps after it; none where the value is reached. */
  readonly rest: readonly Step[];
}

/** A string, number or boolean that values are compared with. */
export type Scalar = string | number | boolean;

/** A list that values are compared with as a whole. */
export type ScalarList = readonly (Scalar | null | ScalarList)[];

/** The test of a value. */
export type ValueTest =
  | { readonly test: 'equal'; readonly value: Scalar }
  /** Null; also holds where the name reaches no value, or none in one of the objects of a list. */
  | { readonly test: 'null' }
  /** A list of the same elements in the same order. */
  | { readonly test: 'list'; readonly value: ScalarList }
  /** Equal to one of many values of one type. */
  | { readonly test: 'member'; readonly values: readonly string[] | readonly number[] }
  | { readonly test: 'order'; readonly sign: '<' | '<=' | '>' | '>='; readonly value: string | number }
  | { readonly test: 'exists' }
  /** A list with the element, or a string with the part. Elements of lists are compared as a whole. */
  | { readonly test: 'contains'; readonly value: Scalar | null }
  /** A list of so many elements. */
  | { readonly test: 'size'; readonly size: number }
  /**
   * A list with an element for which the filter holds: one of its objects, or with `objects` false any element itself.
   */
  | { readonly test: 'element'; readonly objects: boolean; readonly of: FilterTree };

/**
 * Whether the filter matches every document by its form alone, as `{}`, `{ $and: [] }` and `{ x: { $nin: [] } }` do.
 */
export function matchesAll(tree: FilterTree): boolean {
  return constantOf(tree) === true;
}

function constantOf(tree: FilterTree): boolean | undefined {
  if (tree.kind === 'field') return undefined;
  if (tree.kind === 'not') {
    const negated = constantOf(tree.of);
    return negated === undefined ? undefined : !negated;
  }
  const decisive = tree.kind === 'any';
  const constants = tree.of.map(constantOf);
  if (constants.includes(decisive)) return decisive;
  return constants.every((constant) => constant !== undefined) ? !decisive : undefined;
}

const maxJoinedSteps = 4;
const isIndex = /^(?:0|[1-9]\d{0,8})$/;

/**
 * How a name with dots can be read. Up to four steps, each dot may be the border of two steps or belong to a key;
 * longer names are all steps, or one key. A step of digits is a key, or an index of a list.
 */
export function readingsOf(name: string): readonly Step[] {
  const steps = name.split('.');
  if (steps.length <= maxJoinedSteps) return readSteps(steps, steps.length);
  return [{ key: name, rest: [] }, ...readSteps(steps, 1)];
}

function readSteps(steps: readonly string[], maxJoined: number, first = true): readonly Step[] {
  const readings: Step[] = [];
  for (let joined = 1; joined <= Math.min(maxJoined, steps.length); joined++) {
    const left = steps.slice(joined);
    const rest = left.length === 0 ? [] : readSteps(left, maxJoined, false);
    readings.push({ key: steps.slice(0, joined).join('.'), rest });
    // Metadata is an object, so the first step is not an index.
    if (joined === 1 && !first && isIndex.test(steps[0] as string)) readings.push({ key: Number(steps[0]), rest });
  }
  return readings;
}

/** How many places of a document a field is looked for in: in nested objects, and in objects of lists. */
export function placesOf(readings: readonly Step[]): number {
  return readings.reduce((places, { rest }) => places + (rest.length === 0 ? 1 : 2 * placesOf(rest)), 0);
}

const fieldName = /^[A-Za-z_]\w{0,63}(?:\.[A-Za-z_]\w{0,63}){0,7}$/;

/** Whether a field with this name can be declared: letters, digits and underscores, with dots between steps. */
export function isFieldName(name: string): boolean {
  return fieldName.test(name);
}
