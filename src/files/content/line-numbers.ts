/** Maps positions of a text to line numbers. A line ends with \n, \r\n or \r. */
export class LineNumbers {
  readonly #starts: number[] = [0];

  constructor(text: string) {
    for (const { index, 0: ending } of text.matchAll(/\r\n|\n|\r/g)) this.#starts.push(index + ending.length);
  }

  /** Number of lines. */
  get count(): number {
    return this.#starts.length;
  }

  /** Line number, from 1, of a position. */
  at(position: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#starts[middle] as number) <= position) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }
}
