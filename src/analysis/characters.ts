/**
 * Character normalization for terms and for equality of texts: Unicode NFKC, invisible characters, case, and combining marks.
 */

/** Whether a text is pure ASCII. */
export function isAscii(text: string): boolean {
  return ascii.test(text);
}

const ascii = /^[\0-\x7f]*$/;
/** Letters, signs and punctuation of many languages that NFKC leaves as they are, whatever is beside them. */
const unchanged =
  /^[\0-\x7f\xa1-\xa7\xa9\xab-\xae\xb0\xb1\xb6\xb7\xbb\xbf-\u0131\u0134-\u013e\u0141-\u0148\u014a-\u017e\u0401-\u045f\u0490\u0491\u2010\u2012-\u2016\u2018-\u2023\u2030\u20ac\u2190-\u21ff\u3001-\u3029\u3041-\u3096\u30a1-\u30fe\u4e00-\u9fff\uac00-\ud7a3]*$/;
const markRun = /(\p{M}{16})\p{M}+/gu;
/** Fractions and superscripts. */
const raisedNumbers = /[\u00B2\u00B3\u00B9\u00BC-\u00BE\u2070-\u207B\u2150-\u215E]/;
const fractionBehindDigit = /(?<=\p{Nd})(?=[\u00BC-\u00BE\u2150-\u215E])/gu;
const superscriptBehindDigit = /(?<=\p{Nd})(?=[\u00B2\u00B3\u00B9\u2070-\u207B])/gu;

/**
 * Normalizes a text to NFKC in linear time: of a run of combining marks only the first sixteen are kept. Superscripts and
 * fractions after a digit stay separate: "10²" becomes "10^2" and "1½" becomes "1 1⁄2".
 */
export function composed(text: string): string {
  if (unchanged.test(text)) return text;
  const short = text.replace(markRun, '$1');
  const separated = raisedNumbers.test(short)
    ? short.replace(fractionBehindDigit, ' ').replace(superscriptBehindDigit, '^')
    : short;
  return separated.normalize('NFKC');
}

/** Invisible characters: soft hyphens, joiners, zero-width spaces, byte-order marks, variation selectors. */
const invisible = /[\p{Cf}\p{Default_Ignorable_Code_Point}]+/gu;
/** Same, except joiners and flag tags inside emoji. */
const invisibleOutsideEmoji =
  /(?:(?![\u200D\u{E0020}-\u{E007F}])[\p{Cf}\p{Default_Ignorable_Code_Point}]|(?<!\p{Extended_Pictographic}|\p{Emoji_Modifier}|\uFE0F)\u200D|(?<!\p{Extended_Pictographic}|[\u{E0020}-\u{E007F}])[\u{E0020}-\u{E007F}])+/gu;

/** Unifies variants of signs: hyphens and minus, fraction slashes, the sharp sign. */
export function plainSigns(text: string): string {
  if (ascii.test(text)) return text;
  return text
    .replace(/[\u2010-\u2012\u2212]/g, '-')
    .replace(/[\u2044\u2215]/g, '/')
    .replaceAll('\u266F', '#');
}

/** Removes invisible characters. */
export function withoutInvisible(text: string): string {
  return ascii.test(text) ? text : text.replace(invisible, '');
}

/** Removes invisible characters except joiners and flag tags inside emoji. */
export function withoutInvisibleOutsideEmoji(text: string): string {
  return ascii.test(text) ? text : text.replace(invisibleOutsideEmoji, '');
}

/** Folds case: ß and ẞ become ss, and all forms of sigma become one. */
export function foldCase(text: string): string {
  return ascii.test(text) ? text.toLowerCase() : text.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
}

/**
 * Scripts whose combining marks are optional accents, points and vowel signs. In all others (Devanagari and related scripts,
 * Thai, Khmer, Kana, ...) marks spell vowels or distinguish letters, and are kept.
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
 * Removes the marks of scripts in which they are optional, the strokes of Latin letters, and the Arabic tatweel, which only
 * stretches a word. Keeps й, ў and ї, which are letters of their own, and the marks of Indic and Thai vowels and tones and of
 * Kana.
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

/** Precomposed Latin, Greek and Cyrillic letters. */
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
