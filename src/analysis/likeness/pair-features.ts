import { type ComparedWords, type Lexicon, occurrence, wordKind } from './compared-words.js';
import { type Leftover, maxLeftovers } from './leftover.js';
import { inSlot, joinInitials, replacement } from './replaced-words.js';
import { focusSimilarity, sharedWords } from './shared-words.js';
import { asked, superlatives } from './word-lists.js';
import { isAccessory, isExchanged, isPartOf, isTurned, sharedBigrams } from './word-order.js';

/** Names of the features, in the order of `pairFeatures`. */
export const featureNames = [
  'shared',
  'softLess',
  'softMore',
  'anyLess',
  'anyMore',
  'rarestLess',
  'rarestMore',
  'rarestAny',
  'replaced',
  'restCosine',
  'impliedMore',
  'numbersBoth',
  'numbersOne',
  'namesBoth',
  'namesOne',
  'negation',
  'relations',
  'reordered',
  'bigrams',
  'contrast',
  'accessory',
  'asks',
  'asideOne',
  'length',
  'functionWords',
  'askBoth',
  'focus',
  'inSlot',
  'sharedRarest',
  'sharedRare',
  'sharedNames',
  'superlative',
  'replacedLess',
  'replacedMore',
  'replacedRarest',
  'numbersShared',
] as const;

/** Share of the weight of a word that says what kind of thing a text is about. */
const thingShare = 0.25;
const isSingleLetter = /^\p{L}$/u;
/** Least letters of a compound. */
const minCompound = 4;
/** Least share of weight that both texts of a duplicate have; of the labelled duplicates one in 180 has less. */
const minShared = 0.2;
/**
 * Least share of pairs of neighbors that duplicates have in common if most of their words are letters of a script without spaces: two
 * texts on anything share most letters.
 */
const minSharedPairs = 0.8;
/** In a text of more words, an amount or an order is one detail among many. */
const maxExact = 48;

/** What may stand behind a form of a word that stemming leaves apart. */
const endings = new Set(['s', 'es', 'e', 'ed', 'er', 'or', 'ly', 'al', 'y', 'ic', 'n', 'en']);

/** Whether two words differ by an ending, or one of them is misspelt: not a word that is known. */
function isSpelling(a: string, b: string, knownA: boolean, knownB: boolean): boolean {
  const [shorter, longer] = a.length <= b.length ? [a, b] : [b, a];
  if (shorter.length < 4 || longer.length - shorter.length > 2) return false;
  let start = 0;
  while (start < shorter.length && shorter[start] === longer[start]) start++;
  let end = 0;
  while (end < shorter.length - start && shorter.at(-1 - end) === longer.at(-1 - end)) end++;
  const [restShort, restLong] = [shorter.length - start - end, longer.length - start - end];
  // A plural or another ending, a letter doubled; "mipsel" and "mips" are two words.
  if (restShort === 0 && end === 0) return endings.has(longer.slice(start));
  if (restShort === 0 && restLong <= 2 && start >= 3 && longer[start] === longer[start - 1]) return true;
  if (knownA === knownB || shorter.length < 5 || start === 0) return false;
  if (restLong <= 1) return true;
  const swapped =
    restLong === 2 && restShort === 2 && shorter[start] === longer[start + 1] && shorter[start + 1] === longer[start];
  if (swapped || (restLong === 2 && shorter.length >= 6)) return true;
  const sorted = (word: string): string => [...word.slice(start, word.length - end)].sort().join('');
  return restLong === restShort && restLong <= 4 && shorter.length >= 6 && sorted(a) === sorted(b);
}

/**
 * Describes how two texts differ, as numbers in the order of `featureNames`; undefined where a difference by itself makes them say
 * different things: an amount, a sign, two words exchanged, a negation and nothing else. Symmetric in the texts. Shares are shares
 * of weight, so that one word matters less in a long text.
 */
