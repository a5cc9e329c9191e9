/** Below this share of its letters in words that a model knows, a text is in a language, or a notation, that it does not know. */
const minShare = 0.5;
const words = /[\p{L}\p{N}\p{M}]+/gu;
const hasDigit = /\p{N}/u;

/**
 * The words of a text that a vocabulary has as a whole, in alphabetical order, with a space between; empty when they make up less
 * than half of the letters of the text. Numbers and codes with digits are not words: their pieces mean nothing. So two texts with the same result
 * look the same to a model that adds up the vectors of words, but for what it makes of signs, numbers and pieces of words.
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
