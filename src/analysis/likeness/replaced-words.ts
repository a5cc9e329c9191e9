import type { ComparedWords, Lexicon } from './compared-words.js';
import { type Leftover, maxLeftovers } from './leftover.js';

/** Rarity from which a word can be an abbreviation rather than a function word. */
const minRarity = 0.4;

/** Marks words whose initials are a word of the other text: "Model Context Protocol" and "MCP". */
export function joinInitials(
  { forms, weights }: Lexicon,
  some: readonly Leftover[],
  others: readonly Leftover[],
  other: ComparedWords,
): void {
  if (some.length > maxLeftovers) return;
  for (let from = 0; from < some.length - 1; from++) {
    let initials = (forms[(some[from] as Leftover).id] as string).charAt(0);
    for (let to = from + 1; to < some.length && to < from + 6; to++) {
      const [before, word] = [some[to - 1] as Leftover, some[to] as Leftover];
      if (word.at !== before.at + 1) break;
      initials += (forms[word.id] as string).charAt(0);
      if (!other.ids.some((id) => forms[id] === initials && (weights[id] as number) > minRarity)) continue;
      for (let at = from; at <= to; at++) (some[at] as Leftover).joined = true;
      for (const two of others) if (forms[two.id] === initials) two.joined = true;
    }
  }
}

/** How well a word stands for another, by the similarity of their meanings: hardly below 0.4, as well as itself from 0.75. */
export function replacement(similarity: number): number {
  return Math.min(1, Math.max(0, (similarity - 0.4) / 0.35));
}

/** The weight of words that stand in each other's place, between the same words. */
export function inSlot(
  a: ComparedWords,
  b: ComparedWords,
  matchOf: Int32Array,
  some: readonly Leftover[],
  others: readonly Leftover[],
): number {
  if (some.length > maxLeftovers || others.length > maxLeftovers) return 0;
  const matched = new Int32Array(b.ids.length).fill(-1);
  for (let at = 0; at < matchOf.length; at++) if (matchOf[at] !== -1) matched[matchOf[at] as number] = at;
  const sides = (at: number, matches: Int32Array): [number, number] => {
    let [before, after] = [at - 1, at + 1];
    while (before >= 0 && matches[before] === -1) before--;
    while (after < matches.length && matches[after] === -1) after++;
    return [before, after];
  };
  let most = 0;
  const slots = others.map((two) => ({ two, sides: sides(two.at, matched) }));
  for (const one of some) {
    const [before, after] = sides(one.at, matchOf);
    for (const {
      two,
      sides: [left, right],
    } of slots) {
      const start = before < 0 ? left < 0 : matchOf[before] === left;
      const end = after >= a.ids.length ? right >= b.ids.length : matchOf[after] === right;
      if (start && end)
        most = Math.max(most, Math.min(one.weight, two.weight) * (1 - Math.max(one.similarity, two.similarity)));
    }
  }
  return most;
}
