import type { Metadata } from './base.js';
import type { FieldConditions, FilterList, FilterValue, Where } from './filter.js';

/** Names of fields with dots, four steps deep; deeper ones are not checked. Lists of objects are looked into. */
type Path<M, Depth extends unknown[] = []> = {
  [Name in keyof M & string]:
    | Name
    | (Depth['length'] extends 3
        ? never
        : Inner<NonNullable<M[Name]>> extends object
          ? `${Name}.${Path<Inner<NonNullable<M[Name]>>, [...Depth, unknown]>}`
          : never);
}[keyof M & string];

/** The objects that a name reaches into: a list's own, else the value itself. */
type Inner<V> = V extends readonly (infer E)[] ? Exclude<NonNullable<E>, FilterValue | readonly unknown[]> : V;

type ValueAt<M, P extends string> = P extends keyof M
  ? M[P]
  : P extends `${infer Name}.${infer Rest}`
    ? Name extends keyof M
      ? ValueAt<Inner<NonNullable<M[Name]>>, Rest>
      : never
    : never;

/** The values that conditions compare with: those of a list are its elements. */
type Element<V> = V extends readonly (infer E)[] ? E : V;

/** `'a'` and `true` widen: a filter may ask for what is not there. */
type Comparable<V> = V extends string ? string : V extends number ? number : V extends boolean ? boolean : never;

type Conditions<V> = Omit<
  FieldConditions,
  | '$eq'
  | '$ne'
  | '$in'
  | '$nin'
  | '$gt'
  | '$gte'
  | '$lt'
  | '$lte'
  | '$contains'
  | '$all'
  | '$size'
  | '$elemMatch'
  | '$not'
> & {
  readonly $eq?: Equal<V>;
  readonly $ne?: Equal<V>;
  readonly $in?: readonly (Comparable<Element<V>> | null)[];
  readonly $nin?: readonly (Comparable<Element<V>> | null)[];
  readonly $gt?: Extract<Comparable<Element<V>>, string | number>;
  readonly $gte?: Extract<Comparable<Element<V>>, string | number>;
  readonly $lt?: Extract<Comparable<Element<V>>, string | number>;
  readonly $lte?: Extract<Comparable<Element<V>>, string | number>;
  readonly $contains?: V extends readonly (infer E)[] ? Extract<E, FilterValue> : V extends string ? string : never;
  readonly $all?: V extends readonly unknown[]
    ? readonly (Comparable<Element<V>> | null | FilterList | Pick<FieldConditions, '$elemMatch'>)[]
    : never;
  readonly $size?: V extends readonly unknown[] ? number : never;
  readonly $elemMatch?: V extends readonly unknown[] ? FieldConditions | Where : never;
  readonly $not?: Conditions<V>;
};

type Equal<V> = Comparable<Element<V>> | null | (V extends readonly unknown[] ? FilterList : never);

/**
 * A filter whose fields and values have the types of the metadata. Where the metadata is any JSON object it is {@link Where}.
 */
export type WhereOf<M extends Metadata = Metadata> = string extends keyof M
  ? Where
  : {
      readonly [P in Path<M>]?: Equal<NonNullable<ValueAt<M, P>>> | Conditions<NonNullable<ValueAt<M, P>>>;
    } & {
      readonly $and?: readonly WhereOf<M>[];
      readonly $or?: readonly WhereOf<M>[];
      readonly $not?: WhereOf<M>;
    };

/** Documents to delete: those that match a filter, or all of them. */
export type DocumentSelection<M extends Metadata = Metadata> =
  | {
      /** Documents that match. A filter that matches every document by its form, such as `{}`, is refused. */
      readonly where: WhereOf<M>;
      readonly all?: false | undefined;
    }
  | {
      /** Every document of the index. */
      readonly all: true;
      readonly where?: undefined;
    };
