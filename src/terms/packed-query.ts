/** Most bytes of a number, and of a UTF-16 code unit in UTF-8. */
const [numberBytes, unitBytes] = [4, 3];
/** How many times a term can count. */
const maxTimes = 2 ** 24;

/** As the number of times of a term: it is one with the term before it, which a document has as often as both. */
export const joined = maxTimes + 1;

/**
 * Packs the terms of a query for the kernel: for each its number of bytes, its bytes, and how many times it counts, or `joined`. See
 * native/kernel/terms/FORMAT.md.
 */
export function packQueryTerms(terms: Iterable<readonly [term: string, times: number]>): Uint8Array {
  const pairs = [...terms];
  return packWeightedTerms(
    pairs.map(([term]) => term),
    pairs.map(([, times]) => times),
  );
}

/** The same of two lists. */
export function packWeightedTerms(terms: readonly string[], allTimes: readonly number[]): Uint8Array {
  // From the pool of Node: a buffer of its own would take as long as the rest.
  let bytes = Buffer.allocUnsafe(256);
  let size = 0;
  for (let place = 0; place < terms.length; place++) {
    const term = terms[place] as string;
    const times = allTimes[place] as number;
    const needed = size + term.length * unitBytes + 2 * numberBytes;
    if (needed > bytes.length) {
      const grown = Buffer.allocUnsafe(2 * needed);
      grown.set(bytes.subarray(0, size));
      bytes = grown;
    }
    // Most terms have less than 128 bytes, so their number takes one.
    const written = bytes.write(term, size + 1);
    if (written >= 0x80) bytes.copyWithin(size + bytesOf(written), size + 1, size + 1 + written);
    size = writeNumber(written, bytes, size) + written;
    size = writeNumber(times === joined ? joined : Math.min(times, maxTimes), bytes, size);
  }
  return bytes.subarray(0, size);
}

function bytesOf(value: number): number {
  return value < 0x80 ? 1 : 1 + bytesOf(value >>> 7);
}

/** Writes a varint and returns the place behind it. */
function writeNumber(value: number, bytes: Uint8Array, at: number): number {
  let rest = value;
  let place = at;
  for (; rest >= 0x80; rest >>>= 7) bytes[place++] = (rest & 0x7f) | 0x80;
  bytes[place++] = rest;
  return place;
}
