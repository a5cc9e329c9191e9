import { SemanticIndexError } from '../errors.js';
import type { LongWorkOptions } from '../types.js';
import { describe } from './describe.js';
import { checkKind } from './option-kinds.js';

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

/** Options as a caller gives them: each may be left out, or be `undefined`, which means the same. */
export type Given<T> = { [K in keyof T]?: T[K] | undefined };

/**
 * Merges what a caller gave with the defaults. `defaults` names every option that exists: a member without default is
 * listed there as `undefined`.
 *
 * @throws INVALID_ARGUMENT when `given` is not an object, or an option has another type than its default (see `option-kinds.ts`
 *   for those without); UNKNOWN_OPTION (with a suggestion) when it has another member.
 */
export function resolveOptions<T extends object>(method: string, given: Given<NoInfer<T>> | undefined, defaults: T): T {
  if (given === undefined) return { ...defaults };
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: options must be an object, got ${describe(given)}`);
  }
  const known = Object.keys(defaults);
  const resolved: Record<string, unknown> = { ...(defaults as Record<string, unknown>) };
  for (const [name, value] of Object.entries(given)) {
    if (!known.includes(name)) {
      const meant = suggestName(name, known);
      throw new SemanticIndexError('UNKNOWN_OPTION', `${method}: unknown option "${name}"`, {
        hint: meant === undefined ? `Known options: ${known.join(', ')}.` : `Did you mean "${meant}"?`,
        details: { option: name, known },
      });
    }
    if (value === undefined) continue;
    checkKind(method, name, value, (defaults as Record<string, unknown>)[name]);
    resolved[name] = value;
  }
  return resolved as T;
}

/** A type of options with every member present, so that an object of defaults lists them all. */
export type Listed<T> = { [K in keyof T]-?: T[K] | undefined };

/** Defaults of what all long work takes. */
export const longWorkDefaults: Listed<LongWorkOptions> = { signal: undefined, onProgress: undefined };
