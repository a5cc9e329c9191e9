import { composed, foldCase, plainSigns, withoutInvisible } from '../characters.js';
import { ownCopy } from '../own-copy.js';
import { stemOf } from '../stem.js';
import { onePhrasing } from './one-phrasing.js';
import {
  asked,
  askedThing,
  asksHowMuch,
  asksYesNo,
  auxiliaries,
  contrastsOf,
  directions,
  kindWords,
  negations,
  quantities,
  relations,
  sameAs,
  weakWords,
  yesNoWords,
} from './word-lists.js';

/** What is known of words apart from the texts that are compared. */
export interface WordKnowledge {
  /** Rarity of a lower-case word in general, from 0 (in almost every text) to about 1 (in few, or unknown). */
  rarity(word: string): number;
  /** Similarity of the meanings of two lower-case words, at most 1; 0 when one is not known. */
  similarity(a: string, b: string): number;
}

/** Kinds of words, as bits; a letter is one of a script without spaces. */
export const wordKind = {
  number: 1,
  negation: 2,
  direction: 4,
  relation: 8,
  sign: 16,
  symbol: 32,
  letter: 64,
  thing: 128,
} as const;

/** Properties of an occurrence of a word in a text, as bits; a hyphen joins a word to the one before it. */
export const occurrence = { name: 1, aside: 2, joined: 4 } as const;

/** The words of a text in order: their numbers in a `Lexicon`, and properties of each occurrence. */
export interface ComparedWords {
  readonly ids: Int32Array;
  readonly occurrences: Uint8Array;
  /** What a question asks for; 0 when the text does not ask, or only what or which. */
  readonly asksFor: number;
  /** Words that name what a question asks for; empty when the text does not ask. */
  readonly focus: readonly number[];
}

/**
 * An ordinal number; a number with its separators; a run of letters, with signs that belong to a name (C++, C#); a letter of a script
 * without spaces; a sign that changes an amount.
 */
