import { SemanticIndexError } from '../errors.js';
import type { LongWorkOptions } from '../types.js';
import { describe } from './describe.js';
import { checkKind } from './option-kinds.js';
import { newNameOf } from './renamed.js';

export { describe } from './describe.js';

/** Distance in single-character edits (Levenshtein 1966), for spelling suggestions. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min((previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** The known name nearest to a misspelt one, if any is near enough to be meant. */
export function suggestName(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  const ranked = known
    .map((candidate) => ({ candidate, edits: editDistance(lower, candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best !== undefined && best.edits <= Math.max(2, Math.floor(name.length / 3)) ? best.candidate : undefined;
}

/** Every member of a type of options, so that an object of defaults lists them all. */
export type Listed<T> = { [K in keyof T]-?: T[K] | undefined };

type Completed<Value, Default> = undefined extends Default ? Value | undefined : Exclude<Value, undefined>;

/** Options `T`, completed by their defaults `D`: each member is there, and is undefined only where it has no default. */
export type Resolved<T, D> = { [K in keyof T]-?: K extends keyof D ? Completed<T[K], D[K]> : T[K] };

/**
 * Merges options with their defaults. `defaults` names every option that exists: one without default is listed there as
 * `undefined`. A default that is an object is a group of options.
 *
 * @throws INVALID_ARGUMENT when `options` is not an object, or an option has another type than its default (see `option-kinds.ts`
 *   for those without); UNKNOWN_OPTION (with a suggestion) when it has another member.
 */
export function resolveOptions<T extends object, D extends object>(
  method: string,
  options: T | undefined,
  defaults: D,
): Resolved<T, D> {
  return resolve(method, '', options, defaults) as Resolved<T, D>;
}

function resolve(method: string, group: string, options: unknown, defaults: object): Record<string, unknown> {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    if (options === undefined) return { ...defaults };
    const expected = group === '' ? 'options must be an object' : `${group.slice(0, -1)} must be an object`;
    throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: ${expected}, got ${describe(options)}`);
  }
  const resolved: Record<string, unknown> = { ...defaults };
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(defaults, name)) throw unknownOption(method, `${group}${name}`, group, Object.keys(defaults));
    if (value === undefined) continue;
    const fallback = (defaults as Record<string, unknown>)[name];
    if (isGroup(fallback)) {
      resolved[name] = resolve(method, `${group}${name}.`, value, fallback);
    } else {
      checkKind(method, name, value, fallback, group);
      resolved[name] = value;
    }
  }
  return resolved;
}

function isGroup(fallback: unknown): fallback is object {
  return typeof fallback === 'object' && fallback !== null && Object.getPrototypeOf(fallback) === Object.prototype;
}

function unknownOption(method: string, option: string, group: string, known: readonly string[]): SemanticIndexError {
  const renamed = newNameOf(method, option);
  const meant = suggestName(option.slice(group.length), known);
  const names = known.map((name) => `${group}${name}`);
  const suggestion = meant === undefined ? `Known options: ${names.join(', ')}.` : `Did you mean "${group}${meant}"?`;
  return new SemanticIndexError('UNKNOWN_OPTION', `${method}: unknown option "${option}"`, {
    hint: renamed === undefined ? suggestion : `It is called "${renamed}" now.`,
    details: { option, known: names },
  });
}

/** Defaults of the options that all long work takes. */
export const longWorkDefaults = { signal: undefined, onProgress: undefined } satisfies Listed<LongWorkOptions>;
