import type { Where } from '../../index.js';

/**
 * A filter on metadata: the operators of `where`, and `$nor`. A `Date` stands for its ISO 8601 string, as metadata has it. Other
 * operators, such as `$regex`, are refused by name.
 */
export type MastraFilter = { readonly [field: string]: unknown } | null | undefined;

/** Filters nested deeper are left to the index, which refuses them; so is one that contains itself. */
const maxDepth = 100;

/** A filter of Mastra as one of the index, which checks it; undefined where there is none. */
export function whereOf(filter: MastraFilter): Where | undefined {
  return filter === undefined || filter === null ? undefined : (translated(filter, 0) as Where);
}

function translated(value: unknown, depth: number): unknown {
  if (depth > maxDepth) return value;
  if (Array.isArray(value)) return value.map((item) => translated(item, depth + 1));
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  const { $nor, ...others } = Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, translated(member, depth + 1)]),
  );
  if ($nor === undefined) return others;
  // Beside a `$not` of the filter itself.
  return { $and: [others, { $not: { $or: $nor } }] };
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