const unspaced =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}';
const pieces = new RegExp(
  `\\p{N}+(?:st|nd|rd|th)(?![\\p{L}\\p{N}])|\\p{N}+(?:[.,:]\\p{N}+)*|[${unspaced}]\\p{M}*|(?:(?![${unspaced}])[\\p{L}\\p{M}])(?:(?![${unspaced}])[\\p{L}\\p{M}\\p{N}_]|['’](?=\\p{L}))*(?:\\+\\+|#(?!\\p{L}))?|[\\p{Sc}%‰°′″]|(?<=^|[\\s(])[-−+~!¬](?=[\\p{L}\\p{N}])|[\\p{So}\\p{Sm}]`,
  'gu',
);
const possessive = /['’]s?$/;
/** Signs that change what the number or word beside them says. */
const amountSign = /^[\p{Sc}%‰°′″\-−+~!¬]$/u;
const hasDigit = /\p{N}/u;
const startsUpper = /^\p{Lu}/u;
const isLetter = /^\p{L}/u;
const isUnspaced = new RegExp(`^[${unspaced}]`, 'u');
/** Words of a lexicon, so that two numbers of words make one. */
const maxWords = 2 ** 26;
const maxSimilarities = 500_000;
const auxiliaryShare = 0.25;
const weakShare = 0.3;
const maxRarity = 1.1;
const none: readonly number[] = [];
const signWeight = 0.7;
/** A symbol, an emoji for one, adds little to words. */
const symbolWeight = 0.2;
const numberWeight = 0.9;

/** The words that were read, numbered: texts of one comparison share a lexicon. */
export class Lexicon {
  readonly knowledge: WordKnowledge;
  /** Each word in lower case. */
  readonly forms: string[] = [];
  /** Number of the stem of each word: words with the same stem match. */
  readonly stems: number[] = [];
  /** Weight of each word: how much a difference in it matters. */
  readonly weights: number[] = [];
  /** Numbers of the lists of contrasts that each word stands in. */
  readonly contrasts: (readonly number[])[] = [];
  /** Each word without marks. */
  readonly bare: string[] = [];
  /** Bits of `wordKind` of each word. */
  readonly kinds: number[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #stems = new Map<string, number>();
  readonly #similarities = new Map<number, number>();

  constructor(knowledge: WordKnowledge) {
    this.knowledge = knowledge;
  }

  /** The words of a text. */
  read(text: string): ComparedWords {
    const whole = onePhrasing(plainSigns(withoutInvisible(composed(text))));
    const ids: number[] = [];
    const occurrences: number[] = [];
    let asksFor = 0;
    let end = 0;
    let depth = 0;
    let afterBreak = false;
    let sentenceStart = true;
    let [capitals, letters] = [0, 0];
    for (const match of whole.matchAll(pieces)) {
      const gap = whole.slice(end, match.index);
      end = match.index + match[0].length;
      for (const character of gap) {
        if (character === '(' || character === '[') depth++;
        else if (character === ')' || character === ']') depth = Math.max(0, depth - 1);
      }
      if (/[.!?]/.test(gap)) sentenceStart = true;
      // A part after a dash, a colon or a semicolon qualifies what stands before it.
      if (/ -+ |[:;–—]/.test(gap) && ids.length > 0) afterBreak = true;
      const word = match[0].replace(possessive, '');
      const upper = startsUpper.test(word);
      if (isLetter.test(word)) {
        letters++;
        if (upper) capitals++;
      }
      const id = this.#numberOf(word);
      ids.push(id);
      occurrences.push(
        (upper && !sentenceStart ? occurrence.name : 0) |
          (depth > 0 || afterBreak ? occurrence.aside : 0) |
          (gap === '-' ? occurrence.joined : 0),
      );
      sentenceStart = false;
      if (ids.length === 1 && yesNoWords.has(this.forms[id] as string)) asksFor = asksYesNo;
      if (asksFor === asked.get('how') && quantities.has(this.forms[id] as string)) asksFor = asksHowMuch;
      if (asksFor === 0) asksFor = asked.get(this.forms[id] as string) ?? 0;
    }
    // Where most words begin with a capital, capitals do not mark names.
    if (capitals > 0.6 * letters)
      for (let at = 0; at < occurrences.length; at++) (occurrences[at] as number) &= ~occurrence.name;
    return { ids: Int32Array.from(ids), occurrences: Uint8Array.from(occurrences), asksFor, focus: this.#focusOf(ids) };
  }

  /** What a question asks for: the words after what, which or, in a quiz, this; else "person", "year", "place" and the like. */
  #focusOf(ids: readonly number[]): readonly number[] {
    const form = (at: number): string => this.forms[ids[at] as number] ?? '';
    let start = ids.findIndex(
      (_, at) =>
        askedThing.has(form(at)) || form(at) === 'what' || form(at) === 'which' || (at === 0 && form(at) === 'name'),
    );
    if (start === -1)
      start = ids.findIndex(
        (_, at) =>
          (form(at) === 'this' || form(at) === 'these') &&
          !auxiliaries.has(form(at + 1)) &&
          !kindWords.has(form(at + 1)),
      );
    if (start === -1) return none;
    if (form(start) === 'how' && (form(start + 1) === 'many' || form(start + 1) === 'much'))
      return [this.#numberOf('number')];
    const thing = askedThing.get(form(start));
    if (thing !== undefined) return [this.#numberOf(thing)];
    const found: number[] = [];
    for (let at = start + 1; at < ids.length && at < start + 9 && found.length < 3; at++) {
      const id = ids[at] as number;
      if (auxiliaries.has(form(at)) || relations.has(form(at)) || (this.weights[id] as number) < 0.2) {
        if (found.length > 0 && !(found.length === 1 && form(at) === 'and')) break;
        continue;
      }
      if (form(at) !== 'name' && form(at) !== 'following' && form(at) !== 'us' && form(at) !== 'called') found.push(id);
    }
    return found;
  }

  /** Similarity of the meanings of two words. */
  similarity(a: number, b: number): number {
    const pair = a < b ? a * maxWords + b : b * maxWords + a;
    const known = this.#similarities.get(pair);
    if (known !== undefined) return known;
    const value = this.knowledge.similarity(this.forms[a] as string, this.forms[b] as string);
    // Results do not depend on the cache.
    if (this.#similarities.size >= maxSimilarities) this.#similarities.clear();
    this.#similarities.set(pair, value);
    return value;
  }

  #numberOf(word: string): number {
    const folded = foldCase(word);
    const form = sameAs.get(folded) ?? plainNumber(folded);
    const known = this.#numbers.get(form);
    if (known !== undefined) return known;
    const number = this.forms.length;
    const own = ownCopy(form);
    this.#numbers.set(own, number);
    this.forms.push(own);
    const stem = stemOf(own);
    const stemNumber = this.#stems.get(stem) ?? this.#stems.size;
    this.#stems.set(stem, stemNumber);
    this.stems.push(stemNumber);
    const isNumber = hasDigit.test(own);
    const isSign = !isNumber && !isLetter.test(own);
    const isNegation = negations.has(own) || own.endsWith("n't") || own.endsWith('n’t');
    this.kinds.push(
      (isNumber ? wordKind.number : 0) |
        (isNegation ? wordKind.negation : 0) |
        (directions.has(own) ? wordKind.direction : 0) |
        (relations.has(own) ? wordKind.relation : 0) |
        (isSign ? (amountSign.test(own) ? wordKind.sign : wordKind.symbol) : 0) |
        (isUnspaced.test(own) ? wordKind.letter : 0) |
        (kindWords.has(own) ? wordKind.thing : 0),
    );
    const share = auxiliaries.has(own) ? auxiliaryShare : weakWords.has(own) ? weakShare : 1;
    this.weights.push(
      isNumber
        ? numberWeight
        : isLetter.test(own)
          ? Math.min(maxRarity, this.knowledge.rarity(own)) * share
          : amountSign.test(own)
            ? signWeight
            : symbolWeight,
    );
    this.contrasts.push(contrastsOf.get(own) ?? none);
    this.bare.push(own.normalize('NFD').replace(/\p{M}/gu, '').replaceAll('đ', 'd'));
    return number;
  }
}

/** The same number without thousands separators and a fraction of zero. */
function plainNumber(word: string): string {
  if (!hasDigit.test(word)) return word;
  return /^\d{1,3}(?:,\d{3})+$/.test(word) ? word.replaceAll(',', '') : word.replace(/^(\d+)\.0$/, '$1');
}
