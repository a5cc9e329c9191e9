/** A run of words that both texts contain, or only one of them. */
export interface DifferencePart {
  readonly kind: 'same' | 'removed' | 'added';
  /** The run as written in the text; a shared run as written in the second text. */
  readonly text: string;
}

/** A word, a punctuation mark, or a character of a script without spaces, each with the white space after it. */
const pieces =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]\s*|[\p{L}\p{N}\p{M}_'’]+\s*|[^\p{L}\p{N}\s]\s*|\s+/gu;

/** Maximum comparisons; beyond them the differing middle is returned as one removal and one addition. */
const maxComparisons = 1_000_000;

/**
 * Computes the word difference between two texts: the longest common subsequence (Wagner, Fischer 1974) between their common
 * prefix and suffix. Ignores white space. Long texts that differ throughout yield one removal and one addition.
 */
export function wordDifference(first: string, second: string): DifferencePart[] {
  const a = first.match(pieces) ?? [];
  const b = second.match(pieces) ?? [];
  const numbers = new Map<string, number>();
  const numbered = (words: readonly string[]): number[] =>
    words.map((word) => {
      const bare = word.trimEnd();
      const number = numbers.get(bare) ?? numbers.size;
      numbers.set(bare, number);
      return number;
    });
  const [wordsA, wordsB] = [numbered(a), numbered(b)];
  const same = (x: number, y: number): boolean => wordsA[x] === wordsB[y];
  let start = 0;
  while (start < a.length && start < b.length && same(start, start)) start++;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && same(endA - 1, endB - 1)) {
    endA--;
    endB--;
  }
  const parts: DifferencePart[] = [];
  const push = (kind: DifferencePart['kind'], words: readonly string[]): void => {
    if (words.length === 0) return;
    const last = parts.at(-1);
    const text = words.join('');
    if (last?.kind === kind) parts[parts.length - 1] = { kind, text: last.text + text };
    else parts.push({ kind, text });
  };
  push('same', b.slice(0, start));
  if ((endA - start) * (endB - start) > maxComparisons) {
    push('removed', a.slice(start, endA));
    push('added', b.slice(start, endB));
  } else {
    for (const { kind, x, y } of steps(start, endA, endB, same)) {
      push(kind, [(kind === 'removed' ? a[x] : b[y]) as string]);
    }
  }
  push('same', b.slice(endB));
  return parts;
}

interface Step {
  readonly kind: DifferencePart['kind'];
  readonly x: number;
  readonly y: number;
}

/** Backtracks the table of common lengths; removals come before additions. */
function steps(start: number, endA: number, endB: number, same: (x: number, y: number) => boolean): Step[] {
  const [rows, columns] = [endA - start, endB - start];
  const width = columns + 1;
  // lengths[x * width + y]: longest common subsequence of what follows x and y.
  const lengths = new Uint32Array((rows + 1) * width);
  for (let x = rows - 1; x >= 0; x--) {
    for (let y = columns - 1; y >= 0; y--) {
      const at = x * width + y;
      lengths[at] = same(start + x, start + y)
        ? (lengths[at + width + 1] as number) + 1
        : Math.max(lengths[at + width] as number, lengths[at + 1] as number);
    }
  }
  const path: Step[] = [];
  let [x, y] = [0, 0];
  while (x < rows || y < columns) {
    const at = x * width + y;
    if (x < rows && y < columns && same(start + x, start + y)) {
      path.push({ kind: 'same', x: start + x++, y: start + y++ });
    } else if (x < rows && (y === columns || (lengths[at + width] as number) >= (lengths[at + 1] as number))) {
      path.push({ kind: 'removed', x: start + x++, y: start + y });
    } else {
      path.push({ kind: 'added', x: start + x, y: start + y++ });
    }
  }
  return path;
}
