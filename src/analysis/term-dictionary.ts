import { ownCopy } from './own-copy.js';

/** New terms are merged into the order of the others when there are so many, and half as many as others. */
const minMerged = 4_096;
const unranked = 0xffffffff;

/**
 * Numbers terms as they come, and sorts sets of them by their bytes in little time: the order of terms that have been sorted before
 * is kept.
 */
export class TermDictionary {
  readonly #numbers = new Map<string, number>();
  readonly #terms: string[] = [];
  /** Numbers of the terms that have a rank, in order. */
  #ordered = new Uint32Array(0);
  /** Of each term, its place in `#ordered`. */
  #ranks = new Uint32Array(minMerged).fill(unranked);

  get size(): number {
    return this.#terms.length;
  }

  /** The number of a term; a new term gets the next one. */
  numberOf(term: string): number {
    const known = this.#numbers.get(term);
    if (known !== undefined) return known;
    const number = this.#terms.length;
    const own = ownCopy(term);
    this.#numbers.set(own, number);
    this.#terms.push(own);
    return number;
  }

  termOf(number: number): string {
    return this.#terms[number] as string;
  }

  /** The same numbers, ascending by the UTF-8 of their terms. */
  sorted(numbers: Uint32Array): Uint32Array {
    const added = this.#terms.length - this.#ordered.length;
    if (added >= minMerged && added >= this.#ordered.length / 2) this.#merge();
    const ranks = this.#ranks;
    const known: number[] = [];
    const recent: number[] = [];
    for (const number of numbers) {
      const rank = ranks[number] ?? unranked;
      if (rank === unranked) recent.push(number);
      else known.push(rank);
    }
    const old = Uint32Array.from(known)
      .sort()
      .map((rank) => this.#ordered[rank] as number);
    return this.#merged(old, this.#sortedByTerm(recent));
  }

  #merge(): void {
    const recent: number[] = [];
    for (let number = this.#ordered.length; number < this.#terms.length; number++) recent.push(number);
    this.#ordered = this.#merged(this.#ordered, this.#sortedByTerm(recent));
    this.#ranks = new Uint32Array(this.#ordered.length);
    for (let rank = 0; rank < this.#ordered.length; rank++) this.#ranks[this.#ordered[rank] as number] = rank;
  }

  #sortedByTerm(numbers: number[]): number[] {
    return numbers.sort((a, b) => compareCodePoints(this.#terms[a] as string, this.#terms[b] as string));
  }

  #merged(a: ArrayLike<number>, b: ArrayLike<number>): Uint32Array<ArrayBuffer> {
    const merged = new Uint32Array(a.length + b.length);
    let at = 0;
    let other = 0;
    for (let place = 0; place < merged.length; place++) {
      const left = a[at];
      const right = b[other];
      const isLeft =
        right === undefined ||
        (left !== undefined && compareCodePoints(this.#terms[left] as string, this.#terms[right] as string) < 0);
      merged[place] = (isLeft ? left : right) as number;
      if (isLeft) at++;
      else other++;
    }
    return merged;
  }
}

/** Compares well-formed strings by code points, which is the order of their UTF-8 bytes. JavaScript compares code units. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return rankOf(left) - rankOf(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others. */
function rankOf(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
