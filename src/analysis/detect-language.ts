import { frequentWords } from './frequent-words.js';

/** Only so many characters at the beginning of a text are looked at. */
export const detectedLength = 600;
/** Votes that a language needs, from so many words, and how many times those of English: one word may be a name. */
const [minVotes, minWords, minLead] = [0.9, 2, 1.25];
const word = /[\p{L}\p{M}]+/gu;
const asciiWord = /[A-Za-z]+/g;
const otherThanAscii = /[^\0-\x7f]/;
/** Votes for English, and times those of any other language, at which the rest of a text is not read. */
const [sureVotes, sureLead] = [4, 3];

/** A script in which several languages are written, and letters that only one of them has, in the order in which they decide. */
interface Script {
  readonly letters: RegExp;
  readonly marks: readonly (readonly [letters: RegExp, code: string])[];
  /** Those whose words decide. */
  readonly languages: readonly string[];
  /** The language of a text in which nothing decides. */
  readonly otherwise: string;
}

const scripts: readonly Script[] = [
  {
    letters: /\p{Script=Cyrillic}/gu,
    marks: [
      [/[іїєґ]/iu, 'uk'],
      [/[ђјљњћџ]/iu, 'sr'],
      [/[ыэё]/iu, 'ru'],
    ],
    languages: ['ru', 'bg', 'uk', 'sr'],
    otherwise: 'ru',
  },
  { letters: /\p{Script=Greek}/gu, marks: [], languages: [], otherwise: 'el' },
  { letters: /\p{Script=Arabic}/gu, marks: [[/[پچژگکیہےٹڈ]/u, 'fa']], languages: [], otherwise: 'ar' },
  { letters: /\p{Script=Devanagari}/gu, marks: [], languages: ['hi', 'ne'], otherwise: 'hi' },
  { letters: /\p{Script=Armenian}/gu, marks: [], languages: [], otherwise: 'hy' },
  { letters: /\p{Script=Tamil}/gu, marks: [], languages: [], otherwise: 'ta' },
  { letters: /\p{Script=Hebrew}/gu, marks: [], languages: [], otherwise: 'he' },
];

/** Letters that few languages in Latin script have: a word with one is a vote for them. */
const latinLetters: readonly (readonly [letters: RegExp, codes: readonly string[]])[] = [
  [/[ßẞ]/u, ['de']],
  [/[äÄ]/u, ['de', 'fi', 'sv']],
  [/[öÖ]/u, ['de', 'fi', 'sv', 'hu', 'tr']],
  [/[üÜ]/u, ['de', 'hu', 'tr']],
  [/[øØæÆ]/u, ['da', 'no']],
  [/[åÅ]/u, ['da', 'no', 'sv']],
  [/[ñÑ¿¡]/u, ['es']],
  [/[ãõÃÕ]/u, ['pt']],
  [/[çÇ]/u, ['fr', 'pt', 'tr', 'ca']],
  [/[èÈ]/u, ['fr', 'it', 'ca']],
  [/[êÊ]/u, ['fr', 'pt']],
  [/[àÀ]/u, ['fr', 'it', 'ca']],
  [/[îûœ]/iu, ['fr']],
  [/[éÉ]/u, ['fr', 'es', 'hu', 'pt', 'cs', 'ca', 'it']],
  [/[óíá]/iu, ['es', 'pt', 'hu', 'cs', 'ca', 'ga']],
  [/[őű]/iu, ['hu']],
  [/[ğıİ]/u, ['tr']],
  [/[şŞ]/u, ['tr', 'ro']],
  [/[șțăŢţ]/iu, ['ro']],
  [/[ąęłżźńś]/iu, ['pl']],
  [/[řěůň]/iu, ['cs']],
  [/[čšž]/iu, ['cs', 'hr', 'lt']],
  [/[ėųūį]/iu, ['lt']],
  [/[ạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹđơư]/iu, ['vi']],
];

/** By word the numbers of the languages that have it, among `codes`. */
interface Votes {
  readonly codes: readonly string[];
  readonly english: number;
  readonly words: ReadonlyMap<string, readonly number[]>;
  readonly letters: readonly (readonly [letters: RegExp, languages: readonly number[]])[];
}
const latin = Object.keys(frequentWords).filter((code) => !scripts.some(({ languages }) => languages.includes(code)));
const votesOf = new Map<readonly string[], Votes>();

function votesAmong(codes: readonly string[]): Votes {
  const known = votesOf.get(codes);
  if (known !== undefined) return known;
  const words = new Map<string, number[]>();
  for (const [number, code] of codes.entries()) {
    for (const one of new Set((frequentWords[code] ?? '').split(/\s+/))) {
      words.set(one, [...(words.get(one) ?? []), number]);
    }
  }
  const numbersOf = (of: readonly string[]): number[] => of.map((code) => codes.indexOf(code));
  const letters = codes === latin ? latinLetters.map(([marks, of]) => [marks, numbersOf(of)] as const) : [];
  const votes = { codes, english: codes.indexOf('en'), words, letters };
  votesOf.set(codes, votes);
  return votes;
}

/**
 * The language of a text, by its script, by letters that few languages have, and by its most frequent words; English where nothing
 * decides, or where it has almost as many votes. Depends on the first 600 characters alone.
 */
export function detectLanguage(text: string): string {
  const beginning = text.length > detectedLength ? text.slice(0, detectedLength) : text;
  const isAscii = !otherThanAscii.test(beginning);
  if (!isAscii) {
    const letters = beginning.match(/\p{L}/gu)?.length ?? 0;
    for (const script of scripts) {
      if ((beginning.match(script.letters)?.length ?? 0) * 2 <= letters) continue;
      const marked = script.marks.find(([marks]) => marks.test(beginning));
      if (marked !== undefined) return marked[1];
      return elected(beginning, script.languages, false) ?? script.otherwise;
    }
  }
  return elected(beginning, latin, isAscii) ?? 'en';
}

/** The language with the most votes; undefined for English, or where nothing decides. */
function elected(text: string, among: readonly string[], isAscii: boolean): string | undefined {
  const { codes, english, words, letters } = votesAmong(among);
  const tally = new Float64Array(codes.length);
  const voting = new Uint16Array(codes.length);
  const vote = (voters: readonly number[]): void => {
    for (const number of voters) {
      tally[number] = (tally[number] as number) + 1 / voters.length;
      voting[number] = (voting[number] as number) + 1;
    }
  };
  for (const [one] of text.matchAll(isAscii ? asciiWord : word)) {
    const voters = words.get(one.toLowerCase());
    if (voters !== undefined) {
      vote(voters);
      if (voters[0] === english && (tally[english] as number) >= sureVotes && isSure(tally, english)) return undefined;
    } else if (!isAscii && otherThanAscii.test(one)) {
      for (const [marks, having] of letters) if (marks.test(one)) vote(having);
    }
  }
  const ofEnglish = english < 0 ? 0 : (tally[english] as number);
  let best = -1;
  for (let number = 0; number < codes.length; number++) {
    if (number !== english && (tally[number] as number) > (best < 0 ? 0 : (tally[best] as number))) best = number;
  }
  const most = best < 0 ? 0 : (tally[best] as number);
  const isElected = most >= minVotes && (voting[best] as number) >= minWords && most > minLead * ofEnglish;
  return isElected ? codes[best] : undefined;
}

function isSure(tally: Float64Array, leader: number): boolean {
  return tally.every((votes, number) => number === leader || votes * sureLead <= (tally[leader] as number));
}
