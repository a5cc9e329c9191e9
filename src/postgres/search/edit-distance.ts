/**
 * Distances from one term by optimal string alignment (Damerau 1964, Boytsov 2011): insertions, deletions, substitutions and
 * transpositions of adjacent characters, none of them edited twice. Only cells of the table that are near its diagonal are filled:
 * others are not on the way to a distance up to the maximum (Ukkonen 1985).
 */
export class EditDistance {
  readonly #max: number;
  readonly #own: readonly number[];
  readonly #other: number[] = [];
  /** Rows of the table: the one before the last, the last, and the current one. */
  readonly #rows: readonly [number[], number[], number[]] = [[], [], []];

  /** @param max distance from which on others are not told apart. */
  constructor(term: string, max: number) {
    this.#own = codePoints(term, []);
    this.#max = max;
  }

  /** The distance of a term; more than the maximum where it is more. */
  to(term: string): number {
    const [own, max] = [this.#own, this.#max];
    const other = codePoints(term, this.#other);
    if (Math.abs(own.length - other.length) > max) return max + 1;
    let [before, last, current] = this.#rows;
    for (let column = 0; column <= other.length; column++) last[column] = column;
    for (let row = 1; row <= own.length; row++) {
      const [first, end] = [Math.max(1, row - max), Math.min(other.length, row + max)];
      current[first - 1] = first === 1 ? row : max + 1;
      let least = current[first - 1] as number;
      for (let column = first; column <= end; column++) {
        const isSame = own[row - 1] === other[column - 1];
        let edits = Math.min(
          (last[column] as number) + 1,
          (current[column - 1] as number) + 1,
          (last[column - 1] as number) + (isSame ? 0 : 1),
        );
        const isSwapped =
          row > 1 && column > 1 && own[row - 1] === other[column - 2] && own[row - 2] === other[column - 1];
        if (isSwapped) edits = Math.min(edits, (before[column - 2] as number) + 1);
        current[column] = edits;
        least = Math.min(least, edits);
      }
      current[end + 1] = max + 1;
      if (least > max) return max + 1;
      [before, last, current] = [last, current, before];
    }
    return last[other.length] as number;
  }
}

/** Writes the characters of a term into an array. */
function codePoints(term: string, into: number[]): number[] {
  let count = 0;
  for (let at = 0; at < term.length; at++) {
    const code = term.codePointAt(at) as number;
    if (code > 0xffff) at++;
    into[count++] = code;
  }
  into.length = count;
  return into;
}
