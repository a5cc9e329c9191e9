/** The ranks of numbers from 1, the mean rank for equal ones. */
function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, place) => place).sort((a, b) => (values[a] as number) - (values[b] as number));
  const ranks = new Array<number>(values.length);
  for (let start = 0, end = 0; start < order.length; start = end) {
    const value = values[order[start] as number];
    while (end < order.length && values[order[end] as number] === value) end++;
    for (const place of order.slice(start, end)) ranks[place] = (start + 1 + end) / 2;
  }
  return ranks;
}

/** Spearman's rank correlation of two lists of the same length. */
export function spearman(first: readonly number[], second: readonly number[]): number {
  const [left, right] = [ranksOf(first), ranksOf(second)];
  const mean = (first.length + 1) / 2;
  let [product, leftSquares, rightSquares] = [0, 0, 0];
  for (const [place, rank] of left.entries()) {
    const [one, other] = [rank - mean, (right[place] as number) - mean];
    product += one * other;
    leftSquares += one * one;
    rightSquares += other * other;
  }
  return product / Math.sqrt(leftSquares * rightSquares);
}
