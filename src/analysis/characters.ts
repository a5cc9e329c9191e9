/**
 * What counts as the same character, for words and for equal texts alike: how characters are encoded (Unicode NFKC), what cannot
 * be seen, case, and marks.
 */

/** Whether a text has ASCII characters only. */
export function isAscii(text: string): boolean {
  return ascii.test(text);
}

const ascii = /^[\0-\x7f]*$/;
const markRun = /(\p{M}{16})\p{M}+/gu;
const fractionBehindDigit = /(?<=\p{Nd})(?=[\u00BC-\u00BE\u2150-\u215E])/gu;
const superscriptBehindDigit = /(?<=\p{Nd})(?=[\u00B2\u00B3\u00B9\u2070-\u207B])/gu;

/**
 * A text in Unicode's composed compatibility form (NFKC), in time that grows with its length only: of a run of marks the first
 * sixteen are kept. What that form would join to another number stays apart: "10²" becomes "10^2" and "1½" becomes "1 1⁄2".
 */
export function composed(text: string): string {
  if (ascii.test(text)) return text;
  return text
    .replace(markRun, '$1')
    .replace(fractionBehindDigit, ' ')
    .replace(superscriptBehindDigit, '^')
    .normalize('NFKC');
}

/** Characters that do not show: soft hyphens, joiners, zero-width spaces, byte-order marks, variation selectors. */
const invisible = /[\p{Cf}\p{Default_Ignorable_Code_Point}]+/gu;
/** The same, except where they are part of an emoji: joiners between pictures, and the tags of a flag. */
const invisibleOutsideEmoji =
  /(?:(?![\u200D\u{E0020}-\u{E007F}])[\p{Cf}\p{Default_Ignorable_Code_Point}]|(?<!\p{Extended_Pictographic}|\p{Emoji_Modifier}|\uFE0F)\u200D|(?<!\p{Extended_Pictographic}|[\u{E0020}-\u{E007F}])[\u{E0020}-\u{E007F}])+/gu;

/** The text with one form of each sign that has several: hyphens and minus, fraction slashes, the sharp sign. */
export function plainSigns(text: string): string {
  if (ascii.test(text)) return text;
  return text
    .replace(/[\u2010-\u2012\u2212]/g, '-')
    .replace(/[\u2044\u2215]/g, '/')
    .replaceAll('\u266F', '#');
}

/** The text without characters that do not show. */
export function withoutInvisible(text: string): string {
  return ascii.test(text) ? text : text.replace(invisible, '');
}

/** The text without characters that do not show; emoji keep what makes one picture of several. */
export function withoutInvisibleOutsideEmoji(text: string): string {
  return ascii.test(text) ? text : text.replace(invisibleOutsideEmoji, '');
}

/** Lower case, in which ß and ẞ are ss, and all forms of sigma are one. */
export function foldCase(text: string): string {
  return ascii.test(text) ? text.toLowerCase() : text.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
}

/**
 * Scripts whose marks are accents, points and vowel signs that a reader may leave out. In all others (Devanagari and its
 * relatives, Thai, Khmer, Kana, ...) marks spell vowels or distinguish letters, and are kept.
 */
const markedScripts = [
  ...[
    'Latin',
    'Greek',
    'Cyrillic',
    'Arabic',
    'Hebrew',
    'Syriac',
    'Armenian',
    'Georgian',
    'Coptic',
    'Gothic',
    'Glagolitic',
  ],
].map((script) => `\\p{Script=${script}}`);
const marked = new RegExp(`([${markedScripts.join('')}\\p{N}])(\\p{M}+)`, 'gu');
const strokes: Readonly<Record<string, string>> = {
  ...{ ø: 'o', Ø: 'O', đ: 'd', Đ: 'D', ł: 'l', Ł: 'L', ħ: 'h', Ħ: 'H', ŧ: 't', Ŧ: 'T' },
  ...{ æ: 'ae', Æ: 'AE', œ: 'oe', Œ: 'OE' },
};

/**
 * The text without the marks of scripts in which they may be left out, and without the strokes of Latin letters. й, ў and ї are letters
 * of their own and stay; so do the marks of Indic and Thai vowels and tones, and of Kana. The Arabic tatweel, which only
 * stretches a word, is left out.
 */
export function withoutMarks(text: string): string {
  if (ascii.test(text)) return text;
  const letters = text.replace(precomposed, plainLetter);
  if (!mayHaveMarks.test(letters)) return letters;
  return letters
    .replaceAll('\u0640', '')
    .normalize('NFD')
    .replace(marked, (_, base: string, marks: string) => base + keptMark(base, marks))
    .normalize('NFC');
}

/** Latin, Greek and Cyrillic letters that are one character with their marks. */
const precomposed = /[\u00C0-\u024F\u0386-\u0481\u048A-\u04FF\u1E00-\u1FFF]/g;
const mayHaveMarks = /[\p{M}\u0620-\u06FF]/u;
const plainLetters = new Map<string, string>();

function plainLetter(letter: string): string {
  let plain = plainLetters.get(letter);
  if (plain === undefined) {
    const [base = '', ...marks] = letter.normalize('NFD');
    const unmarked = (base + keptMark(base, marks.join(''))).normalize('NFC');
    plain = strokes[unmarked] ?? unmarked;
    plainLetters.set(letter, plain);
  }
  return plain;
}

function keptMark(base: string, marks: string): string {
  if (marks.includes('\u0306') && /[иИуУ]/.test(base)) return '\u0306';
  return marks.includes('\u0308') && /[іІ]/.test(base) ? '\u0308' : '';
}
