/** A text with a smaller share of letters in known words is in a language or notation that the model does not know. */
const minShare = 0.5;
const words = /[\p{L}\p{N}\p{M}]+/gu;
const hasDigit = /\p{N}/u;

/**
 * The words of a text that are single tokens of the vocabulary, sorted and separated by spaces; empty when they make up
 * less than half of the letters. Numbers and codes with digits are skipped: their pieces carry no meaning. Texts with
 * the same result look the same to a model that adds word vectors, except for punctuation, numbers and pieces of words.
 */
export function knownWordsOf(text: string, isKnown: (word: string) => boolean): string {
  const known: string[] = [];
  let [knownLetters, letters] = [0, 0];
  for (const [word] of text.normalize('NFC').matchAll(words)) {
    if (hasDigit.test(word)) continue;
    letters += word.length;
    const lower = word.toLowerCase();
    if (!isKnown(lower)) continue;
    knownLetters += word.length;
    known.push(lower);
  }
  return letters === 0 || knownLetters < minShare * letters ? '' : known.sort().join(' ');
}
