import { type ComparedWords, type Lexicon, occurrence, wordKind } from './compared-words.js';

/** Share of the pairs of neighbouring content words that both texts have, in either order. */
export function sharedBigrams({ stems, weights }: Lexicon, a: ComparedWords, b: ComparedWords): number {
  const pairsOf = (words: ComparedWords): Set<number> => {
    const content = Array.from(words.ids).filter((id) => (weights[id] as number) > 0.25);
    const pairs = new Set<number>();
    for (let at = 1; at < content.length; at++) {
      const [u, v] = [stems[content[at - 1] as number] as number, stems[content[at] as number] as number];
      pairs.add(u * 0x200000 + v);
    }
    return pairs;
  };
  const [one, two] = [pairsOf(a), pairsOf(b)];
  if (one.size === 0 && two.size === 0) return 1;
  let both = 0;
  for (const pair of one) if (two.has(pair)) both++;
  return (2 * both) / (one.size + two.size);
}

const turnWindow = 3;
/** Between things whose order does not matter. */
const listWords = new Set(['and', 'or', 'und', 'et', 'y', 'e']);

/** Whether a word of direction stands between two words in one text, and between the same in reverse in the other. */
export function isTurned({ kinds, weights, stems }: Lexicon, a: ComparedWords, b: ComparedWords): boolean {
  const around = (words: ComparedWords, at: number): [Set<number>, Set<number>] => {
    const collect = (step: 1 | -1): Set<number> => {
      const found = new Set<number>();
      for (let place = at + step; place >= 0 && place < words.ids.length && found.size < turnWindow; place += step) {
        const id = words.ids[place] as number;
        if (((kinds[id] as number) & wordKind.direction) !== 0) break;
        if ((weights[id] as number) >= 0.2) found.add(stems[id] as number);
      }
      return found;
    };
    return [collect(-1), collect(1)];
  };
  for (let at = 1; at < a.ids.length - 1; at++) {
    const id = a.ids[at] as number;
    if (((kinds[id] as number) & wordKind.direction) === 0) continue;
    const [before, after] = around(a, at);
    for (let other = 1; other < b.ids.length - 1; other++) {
      if (stems[b.ids[other] as number] !== stems[id]) continue;
      const [left, right] = around(b, other);
      const moved = [...before].some((stem) => right.has(stem) && !left.has(stem));
      if (moved && [...after].some((stem) => left.has(stem) && !right.has(stem))) return true;
    }
  }
  return false;
}

/**
 * Whether two words have exchanged their places: each stands between neighbours that the other has in the other text, or a hyphen joins them.
 * In a list ("salt and pepper") the order says nothing.
 */
export function isExchanged(
  { forms, kinds, stems, weights }: Lexicon,
  a: ComparedWords,
  b: ComparedWords,
  matchOf: Int32Array,
): boolean {
  if (a.ids.length > 64 || b.ids.length > 64) return false;
  const stemAt = (words: ComparedWords, at: number): number =>
    at < 0 || at >= words.ids.length ? -1 : (stems[words.ids[at] as number] as number);
  const alike = (x: number, y: number): number =>
    (stemAt(a, x - 1) === stemAt(b, y - 1) ? 1 : 0) + (stemAt(a, x + 1) === stemAt(b, y + 1) ? 1 : 0);
  // Both begin or both end: that is less than a word in common.
  const atEdge = (x: number, y: number): boolean =>
    (x === 0 && y === 0) || (x === a.ids.length - 1 && y === b.ids.length - 1);
  const inList = ({ ids }: ComparedWords, from: number, to: number): boolean =>
    to - from <= 3 && ids.subarray(from + 1, to).some((id) => listWords.has(forms[id] as string));
  const isNumber = ({ ids }: ComparedWords, at: number): boolean =>
    ((kinds[ids[at] as number] as number) & wordKind.number) !== 0;
  const isAgent = ({ ids }: ComparedWords, at: number): boolean => {
    const before = ids.subarray(Math.max(0, at - turnWindow), at);
    const last = before.findLast((id) => forms[id] === 'by' || (weights[id] as number) > 0.2);
    return last !== undefined && forms[last] === 'by';
  };
  const moved: number[] = [];
  for (let at = 0; at < a.ids.length; at++) {
    if (matchOf[at] !== -1 && (weights[a.ids[at] as number] as number) > 0.2 && alike(at, matchOf[at] as number) < 2)
      moved.push(at);
  }
  for (const x of moved) {
    for (const y of moved) {
      if (x >= y || stemAt(a, x) === stemAt(a, y)) continue;
      const [u, v] = [matchOf[x] as number, matchOf[y] as number];
      if (u < v) continue;
      if (y === x + 1 && u === v + 1 && isJoined(a, y) && isJoined(b, u)) return true;
      if (inList(a, x, y) && inList(b, v, u)) continue;
      // "In 1962 in Leeds": a number does not take the place of a word. "Approved by the board": passive.
      if (isNumber(a, x) !== isNumber(a, y)) continue;
      if (isAgent(a, x) !== isAgent(b, u) || isAgent(a, y) !== isAgent(b, v)) continue;
      const crossed = alike(x, v) + alike(y, u);
      const needed = atEdge(x, v) || atEdge(y, u) ? 4 : 3;
      if (crossed >= needed && crossed > alike(x, u) + alike(y, v)) return true;
    }
  }
  return false;
}

function isJoined({ occurrences }: ComparedWords, at: number): boolean {
  return ((occurrences[at] as number) & occurrence.joined) !== 0;
}

/** Whether one text is about a thing with a part, and the other about the part for the thing: "fan with remote control". */
export function isPartOf(lexicon: Lexicon, whole: ComparedWords, part: ComparedWords): boolean {
  const [thing, attached] = contentAround(lexicon, whole, 'with');
  const [offered, target] = contentAround(lexicon, part, 'for');
  return (
    offered.length > 0 &&
    target.length > 0 &&
    offered.every((stem) => attached.includes(stem) && !thing.includes(stem)) &&
    target.every((stem) => thing.includes(stem))
  );
}

/** Stems of the content words before and after the first occurrence of a word; none where it is missing. */
function contentAround(
  { forms, stems, weights }: Lexicon,
  { ids }: ComparedWords,
  word: string,
): [readonly number[], readonly number[]] {
  const split = ids.findIndex((id) => forms[id] === word);
  if (split === -1) return [[], []];
  const content = (from: number, to: number): number[] =>
    Array.from(ids.subarray(from, to))
      .filter((id) => (weights[id] as number) > 0.25)
      .map((id) => stems[id] as number);
  return [content(0, split), content(split + 1, ids.length)];
}

/** 1 where the second text is about something for what the first names: a part, a case, a remote control. */
export function isAccessory(lexicon: Lexicon, whole: ComparedWords, part: ComparedWords): number {
  const { stems, weights } = lexicon;
  const first = whole.ids.find((id) => (weights[id] as number) > 0.25);
  const [before, after] = contentAround(lexicon, part, 'for');
  if (first === undefined || before.length === 0) return 0;
  const stem = stems[first] as number;
  return after.includes(stem) && !before.includes(stem) ? 1 : 0;
}
