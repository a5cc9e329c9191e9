import type { FieldConditions, FilterValue, Metadata, Where } from '../types.js';

/** Names of fields with dots, four steps deep; deeper ones are not checked. */
type Path<M, Depth extends unknown[] = []> = {
  [Name in keyof M & string]:
    | Name
    | (Depth['length'] extends 3
        ? never
        : NonNullable<M[Name]> extends readonly unknown[]
          ? never
          : NonNullable<M[Name]> extends object
            ? `${Name}.${Path<NonNullable<M[Name]>, [...Depth, unknown]>}`
            : never);
}[keyof M & string];

type ValueAt<M, P extends string> = P extends keyof M
  ? M[P]
  : P extends `${infer Name}.${infer Rest}`
    ? Name extends keyof M
      ? ValueAt<NonNullable<M[Name]>, Rest>
      : never
    : never;

/** `'a'` and `true` widen: a filter may ask for what is not there. */
type Comparable<V> = V extends string ? string : V extends number ? number : V extends boolean ? boolean : never;

type Conditions<V> = Omit<
  FieldConditions,
  '$eq' | '$ne' | '$in' | '$nin' | '$gt' | '$gte' | '$lt' | '$lte' | '$contains' | '$not'
> & {
  readonly $eq?: Comparable<V> | null;
  readonly $ne?: Comparable<V> | null;
  readonly $in?: readonly (Comparable<V> | null)[];
  readonly $nin?: readonly (Comparable<V> | null)[];
  readonly $gt?: Extract<Comparable<V>, string | number>;
  readonly $gte?: Extract<Comparable<V>, string | number>;
  readonly $lt?: Extract<Comparable<V>, string | number>;
  readonly $lte?: Extract<Comparable<V>, string | number>;
  readonly $contains?: V extends readonly (infer E)[] ? Extract<E, FilterValue> : V extends string ? string : never;
  readonly $not?: Conditions<V>;
};

/**
 * A filter whose fields and values have the types of the metadata. Where the metadata is any JSON object it is {@link Where}.
 */
export type WhereOf<M extends Metadata = Metadata> = string extends keyof M
  ? Where
  : {
      readonly [P in Path<M>]?: Comparable<NonNullable<ValueAt<M, P>>> | null | Conditions<NonNullable<ValueAt<M, P>>>;
    } & {
      readonly $and?: readonly WhereOf<M>[];
      readonly $or?: readonly WhereOf<M>[];
      readonly $not?: WhereOf<M>;
    };