export function pairFeatures(lexicon: Lexicon, a: ComparedWords, b: ComparedWords): Float64Array | undefined {
  const { stems, weights, kinds, forms } = lexicon;
  // Words with the same stem match, in order of their occurrence.
  const places = new Map<number, number[]>();
  for (let at = 0; at < b.ids.length; at++) {
    const stem = stems[b.ids[at] as number] as number;
    const list = places.get(stem);
    if (list === undefined) places.set(stem, [at]);
    else list.push(at);
  }
  const matchOf = new Int32Array(a.ids.length).fill(-1);
  const taken = new Uint8Array(b.ids.length);
  let matched = 0;
  for (let at = 0; at < a.ids.length; at++) {
    const id = a.ids[at] as number;
    const other = places.get(stems[id] as number)?.shift();
    if (other === undefined) continue;
    matchOf[at] = other;
    taken[other] = 1;
    matched += ((weights[id] as number) + (weights[b.ids[other] as number] as number)) / 2;
  }
  const repeatedIn = (words: ComparedWords, id: number, own: (at: number) => boolean): boolean => {
    // A word that is matched elsewhere says nothing new.
    const stem = stems[id];
    for (let at = 0; at < words.ids.length; at++) if (own(at) && stems[words.ids[at] as number] === stem) return true;
    return false;
  };
  const leftoversOf = (words: ComparedWords, isMatched: (at: number) => boolean): Leftover[] => {
    const list: Leftover[] = [];
    for (let at = 0; at < words.ids.length; at++) {
      if (isMatched(at)) continue;
      const id = words.ids[at] as number;
      if (words.ids.length < 200 && repeatedIn(words, id, isMatched)) continue;
      const bits = words.occurrences[at] as number;
      list.push({
        id,
        at,
        weight: weights[id] as number,
        name: (bits & occurrence.name) !== 0,
        aside: (bits & occurrence.aside) !== 0,
        similarity: 0,
        implied: 0,
        joined: false,
      });
    }
    return list;
  };
  const left = leftoversOf(a, (at) => matchOf[at] !== -1);
  const right = leftoversOf(b, (at) => taken[at] === 1);
  // Compounds and names of models: "non stick" and "nonstick", "WX-900" and "WX900".
  const join = (one: Leftover[], two: Leftover[], words: ComparedWords): void => {
    for (const whole of one) {
      if (whole.joined) continue;
      const form = forms[whole.id] as string;
      if (form.length < minCompound) continue;
      for (const part of two) {
        if (part.joined) continue;
        let spelt = '';
        let end = part.at;
        while (end < words.ids.length && spelt.length < form.length && form.startsWith(spelt)) {
          spelt += forms[words.ids[end++] as number] as string;
        }
        if (spelt !== form || end < part.at + 2) continue;
        whole.joined = true;
        for (const each of two) if (each.at >= part.at && each.at < end) each.joined = true;
        matched += whole.weight;
        break;
      }
    }
  };
  join(left, right, b);
  join(right, left, a);
  joinInitials(lexicon, left, right, b);
  joinInitials(lexicon, right, left, a);
  // Hardly ever duplicates, and by far the most pairs of an index: nothing else needs to be known.
  const unshared = [...left, ...right].reduce((sum, { joined, weight }) => (joined ? sum : sum + weight), 0);
  if (matched < minShared * (matched + unshared)) return undefined;
  const [some, others] = [left.filter(({ joined }) => !joined), right.filter(({ joined }) => !joined)];
  const count = Math.min(a.ids.length, b.ids.length);
  if (count <= maxExact && (asksForOther(lexicon, a, b) || excludes(lexicon, some, others))) return undefined;
  const bigrams = sharedBigrams(lexicon, a, b);
  if (bigrams < minSharedPairs && isOfLetters(a, kinds) && isOfLetters(b, kinds)) return undefined;
  // Replaced words: the most similar pairs first.
  if (some.length <= maxLeftovers && others.length <= maxLeftovers) {
    const pairs: [number, Leftover, Leftover][] = [];
    for (const one of some) {
      for (const two of others) {
        if (one.weight < 0.1 || two.weight < 0.1) continue;
        const numbers = ((kinds[one.id] as number) | (kinds[two.id] as number)) & wordKind.number;
        if (numbers !== 0) continue;
        const [x, y] = [forms[one.id] as string, forms[two.id] as string];
        const same = lexicon.bare[one.id] === lexicon.bare[two.id];
        const similarity =
          same || isSpelling(x, y, (weights[one.id] as number) < 1.05, (weights[two.id] as number) < 1.05)
            ? 0.9
            : lexicon.similarity(one.id, two.id);
        if (similarity > 0.2) pairs.push([similarity, one, two]);
      }
    }
    pairs.sort((p, q) => q[0] - p[0]);
    for (const [similarity, one, two] of pairs) {
      if (one.similarity > 0 || two.similarity > 0) continue;
      one.similarity = similarity;
      two.similarity = similarity;
    }
  }
  imply(lexicon, some, b);
  imply(lexicon, others, a);
  const sum = (list: readonly Leftover[], value: (word: Leftover) => number): number =>
    list.reduce((total, word) => total + value(word), 0);
  const greatest = (list: readonly Leftover[], value: (word: Leftover) => number): number =>
    list.reduce((most, word) => Math.max(most, value(word)), 0);
  const mass = (list: readonly Leftover[]): number => sum(list, (w) => w.weight);
  const total = Math.max(0.5, matched + mass(some) + mass(others));
  const soft = (w: Leftover): number => w.weight * (1 - w.similarity);
  const any = (w: Leftover): number => w.weight * (1 - Math.max(w.similarity, w.implied));
  const [less, more] = sum(some, soft) <= sum(others, soft) ? [some, others] : [others, some];
  const otherThanMore = more === some ? b : a;
  const isNumber = (w: Leftover): number => (((kinds[w.id] as number) & wordKind.number) !== 0 ? 1 : 0);
  const isName = (w: Leftover): number => (w.name && w.similarity < 0.85 && isNumber(w) === 0 ? w.weight : 0);
  const [numbersA, numbersB] = [sum(some, isNumber), sum(others, isNumber)];
  const numbers = Math.max(1, countOf(a, kinds, wordKind.number), countOf(b, kinds, wordKind.number));
  const [namesA, namesB] = [sum(some, isName), sum(others, isName)];
  const isNegation = (w: Leftover): number => (((kinds[w.id] as number) & wordKind.negation) !== 0 ? 1 : 0);
  const negations = Math.abs(sum(some, isNegation) - sum(others, isNegation));
  const relation = (list: readonly Leftover[]): number =>
    sum(list, (w) => (((kinds[w.id] as number) & wordKind.relation) !== 0 ? 1 : 0));
  const turned =
    isTurned(lexicon, a, b) ||
    isExchanged(lexicon, a, b, matchOf) ||
    isPartOf(lexicon, a, b) ||
    isPartOf(lexicon, b, a);
  if (turned && count <= maxExact) return undefined;
  if (count <= maxExact && negations > 0 && sum(less, soft) < 0.05) return undefined;
  // Order of the matched content words.
  const order: number[] = [];
  for (let at = 0; at < a.ids.length; at++) {
    if (matchOf[at] !== -1 && (weights[a.ids[at] as number] as number) > 0.25) order.push(matchOf[at] as number);
  }
  let breaks = 0;
  for (let at = 1; at < order.length; at++) if ((order[at] as number) < (order[at - 1] as number)) breaks++;
  const words = Math.max(1, count);
  const scale = Math.min(1, 8 / words);
  const rest = restVectors(lexicon, some, others);
  const isSuperlative = (w: Leftover): number => (superlatives.has(forms[w.id] as string) ? 1 : 0);
  const replaced = (w: Leftover): number =>
    (((kinds[w.id] as number) & wordKind.thing) !== 0 ? thingShare : 1) * w.weight * (1 - replacement(w.similarity));
  const shared = sharedWords(lexicon, a, b, matchOf);
  return Float64Array.of(
    matched / total,
    sum(less, soft) / total,
    sum(more, soft) / total,
    sum(less, any) / total,
    sum(more, any) / total,
    greatest(less, soft) * scale,
    greatest(more, soft) * scale,
    greatest(more, any) * scale,
    greatest(less, (w) => (w.similarity > 0 ? w.weight : 0)) * scale,
    rest,
    greatest(more, (w) => w.weight * (1 - w.implied)) * (otherThanMore.ids.length > 0 ? scale : 1),
    Math.min(numbersA, numbersB) / numbers,
    Math.abs(numbersA - numbersB) / numbers,
    Math.min(1, Math.min(namesA, namesB)) * scale,
    Math.min(1, Math.abs(namesA - namesB)) * scale,
    Math.min(1, negations) * scale,
    Math.min(2, relation(some) + relation(others)) * scale,
    breaks / Math.max(1, order.length - 1),
    bigrams,
    contrast(lexicon, some, others) * scale,
    Math.max(isAccessory(lexicon, a, b), isAccessory(lexicon, b, a)),
    a.asksFor !== b.asksFor && a.asksFor !== 0 && b.asksFor !== 0 ? 1 : a.asksFor !== b.asksFor ? 0.5 : 0,
    Math.min(1, Math.abs(sum(some, asideWeight) - sum(others, asideWeight))) * scale,
    Math.log(words) / 3,
    (functionWords(lexicon, a) + functionWords(lexicon, b)) / 2,
    (a.focus.length > 0 ? 0.5 : 0) + (b.focus.length > 0 ? 0.5 : 0),
    focusSimilarity(lexicon, a, b),
    inSlot(a, b, matchOf, some, others) * scale,
    shared.rarest,
    Math.min(1, shared.rare / 6),
    Math.min(1, shared.names / 3),
    Math.min(1, sum(some, isSuperlative) + sum(others, isSuperlative)) * scale,
    Math.min(sum(some, replaced), sum(others, replaced)) / total,
    Math.max(sum(some, replaced), sum(others, replaced)) / total,
    Math.min(greatest(some, replaced), greatest(others, replaced)) * scale,
    Math.min(1, shared.numbers / 2),
  );
}

