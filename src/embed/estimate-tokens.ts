/**
 * Pieces that tokenizers do not join: words, numbers, characters of scripts without spaces, runs of punctuation, line
 * ends.
 */
const pieces =
  /(?<dense>[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}])|(?<latin>[A-Za-z]+)|(?<digits>\p{N}+)|(?<letters>[\p{L}\p{M}]+)|(?<lines>[^\S\n]*\n\s*|[^\S\n]{2,})|(?<signs>[^\p{L}\p{M}\p{N}\s]+)/gu;

/** Words up to this length are usually one token. */
const commonWord = 7;

/**
 * Estimates the number of tokens of a text for current language models, without a vocabulary: one per common English
 * word, one more per five further letters, one per three digits, and so on. Deterministic and fast; tends to
 * overestimate. Pass the tokenizer of your model as `countTokens` where the number must be exact.
 */
export function estimateTokens(text: string): number {
  let tokens = 0;
  for (const { 0: piece, groups } of text.matchAll(pieces)) {
    const { length } = piece;
    if (groups?.latin !== undefined) tokens += length <= commonWord ? 1 : 1 + Math.ceil((length - commonWord) / 5);
    else if (groups?.dense !== undefined) tokens += 1;
    else if (groups?.digits !== undefined) tokens += Math.ceil(length / 3);
    else if (groups?.letters !== undefined) tokens += Math.ceil(length / 3);
    else if (groups?.signs !== undefined) tokens += Math.ceil(length / 2);
    else tokens += 1;
  }
  return tokens;
}
