/** xoshiro128** (Blackman, Vigna 2018), seeded by splitmix32: the same numbers in every run. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  let [a, b, c, d] = [next(), next(), next(), next()];
  const turn = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));
  return () => {
    const result = Math.imul(turn(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = turn(d, 11);
    return result / 2 ** 32;
  };
}

/** Standard normal numbers by the polar method (Marsaglia, Bray 1964). */
export function normal(random: () => number): () => number {
  let kept: number | undefined;
  return () => {
    if (kept !== undefined) {
      const value = kept;
      kept = undefined;
      return value;
    }
    for (;;) {
      const x = 2 * random() - 1;
      const y = 2 * random() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(square)) / square);
      kept = y * scale;
      return x * scale;
    }
  };
}

/** What the rows of a generated set look like. */
export interface ClusterShape {
  readonly dimensions: number;
  readonly topics: number;
  readonly seed: number;
}

const decay = 0.35;
const sharedNoise = 0.9;
const directions = 24;

/**
 * Rows like embedded texts: topics of very different sizes (the share of topic t falls as 1 / (t + 10), as words do), whose
 * centres and members vary strongly along few directions and weakly along many (column c by (c + 1)^-0.35), each topic
 * also along 24 directions of its own; all of unit length. `part` separates rows from queries: both have the same centroids.
 */
export function* clusterRows(shape: ClusterShape, count: number, part: number): Generator<Float32Array> {
  const { dimensions, topics, seed } = shape;
  const scale = Float32Array.from({ length: dimensions }, (_, column) => (column + 1) ** -decay);
  const shares = new Float64Array(topics);
  let total = 0;
  for (let topic = 0; topic < topics; topic++) {
    total += 1 / (topic + 10);
    shares[topic] = total;
  }
  const centreOf = centres(shape, scale);
  const random = uniform(seed * 7919 + part);
  const gauss = normal(random);
  const row = new Float32Array(dimensions);
  for (let item = 0; item < count; item++) {
    const wanted = random() * total;
    let [low, high] = [0, topics - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((shares[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    const { centre, own } = centreOf(low);
    const strengths = Float32Array.from({ length: directions }, () => (gauss() * sharedNoise) / Math.sqrt(directions));
    let square = 0;
    for (let column = 0; column < dimensions; column++) {
      let value = (centre[column] as number) + 0.45 * gauss() * (scale[column] as number);
      for (let d = 0; d < directions; d++) value += (strengths[d] as number) * (own[d * dimensions + column] as number);
      row[column] = value;
      square += value * value;
    }
    const length = Math.sqrt(square);
    for (let column = 0; column < dimensions; column++) row[column] = (row[column] as number) / length;
    yield row;
  }
}

/** The centre of each topic, and one of 64 sets of directions along which its members vary. */
function centres({ dimensions, topics, seed }: ClusterShape, scale: Float32Array) {
  const gauss = normal(uniform(seed));
  const all = new Float32Array(topics * dimensions);
  for (let at = 0; at < all.length; at++) all[at] = gauss() * (scale[at % dimensions] as number);
  const families = 64;
  const own = new Float32Array(families * directions * dimensions);
  for (let at = 0; at < own.length; at++) own[at] = gauss() * (scale[at % dimensions] as number);
  const size = directions * dimensions;
  return (topic: number) => ({
    centre: all.subarray(topic * dimensions, (topic + 1) * dimensions),
    own: own.subarray((topic % families) * size, ((topic % families) + 1) * size),
  });
}
