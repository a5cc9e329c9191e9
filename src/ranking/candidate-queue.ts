/**
 * A binary heap of positions, the one with the highest value first; of equal values, the lower position. A value may only fall
 * while its position is first.
 */
export class CandidateQueue {
  #values: Float64Array;
  readonly #heap: Uint32Array;
  #size: number;

  /** @param values of the positions 0, 1, 2, …; kept, and changed by `lower` and `replaceValues`. */
  constructor(values: Float64Array) {
    this.#values = values;
    this.#heap = Uint32Array.from(values, (_, position) => position);
    this.#size = values.length;
    this.#order();
  }

  /** The position with the highest value. */
  first(): number {
    return this.#heap[0] as number;
  }

  /** Removes the first position. */
  remove(): void {
    this.#size--;
    this.#heap[0] = this.#heap[this.#size] as number;
    this.#sink(0);
  }

  /** Gives the first position a lower value. */
  lower(value: number): void {
    this.#values[this.first()] = value;
    this.#sink(0);
  }

  /** Gives all positions that are left new values. */
  replaceValues(newValue: (position: number) => number): void {
    for (let place = 0; place < this.#size; place++) {
      const position = this.#heap[place] as number;
      this.#values[position] = newValue(position);
    }
    this.#order();
  }

  #order(): void {
    for (let place = (this.#size >> 1) - 1; place >= 0; place--) this.#sink(place);
  }

  #sink(from: number): void {
    const position = this.#heap[from] as number;
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#isBefore(this.#heap[child + 1] as number, this.#heap[child] as number))
        child++;
      if (!this.#isBefore(this.#heap[child] as number, position)) break;
      this.#heap[place] = this.#heap[child] as number;
      place = child;
    }
    this.#heap[place] = position;
  }

  #isBefore(a: number, b: number): boolean {
    const difference = (this.#values[a] as number) - (this.#values[b] as number);
    return difference > 0 || (difference === 0 && a < b);
  }
}
