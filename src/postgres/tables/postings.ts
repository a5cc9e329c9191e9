import { SemanticIndexError } from '../../errors.js';
import type { MessageWriter } from '../connection/message-writer.js';

/** The documents that have a term, in the order of their keys. */
export interface Postings {
  readonly keys: Float64Array;
  /** How often each of them has it. */
  readonly frequencies: Uint32Array;
  /** The lengths of these documents, in terms. */
  readonly lengths: Uint32Array;
}

export const noPostings: Postings = {
  keys: new Float64Array(0),
  frequencies: new Uint32Array(0),
  lengths: new Uint32Array(0),
};

/** Bytes of the shortest posting. */
const minBytes = 3;

/**
 * Postings as bytes: their number and the first key; then, for each, the difference of its key to the one before, its frequency, and the
 * length of the document: all as varints of seven bits a byte, least first. Such bytes can be concatenated.
 */
export function encodePostings({ keys, frequencies, lengths }: Postings, bytes: MessageWriter): void {
  bytes.varint(keys.length);
  let before = keys[0] ?? 0;
  bytes.varint(before);
  for (let place = 0; place < keys.length; place++) {
    const key = keys[place] as number;
    bytes.varint(key - before);
    before = key;
    bytes.varint(frequencies[place] as number);
    bytes.varint(lengths[place] as number);
  }
}

/**
 * Decodes concatenated postings with keys above a bound.
 *
 * @throws CORRUPT when the bytes end early, or keys do not ascend.
 */
export function decodePostings(bytes: Uint8Array, above: number): Postings {
  const most = Math.floor(bytes.length / minBytes);
  const [keys, frequencies, lengths] = [new Float64Array(most), new Uint32Array(most), new Uint32Array(most)];
  let [at, size] = [0, 0];
  const varint = (): number => {
    let byte = bytes[at++] as number;
    if (byte < 0x80) return byte;
    let [value, scale] = [byte & 0x7f, 128];
    do {
      byte = bytes[at++] as number;
      value += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte >= 0x80 && scale < 2 ** 60);
    return value;
  };
  let last = above;
  while (at < bytes.length) {
    const count = varint();
    let key = varint();
    if (count > bytes.length) throw corrupt();
    for (let place = 0; place < count; place++) {
      key += varint();
      const [frequency, length] = [varint(), varint()];
      if (at > bytes.length) throw corrupt();
      if (key <= above) continue;
      if (key <= last) throw corrupt();
      last = key;
      keys[size] = key;
      frequencies[size] = frequency;
      lengths[size++] = length;
    }
  }
  return { keys: keys.slice(0, size), frequencies: frequencies.slice(0, size), lengths: lengths.slice(0, size) };
}

function corrupt(): SemanticIndexError {
  return new SemanticIndexError('CORRUPT', 'PostgreSQL: the postings of a term are damaged', {
    hint: 'Run `rebuild()`: it derives them from the documents.',
  });
}

/** Some of the postings, in the same memory. */
export function sliceOf({ keys, frequencies, lengths }: Postings, start: number, end: number): Postings {
  return {
    keys: keys.subarray(start, end),
    frequencies: frequencies.subarray(start, end),
    lengths: lengths.subarray(start, end),
  };
}

function postingsOf(keys: ArrayLike<number>, frequencies: ArrayLike<number>, lengths: ArrayLike<number>): Postings {
  return {
    keys: Float64Array.from(keys),
    frequencies: Uint32Array.from(frequencies),
    lengths: Uint32Array.from(lengths),
  };
}

/** Some postings, and others behind them. */
export function joinedPostings(parts: readonly Postings[]): Postings {
  const filled = parts.filter(({ keys }) => keys.length > 0);
  if (filled.length <= 1) return filled[0] ?? noPostings;
  const size = filled.reduce((sum, { keys }) => sum + keys.length, 0);
  const [keys, frequencies, lengths] = [new Float64Array(size), new Uint32Array(size), new Uint32Array(size)];
  let at = 0;
  for (const part of filled) {
    keys.set(part.keys, at);
    frequencies.set(part.frequencies, at);
    lengths.set(part.lengths, at);
    at += part.keys.length;
  }
  return { keys, frequencies, lengths };
}

/** The postings without those of some documents. */
export function withoutKeys(postings: Postings, gone: ReadonlySet<number>): Postings {
  const { keys, frequencies, lengths } = postings;
  if (gone.size === 0 || !keys.some((key) => gone.has(key))) return postings;
  const isKept = (_: number, place: number): boolean => !gone.has(keys[place] as number);
  return { keys: keys.filter(isKept), frequencies: frequencies.filter(isKept), lengths: lengths.filter(isKept) };
}

/** The documents that have any of several terms, each as often as all of them together. */
export function unitedPostings(lists: readonly Postings[]): Postings {
  if (lists.length === 1) return lists[0] as Postings;
  const found = new Map<number, { frequency: number; length: number }>();
  for (const { keys, frequencies, lengths } of lists) {
    for (let place = 0; place < keys.length; place++) {
      const key = keys[place] as number;
      const known = found.get(key);
      if (known !== undefined) known.frequency += frequencies[place] as number;
      else found.set(key, { frequency: frequencies[place] as number, length: lengths[place] as number });
    }
  }
  const ordered = [...found].sort(([left], [right]) => left - right);
  return postingsOf(
    ordered.map(([key]) => key),
    ordered.map(([, { frequency }]) => frequency),
    ordered.map(([, { length }]) => length),
  );
}

/** The place of a key in ascending keys; below 0 where it is missing. */
export function placeOfKey(keys: Float64Array, key: number): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as number) < key) low = middle + 1;
    else high = middle;
  }
  return keys[low] === key ? low : -1;
}
