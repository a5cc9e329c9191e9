import { SemanticIndexError } from '../../errors.js';
import { describe } from '../../options.js';

/**
 * Where a search goes on: the keys of the documents that were given on earlier pages and on this one, ascending, as differences in base 128. A rank or
 * a score would not do: fused, reranked and diversified hits have no order that a later, deeper search must keep.
 */
export function cursorOf(seen: ReadonlySet<number>, page: readonly { readonly key: number }[]): string {
  const keys = new Float64Array(seen.size + page.length);
  let count = 0;
  for (const key of seen) keys[count++] = key;
  for (const { key } of page) keys[count++] = key;
  // Keys are below 2^53.
  const bytes = Buffer.allocUnsafe(8 * keys.length);
  let [size, before] = [0, 0];
  for (const key of keys.sort()) {
    let rest = key - before;
    before = key;
    while (rest >= 128) {
      bytes[size++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    bytes[size++] = rest;
  }
  return bytes.toString('base64url', 0, size);
}

/** The keys of a cursor. @throws INVALID_ARGUMENT when it is none. */
export function keysOf(cursor: string): Set<number> {
  const keys = new Set<number>();
  const invalid = (): SemanticIndexError =>
    new SemanticIndexError('INVALID_ARGUMENT', `search: expected a cursor as after, got ${describe(cursor)}`, {
      hint: 'Pass `next` of the previous page.',
    });
  if (typeof cursor !== 'string' || !/^[\w-]+$/.test(cursor)) throw invalid();
  let [key, rest, unit] = [0, 0, 1];
  for (const byte of Buffer.from(cursor, 'base64url')) {
    rest += (byte % 128) * unit;
    unit *= 128;
    if (byte >= 128) continue;
    key += rest;
    if (!Number.isSafeInteger(key) || rest === 0) throw invalid();
    keys.add(key);
    [rest, unit] = [0, 1];
  }
  if (unit !== 1) throw invalid();
  return keys;
}
