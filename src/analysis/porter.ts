/** A suffix and what replaces it. Of several that fit, the longest one decides. */
type Rule = readonly [suffix: string, replacement: string];

const step2: readonly Rule[] = byLength([
  ...pairs('ational:ate tional:tion enci:ence anci:ance izer:ize bli:ble alli:al entli:ent eli:e ousli:ous'),
  ...pairs('ization:ize ation:ate ator:ate alism:al iveness:ive fulness:ful ousness:ous aliti:al iviti:ive'),
  ...pairs('biliti:ble logi:log'),
]);
const step3: readonly Rule[] = byLength(pairs('icate:ic ative: alize:al iciti:ic ical:ic ful: ness:'));
const step4: readonly Rule[] = byLength(
  pairs('al: ance: ence: er: ic: able: ible: ant: ement: ment: ent: ion: ou: ism: ate: iti: ous: ive: ize:'),
);

function pairs(rules: string): Rule[] {
  return rules.split(' ').map((rule) => rule.split(':') as [string, string]);
}

function byLength(rules: readonly Rule[]): readonly Rule[] {
  return rules.toSorted(([a], [b]) => b.length - a.length);
}

/**
 * Stems an English word of lower-case ASCII letters: "An algorithm for suffix stripping" (Porter 1980), with the two later changes of
 * its author (`bli`, `logi`). Words of fewer than three letters are unchanged. The same stems as SQLite's `porter` tokenizer.
 */
export function porterStem(word: string): string {
  if (word.length < 3) return word;
  let stem = withoutPastOrGerund(withoutPlural(word));
  if (stem.endsWith('y') && hasVowel(stem, stem.length - 1)) stem = `${stem.slice(0, -1)}i`;
  stem = replaced(stem, step2, 1);
  stem = replaced(stem, step3, 1);
  stem = replaced(stem, step4, 2);
  return withoutFinalE(stem);
}

/** Step 1a. */
function withoutPlural(word: string): string {
  if (!word.endsWith('s') || word.endsWith('ss')) return word;
  const isLong = (word.endsWith('sses') && word.length > 4) || (word.endsWith('ies') && word.length > 3);
  return word.slice(0, isLong ? -2 : -1);
}

/** Step 1b. */
function withoutPastOrGerund(word: string): string {
  if (word.endsWith('eed')) return measure(word, word.length - 3) > 0 ? word.slice(0, -1) : word;
  const end = word.length - (word.endsWith('ed') ? 2 : word.endsWith('ing') ? 3 : 0);
  if (end === word.length || !hasVowel(word, end)) return word;
  const stem = word.slice(0, end);
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (/([^aeioulsz])\1$/.test(stem)) return stem.slice(0, -1);
  return measure(stem, end) === 1 && endsShort(stem, end) ? `${stem}e` : stem;
}

/** Steps 2, 3 and 4: replaces a suffix if what is before it has at least this measure. */
function replaced(word: string, rules: readonly Rule[], minMeasure: number): string {
  for (const [suffix, replacement] of rules) {
    if (!word.endsWith(suffix) || suffix.length === word.length) continue;
    const end = word.length - suffix.length;
    if (suffix === 'ion' && !/[st]$/.test(word.slice(0, end))) return word;
    return measure(word, end) >= minMeasure ? word.slice(0, end) + replacement : word;
  }
  return word;
}

/** Step 5. */
function withoutFinalE(word: string): string {
  let end = word.length;
  if (word.endsWith('e')) {
    const before = measure(word, end - 1);
    if (before > 1 || (before === 1 && !endsShort(word, end - 1))) end--;
  }
  if (word[end - 1] === 'l' && word[end - 2] === 'l' && measure(word, end - 1) > 1) end--;
  return end === word.length ? word : word.slice(0, end);
}

/** How many runs of vowels are followed by a consonant in the first `end` letters. */
function measure(word: string, end: number): number {
  let count = 0;
  let wasVowel = false;
  for (let index = 0; index < end; index++) {
    const isNow = isVowel(word, index, wasVowel);
    if (wasVowel && !isNow) count++;
    wasVowel = isNow;
  }
  return count;
}

function hasVowel(word: string, end: number): boolean {
  let wasVowel = false;
  for (let index = 0; index < end && !wasVowel; index++) wasVowel = isVowel(word, index, wasVowel);
  return wasVowel;
}

/** Whether the first `end` letters end in consonant, vowel, consonant, the last of which is not w, x or y. */
function endsShort(word: string, end: number): boolean {
  if (end < 3 || 'wxy'.includes(word[end - 1] as string)) return false;
  const kinds: boolean[] = [];
  for (let index = 0; index < end; index++) kinds.push(isVowel(word, index, kinds[index - 1] === true));
  return kinds[end - 3] === false && kinds[end - 2] === true && kinds[end - 1] === false;
}

/** A `y` is a vowel behind a consonant. */
function isVowel(word: string, index: number, isBehindVowel: boolean): boolean {
  const letter = word[index] as string;
  if (letter === 'y') return index > 0 && !isBehindVowel;
  return letter === 'a' || letter === 'e' || letter === 'i' || letter === 'o' || letter === 'u';
}
