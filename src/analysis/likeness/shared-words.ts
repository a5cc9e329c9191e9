import { type ComparedWords, type Lexicon, occurrence, wordKind } from './compared-words.js';

/** The weight of the rarest word that both texts have, of all rare ones, and of the names; and how many numbers they share. */
export function sharedWords(
  { weights, kinds }: Lexicon,
  a: ComparedWords,
  b: ComparedWords,
  matchOf: Int32Array,
): { rarest: number; rare: number; names: number; numbers: number } {
  const shared = { rarest: 0, rare: 0, names: 0, numbers: 0 };
  for (const [at, to] of matchOf.entries()) {
    if (to === -1) continue;
    const [one, two] = [a.ids[at] as number, b.ids[to] as number];
    const weight = ((weights[one] as number) + (weights[two] as number)) / 2;
    shared.rarest = Math.max(shared.rarest, weight);
    if (weight > 0.5) shared.rare += weight;
    if (((a.occurrences[at] as number) & (b.occurrences[to] as number) & occurrence.name) !== 0) shared.names += weight;
    if (((kinds[one] as number) & wordKind.number) !== 0) shared.numbers++;
  }
  return shared;
}

/** How similar what two questions ask for is; 1 where neither asks. */
export function focusSimilarity(lexicon: Lexicon, a: ComparedWords, b: ComparedWords): number {
  if (a.focus.length === 0 || b.focus.length === 0) return a.focus.length === b.focus.length ? 1 : 0.5;
  const best = (id: number, others: readonly number[]): number =>
    others.reduce(
      (most, other) => Math.max(most, lexicon.stems[id] === lexicon.stems[other] ? 1 : lexicon.similarity(id, other)),
      0,
    );
  const mean = (some: readonly number[], others: readonly number[]): number =>
    some.reduce((total, id) => total + best(id, others), 0) / some.length;
  return Math.max(mean(a.focus, b.focus), mean(b.focus, a.focus));
}
