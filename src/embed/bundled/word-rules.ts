/** Guarantees of a tokenizer file that allow tokenizing word by word. */
export interface WordRules {
  /** Prefix of all pieces of a word except the first. */
  readonly continuingPrefix: string;
  /** Max. characters of a word; a longer one is the unknown token. */
  readonly maxWordCharacters: number;
  /** Whether this character always forms its own tokens, whatever the adjacent characters are. */
  isSolitary(character: string): boolean;
  /** A normalized word of ASCII letters and digits; undefined if only the library can normalize it. */
  normalizePlain(word: string): string | undefined;
  /** Whether the words of a text depend on their neighbours. */
  isException(text: string): boolean;
}

/** The capital sigmas, and the high surrogate of the mathematical letters, some of which decompose to them. */
const sigmas = /[\u03a3\u03f9\ud835]/;

type Json = { readonly [key: string]: unknown };

/**
 * Derives from a parsed tokenizer.json whether `tokens(text)` is the concatenation of the tokens of its words, and how
 * to find the words; undefined if this cannot be derived. The argument, step by step:
 *
 * - white space always separates: the first pre-tokenizer splits at it;
 * - replacements are made only of letters, digits and marks, so that what they match, and what their lookarounds see,
 *   lies within a word; and they do not match the empty string;
 * - decomposition (NFD, NFKD) works on each character, and reorders marks only, which follow their base;
 * - the second pre-tokenizer splits off single characters of one class, so a character of that class which no step
 *   changes is solitary;
 * - lower case looks at neighbours for one letter only, the capital sigma: texts with one are exceptions;
 * - WordPiece works on each word.
 */
export function wordRulesOf(file: object): WordRules | undefined {
  const { normalizer, pre_tokenizer: preTokenizer, model, added_tokens: added } = file as Json;
  const steps = listOf(normalizer, 'normalizers');
  const patterns: RegExp[] = [];
  const forms: ('NFD' | 'NFKD')[] = [];
  let lowercase = false;
  for (const step of steps ?? [{}]) {
    if (step.type === 'Replace') {
      const pattern = wordBoundPattern((step.pattern as Json | undefined)?.Regex);
      if (pattern === undefined) return undefined;
      patterns.push(pattern);
    } else if (step.type === 'NFD' || step.type === 'NFKD') forms.push(step.type);
    else if (step.type === 'Lowercase') lowercase = true;
    else if (step.type !== 'StripAccents') return undefined;
  }
  const solitary = solitaryPattern(listOf(preTokenizer, 'pretokenizers') ?? []);
  const pieces = (model ?? {}) as Json;
  if (solitary === undefined || pieces.type !== 'WordPiece' || pieces.fuse_unk === true) return undefined;
  if (!Array.isArray(added) || added.length > 0) return undefined;

  return {
    continuingPrefix: String(pieces.continuing_subword_prefix ?? '##'),
    maxWordCharacters: Number(pieces.max_input_chars_per_word ?? 100),
    isSolitary: (character) =>
      solitary.test(character) &&
      !/\p{M}/u.test(character) &&
      character.toLowerCase() === character &&
      forms.every((form) => character.normalize(form) === character) &&
      !patterns.some((pattern) => pattern.test(character)),
    normalizePlain: (word) => {
      const normal = lowercase ? word.toLowerCase() : word;
      const isReplaced = patterns.some((pattern) => pattern.test(word) || (normal !== word && pattern.test(normal)));
      return isReplaced ? undefined : normal;
    },
    isException: (text) => lowercase && sigmas.test(text),
  };
}

/** The members of a `Sequence`, or a single step; undefined when it is null. */
function listOf(value: unknown, member: string): readonly Json[] | undefined {
  if (value === null || value === undefined) return [];
  const step = value as Json;
  if (step.type !== 'Sequence') return [step];
  return Array.isArray(step[member]) ? (step[member] as Json[]) : undefined;
}

/** A pattern all of whose atoms are ASCII letters or digits, or classes of letters, digits or marks. */
function wordBoundPattern(source: unknown): RegExp | undefined {
  if (typeof source !== 'string') return undefined;
  const rest = source
    .replaceAll(/\(\?(?:<?[=!]|:)/g, '')
    .replaceAll(/\\p\{(?:L|Lu|Ll|Lo|N|Nd|M|Mn)\}|\\d/g, '')
    .replaceAll(/\[[A-Za-z0-9-]+\]/g, '')
    .replaceAll(/[()|+]/g, '');
  if (!/^[A-Za-z0-9]*$/.test(rest)) return undefined;
  const pattern = compile(source);
  return pattern?.test('') === false ? pattern : undefined;
}

/** The class of characters that pre-tokenization isolates after splitting at white space. */
function solitaryPattern(steps: readonly Json[]): RegExp | undefined {
  const [first, second] = steps;
  if (steps.length !== 2 || first?.type !== 'WhitespaceSplit' || second?.type !== 'Split') return undefined;
  const source = (second.pattern as Json | undefined)?.Regex;
  const isolates = String(second.behavior).toLowerCase() === 'isolated' && second.invert !== true;
  if (typeof source !== 'string' || !isolates) return undefined;
  // An alternation of classes only, so it matches single characters.
  if (!/^\[(?:\\p\{\w+\}|[^\]\\])+\](?:\|\[(?:\\p\{\w+\}|[^\]\\])+\])*$/u.test(source)) return undefined;
  return compile(`^(?:${source})$`);
}

function compile(source: string): RegExp | undefined {
  try {
    return new RegExp(source, 'u');
  } catch {
    return undefined;
  }
}