/** Whether the texts begin as questions for two different ones of a person, a time and a place. */
function asksForOther({ forms }: Lexicon, a: ComparedWords, b: ComparedWords): boolean {
  const [one, other] = [a, b].map(({ ids }) => asked.get(forms[ids[0] as number] as string) ?? 0);
  const isThing = (number = 0): boolean => number > 0 && number < (asked.get('why') as number);
  return one !== other && isThing(one) && isThing(other);
}

/** Whether words that only one text has make two texts different by themselves: amounts, signs, symbols, single letters, a negated form. */
function excludes(lexicon: Lexicon, some: readonly Leftover[], others: readonly Leftover[]): boolean {
  const has = (list: readonly Leftover[], kind: number): boolean =>
    list.some(({ id }) => ((lexicon.kinds[id] as number) & kind) !== 0);
  if (has(some, wordKind.number) && has(others, wordKind.number)) return true;
  if (has(some, wordKind.sign) || has(others, wordKind.sign)) return true;
  if (has(some, wordKind.symbol) && has(others, wordKind.symbol)) return true;
  // Type A, type B.
  const designates = ({ id, name }: Leftover): boolean => name && isSingleLetter.test(lexicon.forms[id] as string);
  if (some.some(designates) && others.some(designates)) return true;
  return hasNegatedForm(lexicon, some, others);
}

