/**
 * The first character of the exact form of a word, as it is indexed beside its stem: no other term has it, as it is neither a letter nor
 * a symbol. The kernel weighs terms that begin with it lower (native/kernel/terms/exact_form.h).
 */
export const exactMark = '\uE001';

/** What an exact form weighs in a query, where the stem of the same rarity weighs 1. Chosen on French, Spanish, German and Russian sets. */
export const exactFormWeight = 0.25;

/** The exact form of a word without its marks, as a term. */
export function exactFormOf(word: string): string {
  return exactMark + word;
}

/** Whether a term is the exact form of a word. */
export function isExactForm(term: string): boolean {
  return term.startsWith(exactMark);
}

/** The word of a term: that of an exact form, and any other term unchanged. */
export function wordOfTerm(term: string): string {
  return isExactForm(term) ? term.slice(exactMark.length) : term;
}
