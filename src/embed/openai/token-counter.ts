import { SemanticIndexError } from '../../errors.js';

/** Counts and splits texts by tokens of the OpenAI embedding models (cl100k_base). */
export interface TokenCounter {
  count(text: string): number;
  /** The longest prefix, on a character boundary, of about `limit` tokens and never more; at least one character. */
  truncate(text: string, limit: number): string;
  /** Consecutive parts of at most `limit` tokens each, split at white space where possible. */
  split(text: string, limit: number): string[];
}

interface Encoding {
  encode(text: string, options: object): number[];
  countTokens(text: string, options: object): number;
}

/** Special tokens such as `<|endoftext|>` are treated as text. */
const plain = { disallowedSpecial: new Set<string>() };
/** Runs that the encoding treats as one word; merging their pairs takes quadratic time. */
const longRun = /\p{L}{192,}|[^\s\p{L}\p{N}]{192,}|\s{192,}/gu;
const lengthOfLongRun = 192;
const partOfRun = 96;
/** UTF-16 code units per token, for a first estimate; English has four to five. */
const typicalTokenLength = 6;

/** @throws MISSING_PEER when the optional package gpt-tokenizer is not installed. */
export async function loadTokenCounter(): Promise<TokenCounter> {
  let encoding: Encoding;
  try {
    encoding = await import('gpt-tokenizer/encoding/cl100k_base');
  } catch (cause) {
    throw new SemanticIndexError('MISSING_PEER', 'Counting tokens needs the package gpt-tokenizer', {
      hint: 'Run: npm install gpt-tokenizer (or pass `countTokens`).',
      cause,
    });
  }
  return tokenCounterOf((text) => encoding.countTokens(text, plain));
}

/** A counter based on any function that counts the tokens of a text. */
export function tokenCounterOf(countPart: (text: string) => number): TokenCounter {
  const count = (text: string): number => {
    if (!mayHaveLongRun(text)) return countPart(text);
    let tokens = 0;
    let position = 0;
    // Natural text has no such runs, so its count is exact; for others it is slightly too high.
    for (const match of text.matchAll(longRun)) {
      if (match.index > position) tokens += countPart(text.slice(position, match.index));
      const run = [...match[0]];
      for (let start = 0; start < run.length; start += partOfRun) {
        // Merging is greedy, so the parts may have one token less than the whole.
        tokens += countPart(run.slice(start, start + partOfRun).join('')) + 1;
      }
      position = match.index + match[0].length;
    }
    return position < text.length ? tokens + countPart(text.slice(position)) : tokens;
  };

  const truncate = (text: string, limit: number): string => {
    let [fits, fitsTokens] = [0, 0];
    let tooLong = Math.min(text.length, limit * typicalTokenLength);
    let tooMany = count(text.slice(0, tooLong));
    while (tooMany <= limit) {
      if (tooLong === text.length) return text;
      [fits, fitsTokens] = [tooLong, tooMany];
      tooLong = Math.min(text.length, tooLong * 2);
      tooMany = count(text.slice(0, tooLong));
    }
    // Tokens are distributed evenly, so interpolation needs few steps.
    while (tooLong - fits > 1 && fitsTokens < limit) {
      const aim = fits + Math.floor(((tooLong - fits) * (limit - fitsTokens)) / (tooMany - fitsTokens));
      const middle = Math.min(tooLong - 1, Math.max(fits + 1, aim));
      const tokens = count(text.slice(0, middle));
      if (tokens <= limit) [fits, fitsTokens] = [middle, tokens];
      else [tooLong, tooMany] = [middle, tokens];
    }
    return text.slice(0, onBoundary(text, fits));
  };

  const split = (text: string, limit: number): string[] => {
    const parts: string[] = [];
    let rest = text;
    while (rest !== '') {
      const longest = truncate(rest, limit);
      const end = longest.length === rest.length ? rest.length : bestEnd(longest);
      if (/\S/.test(rest.slice(0, end))) parts.push(rest.slice(0, end));
      rest = rest.slice(end);
    }
    return parts;
  };

  return { count, truncate, split };
}

/** A fast check before the regular expression: runs of one kind of ASCII character; others join any run. */
function mayHaveLongRun(text: string): boolean {
  let run = 0;
  let kind = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    const own = unit > 127 ? kind : kindOf(unit);
    run = own === kind ? run + 1 : 1;
    if (run >= lengthOfLongRun) return true;
    kind = own;
  }
  return false;
}

function kindOf(unit: number): number {
  if (unit <= 32) return 1;
  if ((unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90)) return 2;
  return unit >= 48 && unit <= 57 ? 3 : 4;
}

/** The nearest character boundary, after at least one character. */
function onBoundary(text: string, end: number): number {
  const unit = text.charCodeAt(end - 1);
  const splitsPair = unit >= 0xd800 && unit <= 0xdbff && end < text.length;
  return end === 0 || (splitsPair && end === 1) ? Math.min(text.length, 2) : splitsPair ? end - 1 : end;
}

/** The last white space in the second half of a part, so that words stay whole; otherwise its end. */
function bestEnd(part: string): number {
  const half = part.length >> 1;
  const at = part.slice(half).search(/\s\S*$/);
  return at < 0 ? part.length : half + at + 1;
}
