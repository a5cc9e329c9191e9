/** Spreads every bit of the input over all bits of the result (the finalizer of MurmurHash3, by Appleby). */
export function mixBits(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/**
 * Pseudo-random choices that a seed repeats on every machine: a counter in steps of the golden ratio, its bits mixed. Vectors
 * that are stored come from it, so its numbers never change.
 */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** At least 0, less than 1. */
  number(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    return mixBits(this.#state) / 0x100000000;
  }

  /** An integer: at least 0, less than `below`. */
  integer(below: number): number {
    return Math.floor(this.number() * below);
  }

  chance(probability: number): boolean {
    return this.number() < probability;
  }

  /** One of them; there must be one. */
  pick<T>(list: readonly T[]): T {
    return list[this.integer(list.length)] as T;
  }

  /** One of the names, each as likely as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries<number>(weights) as [Name, number][];
    let left = this.number() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return (entries.at(-1) as [Name, number])[0];
  }
}

/** `count` different numbers below `size`, in random order. */
export function sampleNumbers(count: number, size: number, random: Random): number[] {
  const wanted = Math.min(count, size);
  const chosen = new Set<number>();
  if (wanted * 2 > size) {
    const all = Array.from({ length: size }, (_, number) => number);
    for (let place = 0; place < wanted; place++) {
      const other = place + random.integer(size - place);
      [all[place], all[other]] = [all[other] as number, all[place] as number];
    }
    return all.slice(0, wanted);
  }
  while (chosen.size < wanted) chosen.add(random.integer(size));
  return [...chosen];
}
