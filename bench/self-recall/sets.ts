import { bundledProvider } from 'semantic-index';
import { normal, uniform } from '../speed/clusters.js';

/** Vectors in which approximate search easily misses an item, and queries for it. */
export interface HardSet {
  readonly name: string;
  readonly metric: 'angular' | 'euclidean' | 'dot';
  readonly dimensions: number;
  readonly rows: readonly Float32Array[];
  /** Items that are searched by their own vector; of a set without any, `queries` are searched. */
  readonly asked: readonly number[];
  readonly queries: readonly Float32Array[];
}

const spread = (count: number, among: number): number[] =>
  Array.from({ length: Math.min(count, among) }, (_, t) => Math.floor((t * among) / Math.min(count, among)));

class Generator {
  readonly #random: () => number;
  readonly #gauss: () => number;

  constructor(seed: number) {
    this.#random = uniform(seed);
    this.#gauss = normal(this.#random);
  }

  integer(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  number(): number {
    return this.#gauss();
  }

  vector(dimensions: number, scale = 1): Float32Array {
    return Float32Array.from({ length: dimensions }, () => scale * this.#gauss());
  }

  around(centre: Float32Array, scale: number): Float32Array {
    return centre.map((x) => x + scale * this.#gauss());
  }
}

type Metric = HardSet['metric'];

/** Groups of variants with the given cosine to each other, in random order. */
export function groups(metric: Metric, dimensions: number, size: number, cosine: number, total = 6000): HardSet {
  const make = new Generator(size + Math.round(cosine * 1e4));
  const count = Math.max(4, Math.round(total / size));
  const centres = Array.from({ length: count }, () => make.vector(dimensions));
  const scale = Math.sqrt(1 / cosine - 1);
  const rows = Array.from({ length: count * size }, (_, item) =>
    make.around(centres[item % count] as Float32Array, scale),
  );
  const name = `${count} groups of ${size}, cosine ${cosine}`;
  return { name, metric, dimensions, rows, asked: spread(200, rows.length), queries: [] };
}

/** The same vector many times, once in two lengths. */
export function duplicates(metric: Metric, dimensions: number, size: number, lengths: readonly number[]): HardSet {
  const make = new Generator(size);
  const count = Math.max(4, Math.round(6000 / size));
  const centres = Array.from({ length: count }, () => make.vector(dimensions));
  const rows = Array.from({ length: count * size }, (_, item) => {
    const length = lengths[Math.floor(item / count) % lengths.length] as number;
    return (centres[item % count] as Float32Array).map((x) => x * length);
  });
  const name = `${count} groups of ${size} equal vectors${lengths.length > 1 ? `, ${lengths.length} lengths` : ''}`;
  return { name, metric, dimensions, rows, asked: spread(200, rows.length), queries: [] };
}

/** A dense cloud and items far from it and from each other. */
export function outliers(metric: Metric, dimensions: number, count: number, factor: number): HardSet {
  const make = new Generator(count + 7);
  const centre = make.vector(dimensions);
  const rows = Array.from({ length: 8000 }, () => make.around(centre, 0.3));
  const far = spread(count, rows.length);
  for (const item of far) rows[item] = make.vector(dimensions, factor);
  return { name: `${count} outliers, ${factor} times as long`, metric, dimensions, rows, asked: far, queries: [] };
}

/** A dense cloud and small groups far from it. */
export function islands(metric: Metric, dimensions: number, size: number, count: number): HardSet {
  const make = new Generator(size * 31 + count);
  const centre = make.vector(dimensions);
  const rows = Array.from({ length: 8000 }, () => make.around(centre, 0.3));
  const asked = spread(size * count, rows.length);
  const centres = Array.from({ length: count }, () => make.vector(dimensions, 2));
  asked.forEach((item, place) => {
    rows[item] = make.around(centres[place % count] as Float32Array, 0.1);
  });
  return { name: `${count} islands of ${size}`, metric, dimensions, rows, asked, queries: [] };
}

/** Groups of variants whose centres are near each other, as versions of one document are. */
export function nested(metric: Metric, dimensions: number, size: number): HardSet {
  const make = new Generator(size * 17);
  const tops = Array.from({ length: 4 }, () => make.vector(dimensions));
  const count = Math.round(8000 / size);
  const centres = Array.from({ length: count }, (_, group) => make.around(tops[group % 4] as Float32Array, 0.25));
  const rows = Array.from({ length: count * size }, (_, item) =>
    make.around(centres[item % count] as Float32Array, 0.03),
  );
  return {
    name: `${count} groups of ${size} in 4 topics`,
    metric,
    dimensions,
    rows,
    asked: spread(200, rows.length),
    queries: [],
  };
}

/** Vectors of uneven length and queries from elsewhere: what recommenders search by products. */
export function unevenLengths(dimensions: number, sigma: number): HardSet {
  const make = new Generator(dimensions);
  const rows = Array.from({ length: 12_000 }, () => {
    const length = Math.exp(sigma * make.number());
    return make.vector(dimensions, length);
  });
  const queries = Array.from({ length: 200 }, () => make.vector(dimensions));
  return { name: `lengths e^(${sigma} normal)`, metric: 'dot', dimensions, rows, asked: [], queries };
}

/** Nothing unusual: topics of very different sizes. */
export function ordinary(metric: Metric, dimensions: number, count: number): HardSet {
  const make = new Generator(3);
  const topics = Array.from({ length: 300 }, () => make.vector(dimensions));
  const any = (): Float32Array => make.around(topics[make.integer(300)] as Float32Array, 0.7);
  const rows = Array.from({ length: count }, any);
  return {
    name: `${count} in 300 topics, other queries`,
    metric,
    dimensions,
    rows,
    asked: [],
    queries: Array.from({ length: 300 }, any),
  };
}

/** Variants of the members of groups, which are not items themselves. */
export function variants(set: HardSet, scale: number): HardSet {
  const make = new Generator(12);
  const queries = set.asked.map((item) => make.around(set.rows[item] as Float32Array, scale));
  return { ...set, name: `${set.name}, new variants`, asked: [], queries };
}

/** Letters that differ in a name, a number and a date, through the bundled model. */
export async function letters(count: number): Promise<HardSet> {
  const names = ['Ms Smith', 'Mr Jones', 'Dr Okafor', 'Ms Tanaka', 'Mr Silva', 'Ms Novak', 'Mr Haddad', 'Dr Lindgren'];
  const texts = Array.from(
    { length: count },
    (_, n) =>
      `Dear ${names[n % names.length]}, thank you for your order ${40_000 + 7 * n}. Your parcel was handed to the carrier on ` +
      `${1 + (n % 28)} ${['March', 'April', 'May'][n % 3]} and arrives within three working days. Please keep this letter.`,
  );
  const provider = bundledProvider();
  const rows: Float32Array[] = [];
  for (let first = 0; first < texts.length; first += 256) {
    rows.push(...(await provider.embed(texts.slice(first, first + 256), { role: 'document' })).vectors);
  }
  const dimensions = provider.dimensions as number;
  await provider.close?.();
  return {
    name: `${count} letters of one template`,
    metric: 'angular',
    dimensions,
    rows,
    asked: spread(200, count),
    queries: [],
  };
}
