import { stemmerOf } from '../stemmers.js';

/** Languages that write compounds as one word, and the letters that may join their parts. */
const linkingLetters: Readonly<Record<string, readonly string[]>> = {
  da: ['', 's', 'e'],
  de: ['', 's', 'es', 'n', 'en', 'er', 'e'],
  fi: ['', 'n'],
  nl: ['', 's', 'e', 'en'],
  no: ['', 's', 'e'],
  sv: ['', 's'],
};
/** Letters of a part: shorter ones are mostly endings and prepositions. */
const minPart = 3;
const letters = /^\p{L}+$/u;

/** Two terms that a word may be made of. */
export interface CompoundParts {
  readonly head: string;
  readonly tail: string;
}

/** All ways in which a word without marks may be made of two words of a language, as they are indexed; none in other languages. */
export function compoundPartsOf(word: string, language: string): CompoundParts[] {
  const linking = linkingLetters[language];
  if (linking === undefined || !letters.test(word)) return [];
  const stemmer = stemmerOf(language);
  const found: CompoundParts[] = [];
  for (let end = minPart; end <= word.length - minPart; end++) {
    const [begin, tail] = [word.slice(0, end), stemmer.stemOf(word.slice(end))];
    for (const link of linking) {
      const head = begin.slice(0, end - link.length);
      if (head.length >= minPart && begin.endsWith(link)) found.push({ head: stemmer.stemOf(head), tail });
    }
  }
  return found;
}
