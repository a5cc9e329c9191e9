/** Scripts that are written without spaces: their runs are cut into pairs of letters. */
const unspaced =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}ー々〆';
const pieces = new RegExp(`([${unspaced}]\\p{M}*)+|((?![${unspaced}])[\\p{L}\\p{N}\\p{M}_])+`, 'gu');
const startsUnspaced = new RegExp(`^[${unspaced}]`, 'u');
const letters = /\P{M}\p{M}*/gu;
/** Where an identifier falls into words: before a capital after a small letter, at underscores, around digits. */
const identifierParts = /\p{Lu}+(?=\p{Lu}\p{Ll})|\p{Lu}?\p{Ll}+|\p{Lu}+|\p{Lo}+|\p{N}+/gu;
const longestWord = 64;

/**
 * The words of a text as they are indexed and asked for: lower case without accents is left to SQLite's tokenizer. Runs of
 * Chinese, Japanese, Korean and other scripts without spaces become overlapping pairs of letters (and a lone letter itself),
 * so that any part of two letters matches; identifiers such as `addDocuments` or `max_size` become their parts as well.
 */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [piece] of text.normalize('NFKC').matchAll(pieces)) {
    if (startsUnspaced.test(piece)) pushPairs(words, piece);
    else pushWord(words, piece);
  }
  return words;
}

function pushPairs(words: string[], run: string): void {
  const single = run.match(letters) ?? [];
  if (single.length === 1) words.push(run);
  for (let i = 0; i + 1 < single.length; i++) words.push(`${single[i]}${single[i + 1]}`);
}

function pushWord(words: string[], piece: string): void {
  if (piece.length > longestWord) return;
  const whole = piece.replaceAll('_', '');
  if (whole === '') return;
  words.push(whole);
  const parts = piece.match(identifierParts) ?? [];
  if (parts.length > 1) words.push(...parts);
}

/** English words that say how a question is put rather than what it is about. */
const functionWords = new Set(
  `a about an and any are as at be been but by can could did do does for from had has have how i if in into is it its may me
  my no not of on or our should so some such than that the their them then there these they this to was we were what when
  where which who whom whose why will with would you your`.split(/\s+/),
);

/**
 * The words of a question that are worth looking for: without function words, unless it has no others. Words that occur
 * twice count twice. (On CISI and SQuAD leaving them out found more, in a fifth of the time.)
 */
export function queryWordsOf(query: string): string[] {
  const words = wordsOf(query);
  const telling = words.filter((word) => !functionWords.has(word.toLowerCase()));
  return telling.length > 0 ? telling : words;
}
