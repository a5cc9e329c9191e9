/** Scripts without spaces, as `Script=` names them. */
const unspaced = 'Han Hiragana Katakana Bopomofo Hangul Thai Lao Khmer Myanmar'.split(' ');
const foldedScripts = 'Latin Greek Cyrillic Arabic Hebrew Syriac Armenian Georgian Coptic Gothic Glagolitic'.split(' ');
const strokes: Record<string, string> = { ø: 'o', đ: 'd', ł: 'l', ħ: 'h', ŧ: 't', æ: 'ae', œ: 'oe' };

const is = (property: string, character: string): boolean => new RegExp(`^\\p{${property}}$`, 'u').test(character);
const isOneOf = (scripts: readonly string[], character: string): boolean =>
  scripts.some((script) => is(`Script=${script}`, character));
const isUnspaced = (character: string): boolean => isOneOf(unspaced, character) || 'ー々〆'.includes(character);
const isWordCharacter = (character: string): boolean =>
  character === '_' || is('L', character) || is('N', character) || is('M', character);

/** Lower case without marks that may be left out, letter by letter. */
function fold(word: string): string {
  const lower = word.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
  return [...lower].map((letter) => strokes[letter] ?? letter).join('');
}

/** The text as words see it, character by character: fractions and superscripts apart, NFKC, nothing invisible, no marks. */
function prepared(text: string): string[] {
  const cut = text.replace(/(\p{M}{16})\p{M}+/gu, '$1');
  let apart = '';
  for (const character of cut) {
    const behindDigit = /\p{Nd}$/u.test(apart);
    if (behindDigit && /[\u00BC-\u00BE\u2150-\u215E]/.test(character)) apart += ' ';
    if (behindDigit && /[\u00B2\u00B3\u00B9\u2070-\u207B]/.test(character)) apart += '^';
    apart += character;
  }
  const emoji =
    /\p{Regional_Indicator}{2}|\p{Extended_Pictographic}[\uFE0E\uFE0F\u20E3\u{1F3FB}-\u{1F3FF}\u{E0020}-\u{E007F}]*/gu;
  const shown = [...apart.normalize('NFKC').replace(emoji, '\n')].filter(
    (character) => !is('Cf', character) && !is('Default_Ignorable_Code_Point', character) && character !== '\u0640',
  );
  let plain = '';
  let base = '';
  for (const character of shown.join('').normalize('NFD')) {
    if (!is('M', character)) base = character;
    const folds = isOneOf(foldedScripts, base) || is('N', base);
    const stays = (character === '\u0306' && /[иИуУ]/.test(base)) || (character === '\u0308' && /[іІ]/.test(base));
    if (!is('M', character) || base === '' || !folds || stays) plain += character;
  }
  return [...plain.normalize('NFC')];
}

/** The parts of an identifier, by looking at each character and its neighbours. */
function partsOf(word: string): string[] {
  const kind = (character: string | undefined): string => {
    if (character === undefined || character === '_') return '';
    if (is('N', character)) return 'number';
    if (is('Lu', character)) return 'upper';
    return is('Ll', character) ? 'lower' : 'other';
  };
  const characters = [...word];
  const parts: string[] = [];
  let before = '';
  characters.forEach((character, at) => {
    const now = !is('M', character) ? kind(character) : before === 'other' ? 'other' : 'lower';
    const next = kind(characters[at + 1]);
    const begins = now !== before && !(before === 'upper' && now === 'lower');
    const capital = before === 'upper' && now === 'upper' && next === 'lower';
    if (now !== '' && (begins || capital)) parts.push(character);
    else if (now !== '') parts[parts.length - 1] += character;
    before = now;
  });
  return parts;
}

/** Words of a text: slow, and written without looking at `termsOf`. Names, symbols and emoji are left to other tests. */
export function referenceWords(text: string): string[] {
  const words: string[] = [];
  const characters = prepared(text);
  let previous = '';
  for (let at = 0; at < characters.length; ) {
    const character = characters[at] as string;
    if (isUnspaced(character)) {
      let letter = character;
      while (++at < characters.length && is('M', characters[at] as string)) letter += characters[at];
      words.push(letter);
      if (previous !== '') words.push(previous + letter);
      previous = letter;
      continue;
    }
    previous = '';
    let word = '';
    while (
      at < characters.length &&
      isWordCharacter(characters[at] as string) &&
      !isUnspaced(characters[at] as string)
    ) {
      word += characters[at++];
    }
    if (word === '') at++;
    if (![...word].some((each) => is('L', each) || is('N', each))) continue;
    words.push(fold(word.replaceAll('_', '')));
    const parts = partsOf(word);
    if (parts.length > 1) words.push(...parts.map(fold));
  }
  return words;
}