/** Whether most words are letters of a script without spaces. */
function isOfLetters(words: ComparedWords, kinds: readonly number[]): boolean {
  return 2 * countOf(words, kinds, wordKind.letter) > words.ids.length;
}

function functionWords({ weights }: Lexicon, { ids }: ComparedWords): number {
  let count = 0;
  for (const id of ids) if ((weights[id] as number) < 0.15) count++;
  return count / Math.max(1, ids.length);
}

function imply(lexicon: Lexicon, list: readonly Leftover[], other: ComparedWords): void {
  if (list.length > maxLeftovers || other.ids.length > 64) return;
  const { weights } = lexicon;
  for (const word of list) {
    if (word.weight < 0.1) continue;
    for (const id of other.ids) {
      if ((weights[id] as number) < 0.1) continue;
      word.implied = Math.max(word.implied, lexicon.similarity(word.id, id));
    }
  }
}

/** Cosine of the sums of the words that only one text has; 1 when both have none, 0 when one has none. */
function restVectors(lexicon: Lexicon, some: readonly Leftover[], others: readonly Leftover[]): number {
  const strong = (list: readonly Leftover[]): Leftover[] =>
    list.filter(({ weight }) => weight >= 0.1).slice(0, maxLeftovers);
  const [one, two] = [strong(some), strong(others)];
  if (one.length === 0 && two.length === 0) return 1;
  const product = (x: readonly Leftover[], y: readonly Leftover[]): number => {
    let sum = 0;
    for (const u of x) for (const v of y) sum += u.weight * v.weight * (u === v ? 1 : lexicon.similarity(u.id, v.id));
    return sum;
  };
  const length = Math.sqrt(product(one, one) * product(two, two));
  return length === 0 ? 0 : product(one, two) / length;
}

function asideWeight({ aside, weight, similarity }: Leftover): number {
  return aside ? weight * (1 - similarity) : 0;
}

function countOf({ ids }: ComparedWords, kinds: readonly number[], kind: number): number {
  let count = 0;
  for (const id of ids) if (((kinds[id] as number) & kind) !== 0) count++;
  return count;
}

/** 1 where each text has a word that the other lacks, and the two exclude each other; 0.5 where only one has such a word. */
function contrast({ contrasts }: Lexicon, some: readonly Leftover[], others: readonly Leftover[]): number {
  for (const one of some) {
    for (const two of others) {
      const list = contrasts[two.id] as readonly number[];
      if (one.id !== two.id && (contrasts[one.id] as readonly number[]).some((number) => list.includes(number)))
        return 1;
    }
  }
  const any = [...some, ...others].some(({ id }) => (contrasts[id] as readonly number[]).length > 0);
  return any ? 0.5 : 0;
}

const negating = ['un', 'non', 'in', 'im', 'ir', 'dis', 'anti', 'de'];

/** Whether a word of one text is the negation of a word of the other: unscented, scented. */
function hasNegatedForm({ forms }: Lexicon, some: readonly Leftover[], others: readonly Leftover[]): boolean {
  return some.some((one) =>
    others.some((two) => {
      const [x, y] = [forms[one.id] as string, forms[two.id] as string];
      const [shorter, longer] = x.length < y.length ? [x, y] : [y, x];
      return shorter.length > 3 && negating.some((prefix) => prefix + shorter === longer);
    }),
  );
}
