import { SemanticIndexError } from '../../errors.js';
import { describe } from '../../options.js';

/** Begins every cursor of a search: cursors of `listDocuments` have no capital `S` there. */
const mark = 'S';
/** Bytes that show a cursor that was cut or changed, whose documents would be returned twice. */
const checkBytes = 2;

/**
 * Where a search goes on: the keys of the documents that were given on earlier pages and on this one, ascending, as differences in base 128, and a
 * checksum. A rank or a score would not do: fused, reranked and diversified hits have no order that a later, deeper search must keep.
 */
export function cursorOf(seen: ReadonlySet<number>, page: readonly { readonly key: number }[]): string {
  const keys = new Float64Array(seen.size + page.length);
  let count = 0;
  for (const key of seen) keys[count++] = key;
  for (const { key } of page) keys[count++] = key;
  // Keys are below 2^53.
  const bytes = Buffer.allocUnsafe(8 * keys.length + checkBytes);
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
  size = bytes.writeUInt16LE(checksumOf(bytes.subarray(0, size)), size);
  return mark + bytes.toString('base64url', 0, size);
}

/** The keys of a cursor. @throws INVALID_ARGUMENT when it is none. */
export function keysOf(cursor: string): Set<number> {
  const keys = new Set<number>();
  const invalid = (): SemanticIndexError =>
    new SemanticIndexError('INVALID_ARGUMENT', `search: expected a cursor as after, got ${describe(cursor)}`, {
      hint: 'Pass `next` of the previous page, unchanged.',
    });
  if (typeof cursor !== 'string' || !/^S[\w-]+$/.test(cursor)) throw invalid();
  const bytes = Buffer.from(cursor.slice(mark.length), 'base64url');
  const end = bytes.length - checkBytes;
  const differences = bytes.subarray(0, Math.max(0, end));
  if (end <= 0 || bytes.readUInt16LE(end) !== checksumOf(differences)) throw invalid();
  let [key, rest, unit] = [0, 0, 1];
  for (const byte of differences) {
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

/** Fletcher's checksum, which depends on the order of the bytes; of no bytes it is not 0. */
function checksumOf(bytes: Uint8Array): number {
  let [low, high] = [1, 1];
  for (const byte of bytes) {
    low = (low + byte) % 255;
    high = (high + low) % 255;
  }
  return high * 256 + low;
}
